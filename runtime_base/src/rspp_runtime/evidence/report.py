"""What a replay found, and which level it proves, stretch by stretch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rspp_runtime.evidence.differences import Difference, Divergence

SHOWN_MAX = 50  # divergences described; all are counted

PROOFS = {
    "L0": "every decision",
    "L1": "every decision, and every text bit for bit",
    "L2": "every decision, and every output bit for bit",
}


@dataclass(slots=True)
class Stretch:
    """The part of a log that one level was kept in. `record` is its first one; `level` what its payloads can prove."""

    level: str
    record: int
    from_ns: int
    claimed: str = ""  # the level that the log says
    but: int = 0  # outputs that hold what an earlier stretch left out: there the replay has zeros

    @property
    def proved(self) -> str:
        exception = f", but for {self.but} that hold what was left out before" if self.but else ""
        return f"{self.level}: {PROOFS[self.level]}{exception}"


@dataclass(slots=True)
class Report:
    """What a replay found."""

    level: str  # with which the log begins
    inputs: int = 0
    steps: int = 0
    decisions: int = 0
    outputs: int = 0
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[Divergence] = field(default_factory=Counter)
    torn: str = ""
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        return not self.counts

    @property
    def proved(self) -> str:
        """The level that this replay proves from beginning to end."""
        if not self.identical:
            return "none"
        return min(self.stretches, key=lambda stretch: (stretch.level, -stretch.but)).proved

    def add(self, difference: Difference) -> None:
        self.counts[difference.kind] += 1
        if len(self.differences) < SHOWN_MAX:
            self.differences.append(difference)

    def begin_stretch(self, level: str, record: int, from_ns: int) -> None:
        level = level if level in PROOFS else "L0"
        self.stretches.append(Stretch(level, record, from_ns, level))

    def begin_window(self, record: int, from_ns: int) -> None:
        """What was before counts no more; the level that is kept goes on."""
        self.stretches = [Stretch(self.stretches[-1].claimed, record, from_ns, claimed=self.stretches[-1].claimed)]

    def leaves_out(self, *, text: bool) -> None:
        """A payload is not there, of a text or of audio: whatever level was claimed, this is what is proved."""
        stretch = self.stretches[-1]
        stretch.level = "L0" if text else min(stretch.level, "L1")
