"""Who listens, and what they tell of playback: nothing, the truth, the truth too late, or anything else."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import Basis, Control
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Plan

if TYPE_CHECKING:
    from rspp_runtime.simulation.world import World

MS = 1_000_000
REPORT = 6  # what waits in the world's heap
SECOND_NS = 1_000_000_000
SILENT, HONEST, LATE, MUTE, LIAR = "silent", "honest", "late", "mute", "liar"
KINDS = (*(SILENT,) * 5, *(HONEST,) * 3, LATE, MUTE, LIAR)
"""Half report nothing, and say so; MUTE said that it would, and does not."""


class Listener:
    """One party. All chance is its own, so that a case is otherwise what it would be without it."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._rng = rng = Random(seed ^ 0x5EED)
        self._bytes_per_second = plan.audio_bytes_per_second or 32_000
        self.kind = rng.choice(KINDS)
        self.basis = Basis.PACED if self.kind == SILENT else rng.choice((Basis.ACKED, Basis.MARKED))
        self.interval_ns = rng.choice((20, 100, 400)) * MS if self.basis else 0
        self._behind_ns = rng.choice((0, 30, 150)) * MS if self.kind != LATE else rng.randrange(300, 2_500) * MS
        self._turn, self._began_ns, self._end_ns, self._told_ns = 0, 0, 0, -1

    def hears(self, output: Output) -> bool:
        """Audio comes; returns whether it is a turn's first: then reports begin."""
        turn, plays_ns = output.turn, output.x
        first = turn != self._turn
        if first:
            self._turn, self._began_ns, self._told_ns = turn, plays_ns, -1
        self._end_ns = plays_ns + len(output.payload) * SECOND_NS // self._bytes_per_second
        return first and self.kind not in (SILENT, MUTE)

    def stops(self, now: int) -> None:
        """What it has not played it forgets."""
        self._end_ns = min(self._end_ns, max(now - self._behind_ns, self._began_ns))

    def report(self, world: World) -> None:
        """Says how far it has played; and again, until all was played."""
        turn, place, then = self.reports(world.now)
        if turn:
            world.control(Control.PLAYED, turn, place)
        if then:
            world.at(then, REPORT, None)

    def reports(self, now: int) -> tuple[int, int, int]:
        """Turn and place, and in how many ns it says more; 0 for never. A turn of 0: it says nothing now."""
        place = max(min(now - self._behind_ns, self._end_ns), self._began_ns)
        if now < self._began_ns + self._behind_ns:
            return 0, 0, max(2 * MS, self._began_ns + self._behind_ns - now)  # not within the same window
        if self.kind == LIAR and self._rng.random() < 0.5:
            return self._lie(place)
        again = place == self._told_ns
        self._told_ns = place
        done = again and self._rng.random() < 0.3
        return self._turn, place, 0 if done else self.interval_ns

    def _lie(self, place: int) -> tuple[int, int, int]:
        rng = self._rng
        if rng.random() < 0.3:  # what it has been sent it takes for played
            return self._turn, self._end_ns, self.interval_ns
        turn = self._turn + rng.choice((0, 0, 0, -1, 1))
        place += rng.choice((-5_000, -40, 1, 40, 200, 60_000)) * MS
        return max(turn, 1), place, rng.choice((0, 1, 1)) * self.interval_ns
