"""Figures of a run: how real its turns were, what was reached, what went wrong on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Cause, Op, Signal, Turn
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.pages import IDLE, OPENING

BIN = 20  # data events of a bar in the distribution
SUBSTANTIAL = 100  # data events of a turn that is one; it has a provider's invocation too


@dataclass(slots=True)
class Tally:
    """Counts; those of several processes add up with `add`."""

    turns: int = 0
    crashed: int = 0  # turns that a crash ended
    faulted: int = 0
    interrupted: int = 0
    substantial: int = 0
    disturbed: int = 0  # either
    cases: int = 0
    sizes: Counter[int] = field(default_factory=Counter)  # data events of a turn → turns
    calls: Counter[int] = field(default_factory=Counter)  # invocations of a turn → turns
    outcomes: Counter[str] = field(default_factory=Counter)
    workloads: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)  # (class, misfortune)
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)  # (turn state, signal)
    causes: Counter[tuple[int, int]] = field(default_factory=Counter)  # (signal, cause)
    ops: Counter[int] = field(default_factory=Counter)
    actions: int = 0

    def turn(self, data_events: int, invocations: int, faulted: bool, interrupted: bool, outcome: str) -> None:
        self.turns += 1
        self.sizes[data_events] += 1
        self.calls[invocations] += 1
        self.substantial += data_events >= SUBSTANTIAL and invocations > 0
        self.faulted += faulted
        self.interrupted += interrupted
        self.disturbed += faulted or interrupted
        self.outcomes[outcome] += 1

    def see(self, book: Book, output: Output) -> None:
        """Coverage: a decision, in the state in which it was made."""
        if output[0] == 1:
            state = IDLE if book.doubtful and book.turn_state == OPENING else book.turn_state
            self.pairs[state, output[7]] += 1
            self.causes[output[7], output[8]] += 1
        else:
            self.ops[output[0]] += 1

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, name, mine + theirs)

    # ---- what is told

    def median(self, counts: Counter[int]) -> int:
        return percentile(counts, 50)

    def signal_pairs(self) -> list[str]:
        return sorted(f"{Turn(state).name.title()} × {Signal(code).name}" for state, code in self.pairs)

    def visited(self, legal: Iterable[tuple[int, int]]) -> list[str]:
        """Those of the pairs that a plan allows in which something was decided."""
        return sorted(
            f"{Turn(state).name.title()} × {Signal(code).name}" for state, code in set(legal) & set(self.pairs)
        )

    def unvisited(self, legal: Iterable[tuple[int, int]]) -> list[str]:
        """Those of the pairs that a plan allows in which nothing was decided."""
        return sorted(
            f"{Turn(state).name.title()} × {Signal(code).name}" for state, code in set(legal) - set(self.pairs)
        )

    def reached_causes(self) -> list[str]:
        return sorted(f"{Signal(code).name}: {Cause(cause).name}" for code, cause in self.causes if cause)

    def figures(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "turns": self.turns,
            "cases": self.cases,
            "crashed_turns": self.crashed,
            "substantial_share": round(self.substantial / max(1, self.turns), 3),
            "disturbed_share": round(self.disturbed / max(1, self.turns), 3),
            "faulted_share": round(self.faulted / max(1, self.turns), 3),
            "interrupted_share": round(self.interrupted / max(1, self.turns), 3),
            "data_events": {f"p{p}": percentile(self.sizes, p) for p in (5, 25, 50, 75, 95, 100)},
            "invocations": {f"p{p}": percentile(self.calls, p) for p in (5, 50, 95, 100)},
            "outcomes": dict(sorted(self.outcomes.items())),
            "workloads": dict(sorted(self.workloads.items())),
            "faults": {f"{name} {kind}": count for (name, kind), count in sorted(self.faults.items())},
            "actions": self.actions,
            "state_signal_pairs": self.signal_pairs(),
            "causes": self.reached_causes(),
            "outputs": {Op(op).name: count for op, count in sorted(self.ops.items())},
        }


def percentile(counts: Counter[int], percent: int) -> int:
    """The value below or at which that share of all lies; 0 of nothing."""
    total = sum(counts.values())
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed * 100 >= percent * total:
            return value
    return 0
