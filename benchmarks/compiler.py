"""How the compiler grows with a pipeline: every pass of `rsppc check`, at 10 to 5,000 nodes.

    python benchmarks/compiler.py [--runs N] [--write]

Prints, for each size, the median of each pass in milliseconds of processor time and the growth for ten times as many
nodes; then the voice assistant, and what it costs to start `rsppc`. Nothing is built, imports are not counted.
`--write` writes the same figures to `compiler.md`, and the curve to `compiler.svg`, beside this file.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from rspp_compiler.diagnostics.render import render
from rspp_compiler.driver import PASSES, pass_function
from rspp_compiler.ir.context import Context

HERE = Path(__file__).parent
VOICE_ASSISTANT = HERE.parent / "pipelines" / "voice_assistant.rspp"
SIZES = (10, 100, 1000, 5000)
LAST = "layout"  # as `rsppc check` does
MEASURED = [(name, package) for name, package, _ in PASSES[: [name for name, _, _ in PASSES].index(LAST) + 1]]
NOTABLE_MS = 10  # of the largest size: below, growth says nothing
BRANCH = 9  # Python nodes behind each other in one branch; a tap ends it


def pipeline(nodes: int) -> str:
    """A pipeline of so many nodes: a voice assistant whose model's text fans out into branches of Python nodes.

    Each branch is nine Python nodes, one behind the other, and a tap; every edge and node has settings of its own.
    """
    lines = [
        "pipeline big {",
        "  profile simple/v1",
        "  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio",
        "  on vad.barge_in -> cancel turn",
    ]
    before = "llm.delta"
    for number in range(nodes - 4):
        name = f"node_{number}"
        if number % (BRANCH + 1) == BRANCH or number == nodes - 5:
            lines.append(f"  node {name} : tap")
        else:
            lines.append(f'  node {name} (a : text) -> (b : text) : python("work:step_{number}") {{ timeout = 250ms }}')
        lines.append(f"  {before} -> {name} {{ buffer = [64 items, 200ms], overflow = drop_oldest }}")
        before = "llm.delta" if number % (BRANCH + 1) == BRANCH else name
    return "\n".join([*lines, "}", ""])


def measure(text: str, name: str, runs: int) -> dict[str, float]:
    """The median of each pass, in milliseconds, over `runs` compilations. Raises ValueError for a finding."""
    times: dict[str, list[float]] = {of_pass: [] for of_pass, _ in MEASURED}
    for _ in range(runs):
        gc.collect()
        ctx = Context(overlays={name: text})
        value: object = (Path(name),)
        gc.disable()  # as `compile_pipeline` does
        for of_pass, package in MEASURED:
            function = pass_function(package, of_pass)
            began = time.process_time()
            value = function(value, ctx)
            times[of_pass].append((time.process_time() - began) * 1000)
            if value is None or ctx.sink.diagnostics:
                raise ValueError(f"{name} is not clean:\n{render(ctx.sink.diagnostics[:3], ctx.sources)}")
        gc.enable()
    return {of_pass: statistics.median(measured) for of_pass, measured in times.items()}


def start_up(runs: int, *arguments: str) -> float:
    """The median of what Python takes for `arguments`, in milliseconds, from start to end."""
    times = []
    for _ in range(runs):
        before = os.times()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        times.append(spent * 1000)
    return statistics.median(times)


def growth(small: float, large: float, sizes: tuple[int, int]) -> float:
    """How many times longer ten times as many nodes take, between two sizes: 10 is linear."""
    return (large / small) ** (math.log(10) / math.log(sizes[1] / sizes[0]))


def table(columns: dict[int, dict[str, float]]) -> Iterator[str]:
    """One line for each pass and for all of them, in Markdown."""
    sizes = list(columns)
    pairs = list(itertools.pairwise(sizes))
    yield f"| pass | {' | '.join(f'{size:,}' for size in sizes)} | growth |"
    yield f"|---|{'---:|' * (len(sizes) + 1)}"
    for name in (*(name for name, _ in MEASURED), "all"):
        row = [sum(columns[size].values()) if name == "all" else columns[size][name] for size in sizes]
        factors = [growth(a, b, pair) for a, b, pair in zip(row, row[1:], pairs, strict=False)]
        shown = ", ".join(f"{factor:.1f}" for factor in factors) if row[-1] >= NOTABLE_MS else ""
        yield f"| `{name}` | {' | '.join(f'{time:.1f}' for time in row)} | {shown} |".replace("`all`", "**all**")


def curve(columns: dict[int, dict[str, float]]) -> str:
    """The whole check over the number of nodes, both axes logarithmic, and a straight line for comparison."""
    sizes = list(columns)
    totals = [sum(columns[size].values()) for size in sizes]

    def place(size: float, time: float) -> tuple[float, float]:
        return 60 + 110 * math.log10(size / 10), 250 - 50 * math.log10(time)

    def path(points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="440" height="290" font-family="sans-serif" font-size="11">'
    ]
    for time_ms, label in ((1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1000, "1 s"), (10_000, "10 s")):
        _, y = place(10, time_ms)
        parts.append(
            f'<path d="M60 {y:.0f}H400" stroke="#ddd"/><text x="54" y="{y + 4:.0f}" text-anchor="end">{label}</text>'
        )
    for size in sizes:
        x, _ = place(size, 1)
        parts.append(f'<text x="{x:.0f}" y="268" text-anchor="middle">{size:,}</text>')
    line = path([place(size, totals[-1] * size / sizes[-1]) for size in (sizes[0], sizes[-1])])
    points = [place(size, time) for size, time in zip(sizes, totals, strict=True)]
    parts.append(f'<polyline points="{line}" fill="none" stroke="#999" stroke-dasharray="4 3"/>')
    parts.append(f'<polyline points="{path(points)}" fill="none" stroke="#1a6" stroke-width="2"/>')
    for (x, y), time_ms in zip(points, totals, strict=True):
        parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="#1a6"/>')
        parts.append(f'<text x="{x - 6:.0f}" y="{y - 7:.0f}" text-anchor="end">{time_ms:.0f} ms</text>')
    parts.append('<text x="230" y="285" text-anchor="middle">nodes; dashed: linear</text></svg>')
    return "\n".join(parts) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--write", action="store_true", help="write compiler.md and compiler.svg")
    given = options.parse_args()
    text = VOICE_ASSISTANT.read_text(encoding="utf-8")
    measure(text, VOICE_ASSISTANT.as_posix(), 1)  # imports every pass
    columns = {size: measure(pipeline(size), "big.rspp", given.runs) for size in SIZES}
    assistant = sum(measure(text, VOICE_ASSISTANT.as_posix(), given.runs).values())
    lines = [
        "# How the compiler grows",
        "",
        "Written by `python benchmarks/compiler.py --write`; the figures of one machine mean little on another. Each",
        "pass of `rsppc check` in milliseconds of processor time, median of runs, imports not counted. *growth*: how",
        "many times longer ten times as many nodes take, from each size to the next; 10 is linear.",
        "",
        *table(columns),
        "",
        "![the whole check over the number of nodes](compiler.svg)",
        "",
        "| | ms |",
        "|---|---:|",
        f"| `voice_assistant`, the same passes | {assistant:.0f} |",
        f"| `rsppc --help`, from start to end | {start_up(given.runs, '-m', 'rspp_compiler.cli', '--help'):.0f} |",
        f"| an interpreter that does nothing | {start_up(given.runs, '-c', 'pass'):.0f} |",
    ]
    print("\n".join(lines[6:]))
    if given.write:
        (HERE / "compiler.md").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        (HERE / "compiler.svg").write_text(curve(columns), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
