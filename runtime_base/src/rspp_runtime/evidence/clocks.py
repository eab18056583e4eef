"""How the clocks of a session run against each other (CONTRACTS §2; NF-018).

A session decides by one clock, the driver's monotonic one. Every other has one mapping to it, kept here and recorded:

    ingress.PORT   the media clock of what the party sends: the media time of an item and the time at which it came
    wall           the wall clock; nothing is decided by it, and later stamps of the log follow its mapping

Items come late as networks please, never early: the least delay of a second is where the clock stands. Its *skew* is
how far it has gone from where it stood at first; its *drift* is that over time. Both are told when they are measured
anew, every ten seconds, and at once when the skew passes its bound in either direction or comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.delays import WINDOW_NS, Delay, Delays
from rspp_runtime.evidence.entries import Clock
from rspp_runtime.session.observer import Observer

log = logging.getLogger(__name__)

MS_NS, SECOND_NS = 1_000_000, 1_000_000_000
SKEW_NS_MAX = 200 * MS_NS  # of a stream: as much as one may be late at the gate of the recogniser
WALL_SKEW_NS_MAX = 1_000 * MS_NS
EVERY_NS = 10 * SECOND_NS
WALL = "wall"


class Mapping(Delay):
    """One clock's mapping to session time. Times are ns; `skew_ns` is positive when the clock has fallen behind."""

    __slots__ = ("_told_ns", "bound_ns", "drift_ppm", "is_beyond", "name", "skew_ns")

    def __init__(self, name: str, bound_ns: int) -> None:
        super().__init__()
        self.name, self.bound_ns = name, bound_ns
        self.skew_ns = 0
        self.drift_ppm = 0  # millionths that it is too slow, since its first window
        self.is_beyond = False
        self._told_ns = -1

    def observe(self, its_ns: int, now_ns: int) -> Clock | None:
        """It shows `its_ns` at session time `now_ns`, or showed it a moment ago. Returns what is to be told."""
        if self.within(its_ns, now_ns):
            return None
        behind_ns = now_ns - its_ns
        if self.window_ns < 0:
            self.window_ns, self.first_ns, self.least_ns = now_ns, behind_ns, behind_ns
            self._told_ns = now_ns
            return self._reading(its_ns, now_ns)
        measured_ns, self.window_ns, self.least_ns = self.least_ns, now_ns, behind_ns
        if self.since_ns < 0:
            self.since_ns = now_ns
            return None
        self.skew_ns = measured_ns - self.first_ns
        self.drift_ppm = self.skew_ns * 1_000_000 // max(1, now_ns - self.since_ns)
        was_beyond, self.is_beyond = self.is_beyond, abs(self.skew_ns) > self.bound_ns
        if self.is_beyond == was_beyond and now_ns - self._told_ns < EVERY_NS:
            return None
        if self.is_beyond != was_beyond:
            log.warning(
                "the clock of %s is %d ms %s: %s", self.name, abs(self.skew_ns) // MS_NS,
                "behind" if self.skew_ns > 0 else "ahead",
                f"more than its bound of {self.bound_ns // MS_NS} ms" if self.is_beyond else "within its bound again",
            )  # fmt: skip
        self._told_ns = now_ns
        return self._reading(its_ns, now_ns)

    def _reading(self, its_ns: int, now_ns: int) -> Clock:
        return Clock(now_ns, self.name, its_ns, self.skew_ns, self.drift_ppm, int(self.is_beyond))


class Clocks(Delays, Observer):
    """Keeps the mappings of one session, and gives readings to `put`; frames come to `Delays`. `wall` reads the wall
    clock; None: there is none, as in virtual time.
    """

    INPUTS = (In.MEDIA,)
    MOVES = QUIET_STEPS = False

    def __init__(self, plan: Plan, put: Callable[[Clock], None], wall: Callable[[], int] | None) -> None:
        ports = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        audio = [index for index, port in enumerate(ports) if port.type == "audio"]  # one, or none
        super().__init__(Mapping(f"ingress.{ports[audio[0]].name}", SKEW_NS_MAX) if audio else None)
        self.ports = frozenset((plan.ingress, index) for index in audio)
        self._put = put
        self._wall = wall  # looked at when it is `next_ns`
        self.wall = Mapping(WALL, WALL_SKEW_NS_MAX)

    def _observe(self, stream: Mapping, its_ns: int, now_ns: int) -> None:
        if (reading := stream.observe(its_ns, now_ns)) is not None:
            self._put(reading)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        if now_ns >= self.next_ns:
            self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        """At the wall clock, once in a while."""
        self.next_ns = now_ns + WINDOW_NS
        if self._wall is not None and (reading := self.wall.observe(self._wall(), now_ns)) is not None:
            self._put(reading)
