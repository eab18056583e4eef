"""What a run of the simulator tells: text for a person, figures for programs."""

from __future__ import annotations

from rspp_runtime.abi.codes import Turn
from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.faults import FAULTS
from rspp_runtime.simulation.invariants import NAMES
from rspp_runtime.simulation.legal import legal
from rspp_runtime.simulation.machine import Action
from rspp_runtime.simulation.show import show_action
from rspp_runtime.simulation.tally import BIN, Tally, percentile

BARS = 15


def told_action(action: Action, plan: Plan | None = None) -> str:
    return show_action(action, plan)


def as_data(
    plan: Plan, tally: Tally, seconds: float, seed: int, faults: tuple[str, ...], kernel: str
) -> dict[str, object]:
    """For `--json`."""
    return {
        "kernel": kernel,
        "seed": seed,
        "next_seed": seed + tally.cases,
        "faults_asked": list(faults),
        "seconds": round(seconds, 2),
        "turns_per_second": round(tally.turns / max(seconds, 1e-9), 1),
        "invariants": len(NAMES),
        **tally.figures(),
        "legal_pairs": len(legal(plan)),
        "legal_visited": tally.visited(legal(plan)),
        "unvisited_pairs": tally.unvisited(legal(plan)),
    }


def as_text(plan: Plan, tally: Tally, seconds: float, faults: tuple[str, ...], kernel: str) -> str:
    """Figures, the distribution, what was reached."""
    rate = tally.turns / max(seconds, 1e-9)
    share = 100 / max(1, tally.turns)
    allowed = legal(plan)
    missed = tally.unvisited(allowed)
    what = "both kernels, compared output by output" if kernel == "both" else f"the {kernel} kernel"
    lines = [
        f"{plan.pipeline}: {tally.turns:,} turns in {tally.cases:,} sessions on {what}: {seconds:.1f} s, "
        f"{rate:,.0f} turns/s",
        f"{len(NAMES)} invariants after every step, {tally.actions:,} calls",
        "",
        f"disturbed      {tally.disturbed * share:.0f} % of the turns ({tally.faulted * share:.0f} % with a fault, "
        f"{tally.interrupted * share:.0f} % interrupted or cancelled); {tally.crashed:,} more died in a crash",
        f"ended          {', '.join(f'{count:,} {name}' for name, count in sorted(tally.outcomes.items()))}",
        f"invocations    median {percentile(tally.calls, 50)} a turn, 95 % have at most {percentile(tally.calls, 95)}",
        f"data events    median {percentile(tally.sizes, 50)} a turn, 95 % have at most {percentile(tally.sizes, 95)}",
        *_distribution(tally),
        "",
        f"reached        {len(allowed) - len(missed)} of the {len(allowed)} pairs (turn state × signal) that this plan "
        f"allows, {len(tally.causes)} of signals and causes",
        *(f"  {state:<13}{_signals(tally, Turn[state.upper()])}" for state in ("Idle", "Opening", "Active", "Closed")),
        *([f"  not visited  {', '.join(missed)}"] if missed else []),
        *_faults(tally, faults),
    ]
    return "\n".join(lines)


def _distribution(tally: Tally) -> list[str]:
    """A bar for each range of data events."""
    bars = [0] * (BARS + 1)
    for size, count in tally.sizes.items():
        bars[min(size // BIN, BARS)] += count
    most = max(bars) or 1
    lines = []
    for n, count in enumerate(bars):
        upto = str(n * BIN + BIN - 1) if n < BARS else ""
        lines.append(f"  {n * BIN:>5} – {upto:<5}{'█' * round(40 * count / most)} {count:,}")
    return lines


def _signals(tally: Tally, state: Turn) -> str:
    return f"{sum(1 for where, _ in tally.pairs if where == state)} signals"


def _faults(tally: Tally, faults: tuple[str, ...]) -> list[str]:
    lines = []
    for name in faults:
        title, kinds = FAULTS[name]
        counts = [(kind, tally.faults[name, kind]) for kind in kinds if tally.faults[name, kind]]
        lines.append(f"{name}  {title:<32}{', '.join(f'{kind} {count:,}' for kind, count in counts) or 'never'}")
    return ["", *lines] if lines else []
