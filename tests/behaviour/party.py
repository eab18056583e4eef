"""Who is at the other end of a random schedule: what they tell of playback is in time, late, ahead, or not true."""

from __future__ import annotations

import random

from rspp_runtime.abi import Op, Output, Plan, Signal
from rspp_runtime.abi.codes import Basis

MS = 1_000_000


class Party:
    """One party. Its own chance, so that a schedule is otherwise what it is without it."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.rng = rng = random.Random(seed + 1)
        self._plan = plan
        self._basis = rng.choice((Basis.PACED, Basis.ACKED, Basis.MARKED))
        self._p_report = rng.choice((0.05, 0.2, 0.4)) if self._basis else 0.0
        self._p_lie = rng.choice((0.0, 0.1, 0.5))
        self._sent = (0, 0, 0)  # the last audio: turn, from, to

    def says_what_it_will_tell(self) -> dict[str, int]:
        """Fields of CONNECTED: mostly the same, sometimes something else than before."""
        basis = self._basis if self.rng.random() < 0.9 else self.rng.choice((-1, 0, 1, 2, 3, 2**40))
        return {"a": basis, "b": self.rng.choice((0, 0, 20 * MS, 200 * MS, -5))}

    def hears(self, output: Output) -> bool:
        """Notes what is sent; returns whether it reports at once, as one does that was told to stop for now."""
        if output.op == Op.SEND and self._plan.nodes[output.node].inputs[output.port].type == "audio":
            length = len(output.payload) * 1_000_000_000 // self._plan.audio_bytes_per_second
            self._sent = (output.turn, output.x, output.x + length)
        paused = output.op == Op.DECISION and output.code == Signal.PLAYBACK_PAUSED
        return paused and self._basis is not Basis.PACED

    def is_to_report(self) -> bool:
        return self._sent[0] > 0 and self.rng.random() < self._p_report

    def has_played(self, now: int) -> dict[str, int]:
        """Fields of PLAYED."""
        rng, (turn, start, end) = self.rng, self._sent
        place = min(now - rng.choice((0, 0, 5, 60, 300)) * MS, end)
        if rng.random() < 0.3:
            place = rng.choice((start, end, (start + end) // 2))
        if rng.random() < self._p_lie:
            turn += rng.choice((-1, 0, 0, 1, 2**40))
            place += rng.choice((-500, -20, 1, 20, 5000, 2**40)) * MS
        return {"a": turn, "b": place}
