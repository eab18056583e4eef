"""The page and the curves of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from speed.machine import load
from speed.plots import FLOOR, OURS, PEER, shown

from serving.run import LATE_MS, TRIES, Contestant, Step

LEFT, RIGHT, TOP, BOTTOM, WIDTH, HEIGHT = 60, 130, 34, 40, 720, 300
COLORS = {"bare": FLOOR, "ours": OURS, "peer": PEER}
GOAL = 5  # times the peer's sessions

Figure = Callable[[Step], float]
CURVES: tuple[tuple[str, str, str, Figure], ...] = (
    ("serve_p99", "Frame latency, 99 of 100", "ms", lambda step: step["p99_ms"]),
    ("serve_worst", "Frame latency, the worst", "ms", lambda step: step["worst_ms"]),
    ("serve_cpu", "Server's processor time of a frame", "µs", lambda step: step["cpu_us"]),
    ("serve_memory", "Server's resident memory", "MiB", lambda step: step["rss_kib"] / 1024),
)


def slope_kib(steps: Sequence[Step]) -> float:
    """Resident memory that each session adds: least squares over the steps that were kept up with."""
    points = [(step["sessions"], step["rss_kib"]) for step in steps if not step["late"]]
    if len(points) < 2:
        return math.nan
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    return float(sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points))


def curve(title: str, unit: str, lines: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]) -> str:
    """The SVG of lines (label, colour, points) over the number of sessions, both axes logarithmic."""
    points = [(x, y) for _, _, row in lines for x, y in row if x > 0 and y > 0] or [(1.0, 1.0)]
    axes = []
    for numbers in ([x for x, _ in points], [y for _, y in points]):
        first = math.floor(math.log10(min(numbers)))
        axes.append((first, max(first + 1, math.ceil(math.log10(max(numbers))))))
    (x_first, x_last), (y_first, y_last) = axes

    def at(x: float, y: float) -> tuple[float, float]:
        x_share = (math.log10(x) - x_first) / (x_last - x_first)
        y_share = (math.log10(y) - y_first) / (y_last - y_first)
        return LEFT + x_share * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y_share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="10" y="18" font-size="14" font-weight="bold">{escape(title)}, {escape(unit)}</text>',
    ]
    for power in range(x_first, x_last + 1):
        x, _ = at(10.0**power, 10.0**y_first)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e6ea"/>')
        text = shown(10.0**power)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#667">{text}</text>')
    for power in range(y_first, y_last + 1):
        _, y = at(10.0**x_first, 10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        text = shown(10.0**power)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#667">{text}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end" fill="#667">sessions</text>')
    for label, color, row in lines:
        places = [at(x, y) for x, y in row if x > 0 and y > 0]
        if not places:
            continue
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
        x, y = places[-1]
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{color}">{escape(label)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def write(folder: Path, rows: Sequence[Contestant], machine: Sequence[tuple[str, str]], seconds: float) -> Path:
    """Writes the curves and `serve.md` into `folder`; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, title, unit, figure in CURVES:
        lines = [
            (one.label, COLORS[one.kind], [(step["sessions"], figure(step)) for step in one.steps if "p99_ms" in step])
            for one in rows
        ]
        (folder / f"{name}.svg").write_text(curve(title, unit, lines), encoding="utf-8")
    page = folder / "serve.md"
    page.write_text("\n".join(_page(rows, machine, seconds)) + "\n", encoding="utf-8")
    return page


def _page(rows: Sequence[Contestant], machine: Sequence[tuple[str, str]], seconds: float) -> Iterator[str]:
    yield "# Conversations over WebSocket on one core"
    yield ""
    yield "Written by `make bench-serve`; how it is measured is in [the benchmarks' README](../README.md#serving)."
    yield ""
    yield "| | |"
    yield "|---|---|"
    for what, which in (*machine, ("load after", load()), ("a step", f"{seconds:g} s of frames, after one second")):
        yield f"| {what} | {which} |"
    yield ""
    yield (
        "Each session sends 20 ms of audio fifty times a second and gets it back. A frame is late that takes "
        f"{LATE_MS:g} ms longer than the median of one session; a step that is late is made up to {TRIES - 1} times "
        "more, and the last one counts."
    )
    yield ""
    yield "| | sessions until the first late frame | CPU of a frame there | memory of a session | what ended it |"
    yield "|---|---:|---:|---:|---|"
    for one in rows:
        if one.why:
            yield f"| {one.label} | — | — | — | {one.why} |"
            continue
        last = next((step for step in reversed(one.steps) if not step["late"]), None)
        cpu = f"{shown(last['cpu_us'])} µs" if last else "—"
        ended = one.steps[-1]["late"] or "the last step"
        slope = slope_kib(one.steps)
        memory = "—" if math.isnan(slope) else f"{shown(max(0.0, slope))} KiB"
        yield f"| {one.label} | {one.sessions} | {cpu} | {memory} | {ended} |"
    yield ""
    by_kind = {one.kind: one for one in rows}
    ours, peer = by_kind["ours"].sessions, by_kind["peer"].sessions
    if peer:
        met = "met" if ours >= GOAL * peer else "missed"
        yield f"Goal: {GOAL} × the peer's sessions. {ours} : {peer} is **{ours / peer:.1f} ×**: {met}."
        yield ""
    yield from (f"![{title}]({name}.svg)" for name, title, _, _ in CURVES)
    yield ""
    yield "| | sessions | p50 | p99 | worst | CPU of a frame | of a core | clients late by | resident | |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for one in rows:
        for step in one.steps:
            yield _row(one, step)


def _row(one: Contestant, step: Step) -> str:
    said = step["late"] or (f"in time at try {step['tried']}" if step.get("tried", 1) > 1 else "")
    if "p99_ms" not in step:
        return f"| {one.label} | {step['sessions']} | | | | | | | | {said} |"
    times = " | ".join(f"{step[name]:.2f} ms" for name in ("p50_ms", "p99_ms", "worst_ms"))
    return (
        f"| {one.label} | {step['sessions']} | {times} | {shown(step['cpu_us'])} µs | {step['cores']:.0%} "
        f"| {step['own_late_ms']:.1f} ms | {step['rss_kib'] / 1024:.0f} MiB | {said} |"
    )
