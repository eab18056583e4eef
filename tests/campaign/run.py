"""The simulator against every pipeline that runs: `python tests/campaign/run.py [--turns N] [--both N] [--jobs J]`.

Builds the voice assistant and the pipelines of the corpus that this version's runtime can run, and plays the same
number of turns with each: most of them compiled, a share on both kernels at once. Prints a table; `--write` puts it
into docs/simulation.md. Exit code 1 if a promise was not kept, or a pair of state and signal was never visited.

An interrupted campaign goes on: figures of what was played are kept in OUT, by pipeline, kernel and number of turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.simulation.tally import SUBSTANTIAL

ROOT = Path(__file__).parents[2]
PLUGINS = str(ROOT / "tests" / "plugins")
if PLUGINS not in sys.path:
    sys.path.insert(0, PLUGINS)

PAGE = ROOT / "docs" / "simulation.md"
BEGIN, END = "<!-- campaign: written by tests/campaign/run.py -->", "<!-- end of campaign -->"
BIN = Path(sys.executable).parent
SEED = {"compiled": 1, "both": 1_000_000}  # the two kernels' share is of other cases
DISTURBED_MIN = 0.3


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of `rspp simulate` told."""

    name: str
    kernel: str
    figures: dict[str, Any]

    @property
    def turns(self) -> int:
        return int(self.figures["turns"])

    @property
    def row(self) -> str:
        f = self.figures
        found = f["violation"]
        return (
            f"| {self.name} | {'both' if self.kernel == 'both' else 'compiled'} | {f['turns']:,} | "
            f"{f['turns_per_second']:,.0f} | {f['data_events']['p50']} | {f['invocations']['p50']} | "
            f"{f['disturbed_share']:.0%} | {found['invariant'] if found else 0} | "
            f"{f['legal_pairs'] - len(f['unvisited_pairs'])} of {f['legal_pairs']} |"
        )


def pipelines() -> dict[str, Path]:
    """The voice assistant, and those of the corpus that run."""
    from good_corpus import CASES, is_run

    return {"voice_assistant": ROOT / "pipelines" / "voice_assistant.rspp"} | {
        name: CASES[name] for name in sorted(CASES) if is_run(name)
    }


