"""Whether a client sends as many samples a second as it says.

What was sent is looked at each quarter of a second, against the time of its arrival. A network delays and bunches, so
a single figure proves nothing: a line is laid through the last two seconds (and the last eight), and is believed only
if every point lies near it. A stall and the burst after it do not make a line; a wrong rate does, within two seconds.
"""

from __future__ import annotations

from collections import deque

from rspp_runtime.audio.format import RateLie

MS_NS = 1_000_000
POINT_NS = 250 * MS_NS
POINTS = 8
LONG_EVERY = 4
SHORT_SHARE, SHORT_NEAR_NS = 0.4, 60 * MS_NS  # of 1, that the rate is off; how near to the line its points lie
LONG_SHARE, LONG_NEAR_NS = 0.07, 150 * MS_NS
AHEAD_NS = 500 * MS_NS  # who sends too fast is soon so far ahead; who was delayed and catches up is not
SURPLUS_AFTER_NS = 10_000 * MS_NS  # where no line can be laid, since all comes in heaps: after so long, …
SURPLUS_SHARE = 0.4  # … so much of what was sent came before its time


class RateWatch:
    """`observe` each `POINT_NS`, `reset` after a pause, `surplus` for what was dropped."""

    __slots__ = ("_count", "_first", "_long", "_rate_hz", "_short", "_surplus_ns")

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._short: deque[tuple[int, int]] = deque(maxlen=POINTS)
        self._long: deque[tuple[int, int]] = deque(maxlen=POINTS)
        self._count = 0
        self._first = (0, 0)
        self._surplus_ns = 0

    def reset(self) -> None:
        """Somebody paused, or the network did: what came before says nothing about what comes."""
        self._short.clear()
        self._long.clear()
        self._count = 0

    def observe(self, now_ns: int, sent_ns: int) -> None:
        """`sent_ns` of audio were sent until now. Raises `RateLie`."""
        self._count += 1
        if self._count == 1:
            return  # what waited somewhere came just now
        if self._count == 2:
            self._first = (now_ns, sent_ns)
        ahead_ns = sent_ns - self._first[1] - (now_ns - self._first[0])
        self._short.append((now_ns, sent_ns))
        self._judge(self._short, SHORT_SHARE, SHORT_NEAR_NS, ahead_ns)
        if self._count % LONG_EVERY == 0:
            self._long.append((now_ns, sent_ns))
            self._judge(self._long, LONG_SHARE, LONG_NEAR_NS, ahead_ns)

    def surplus(self, duration_ns: int, sent_ns: int, elapsed_ns: int) -> None:
        """A packet was dropped since it came before its time. Raises `RateLie` when that is what the client does."""
        self._surplus_ns += duration_ns
        if elapsed_ns > SURPLUS_AFTER_NS and self._surplus_ns > SURPLUS_SHARE * sent_ns:
            raise self._lie(sent_ns / elapsed_ns)

    def _judge(self, points: deque[tuple[int, int]], share: float, near_ns: int, ahead_ns: int) -> None:
        if len(points) < POINTS:
            return
        rate = (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
        if abs(rate - 1) < share / 2:  # by far the usual case: not worth a line
            return
        middle_t = sum(t for t, _ in points) / POINTS
        middle_s = sum(s for _, s in points) / POINTS
        square = sum((t - middle_t) ** 2 for t, _ in points)
        rate = sum((t - middle_t) * (s - middle_s) for t, s in points) / square
        off_ns = max(abs(s - middle_s - rate * (t - middle_t)) for t, s in points)
        if abs(rate - 1) < share or off_ns > near_ns or (rate > 1 and ahead_ns < AHEAD_NS):
            return
        self.reset()
        raise self._lie(rate)

    def _lie(self, share: float) -> RateLie:
        return RateLie(self._rate_hz, round(self._rate_hz * share / 100) * 100)