def play(name: str, source: Path, asked: argparse.Namespace, share: int) -> list[Run]:
    """One pipeline on the compiled kernel and on both; what was told of it before is not played again."""
    package: Path | None = None
    runs = []
    for kernel, turns in (("compiled", -(-asked.turns // share)), ("both", -(-asked.both // share))):
        shifted = f".{asked.shift}" if asked.shift else ""
        kept = asked.out / f"{name}.{kernel}.{turns}{shifted}.json"
        if turns and not kept.exists():
            package = package or build(name, source, asked.out)
            kept.write_text(simulate(package, kernel, turns, SEED[kernel] + asked.shift), "utf-8")
        if turns:
            runs.append(Run(name, kernel, json.loads(kept.read_text("utf-8"))))
            print(runs[-1].row, file=sys.stderr, flush=True)
    return runs


def build(name: str, source: Path, out: Path) -> Path:
    """The package's folder."""
    parent = out / "packages" / name  # its own: two files may declare pipelines of one name
    done = subprocess.run(
        [BIN / "rsppc", "build", "--no-install", "--force", "-o", parent, source], capture_output=True, text=True
    )
    built = list(parent.glob("*/src/*/_kernel.*.so"))
    if done.returncode or not built:
        raise RuntimeError(f"{source} could not be built:\n{done.stdout}{done.stderr}")
    return built[0].parents[2]


def simulate(package: Path, kernel: str, turns: int, seed: int) -> str:
    """Plays so many turns; what was told of them, as JSON."""
    command = [BIN / "rspp", "simulate", package, "--turns", str(turns), "--seed", str(seed),
               "--kernel", kernel, "--jobs", "1", "--json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(f"rspp simulate {package} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def table(runs: list[Run], arguments: str) -> str:
    """The table, with the sums below it."""
    head = ["pipeline", "kernel", "turns", "turns/s", "data events, median", "invocations, median", "disturbed",
            "violations", "pairs visited"]  # fmt: skip
    legal, visited = pairs(runs)
    sums = {kernel: sum(run.figures["turns"] for run in runs if run.kernel == kernel) for kernel in SEED}
    core_h = sum(run.figures["seconds"] for run in runs) / 3600
    calls = sum(run.figures["actions"] for run in runs)
    broken = sum(bool(run.figures["violation"]) for run in runs)
    lines = [
        f"`python tests/campaign/run.py{arguments}`: {sums['compiled']:,} turns compiled and {sums['both']:,} on both "
        f"kernels, {core_h:.1f} hours of one core, {calls:,} calls; {broken} violations; {len(visited)} of "
        f"{len(legal)} pairs (turn state × signal) that these plans allow were visited.",
        "",
        f"| {' | '.join(head)} |",
        f"|---{'|---' * (len(head) - 1)}|",
        *(run.row for run in runs),
        *(["", f"Not visited: {', '.join(sorted(legal - visited))}."] if legal - visited else []),
    ]
    return "\n".join(lines)


def pairs(runs: list[Run]) -> tuple[set[str], set[str]]:
    """Those that some plan allows, and those that were visited."""
    visited = {pair for run in runs for pair in run.figures["state_signal_pairs"]}
    missed = {pair for run in runs for pair in run.figures["unvisited_pairs"]}
    legal = missed | {pair for run in runs for pair in run.figures["legal_visited"]}
    return legal, visited & legal


def faults(runs: list[Run]) -> list[str]:
    """What the campaign promises and did not hold."""
    legal, visited = pairs(runs)
    wrong = [f"{r.name} ({r.kernel}): {r.figures['violation']['again']}" for r in runs if r.figures["violation"]]
    wrong += [f"never visited: {pair}" for pair in sorted(legal - visited)]
    turns = sum(run.turns for run in runs)
    substantial = sum(run.turns * run.figures["substantial_share"] for run in runs) / turns
    if substantial < 0.5:
        wrong.append(
            f"{substantial:.0%} of the turns have {SUBSTANTIAL} data events and an invocation: not half of them"
        )
    disturbed = sum(run.turns * run.figures["disturbed_share"] for run in runs) / turns
    if disturbed < DISTURBED_MIN:
        wrong.append(f"{disturbed:.0%} of the turns were disturbed")
    return wrong


def write(text: str) -> None:
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=1_000_000, help="compiled, of all pipelines together")
    parser.add_argument("--both", type=int, default=20_000, help="on both kernels, of all together")
    parser.add_argument("--jobs", type=int, default=2, help="pipelines that are played at once")
    parser.add_argument("--shift", type=int, default=0, help="other cases: so much is added to the seeds")
    parser.add_argument("--only", nargs="*", default=[], help="of these pipelines")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "campaign")
    parser.add_argument(
        "--share", action="store_true", help="too few turns to visit every pair, which is then no fault"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/simulation.md")
    asked = parser.parse_args()
    chosen = {name: path for name, path in pipelines().items() if not asked.only or name in asked.only}
    asked.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(asked.jobs) as pool:
        played = [pool.submit(play, name, source, asked, len(chosen)) for name, source in chosen.items()]
        runs = [run for one in played for run in one.result()]
    default = (1_000_000, 20_000)
    arguments = "" if (asked.turns, asked.both) == default else f" --turns {asked.turns} --both {asked.both}"
    text = table(runs, arguments + (f" --shift {asked.shift}" if asked.shift else ""))
    print(text)
    if asked.write:
        write(text)
    wrong = [fault for fault in faults(runs) if not (asked.share and fault.startswith("never visited"))]
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
