"""How fast a client's clock runs, by what it sent and when that came.

Of every two seconds the packet counts that was delayed least: the network can only add to it. A filter of two states
(how late, and how fast that grows) follows those; it forgets its beginning in about a minute.
"""

from __future__ import annotations

MS_NS = 1_000_000
WINDOW_NS = 2_000 * MS_NS
PACKETS_MIN = 10  # in a window, or it says nothing
LEVEL_GAIN, SLOPE_GAIN = 0.1, 0.006  # once it has seen enough; before, those of a mean of all that there is
DRIFT_MAX = 1_000e-6  # no crystal is worse
START_NS_MAX = 60 * MS_NS  # the first packet may have been late by so much: that is how it stays
STEP_NS = 250 * MS_NS  # a change that is no drift: audio is missing, or the way got longer
CORRECT_NS = 15 * MS_NS  # off by so much, one frame is left out or doubled
CORRECT_EVERY_NS = 500 * MS_NS
QUIET_PEAK = 300.0  # of 32768: such a frame nobody misses
LOUDER_NS = 5 * MS_NS  # for each that it is off more, a frame twice as loud will do


class Drift:
    """`lag_ns` of a packet is how late it comes, beside what came before it: `observe` each one, `close` each window.

    `error_ns` is how far media time is behind ours (below zero: ahead), and is to be corrected.
    """

    __slots__ = (
        "_closed_ns",
        "_corrected_at_ns",
        "_corrected_ns",
        "_level",
        "_packets",
        "_slope",
        "_strikes",
        "_target",
        "_windows",
        "error_ns",
        "floor_ns",
        "lowest_ns",
    )

    def __init__(self) -> None:
        self.lowest_ns = 1 << 62  # lag of this window
        self.floor_ns = 0  # lag of a packet that nothing delayed, as of now
        self.error_ns = 0.0
        self._packets = 0
        self._windows = 0
        self._level = 0.0
        self._slope = 0.0
        self._target = 0.0
        self._corrected_ns = 0
        self._closed_ns = 0
        self._strikes = 0
        self._corrected_at_ns = 0

    @property
    def base_ns(self) -> int:
        """Lag of a packet that nothing delayed, with what this window knows."""
        return min(self.floor_ns, self.lowest_ns)

    @property
    def ppm(self) -> float:
        """How much slower than ours the client's clock runs."""
        return self._slope * 1e6

    def observe(self, lag_ns: int) -> None:
        if lag_ns < self.lowest_ns:
            self.lowest_ns = lag_ns

    def close(self, now_ns: int, packets: int) -> int:
        """Ends a window; `packets` were played so far. Returns by how much media time has to jump, usually 0."""
        lowest, packets, self._packets = self.lowest_ns, packets - self._packets, packets
        self.lowest_ns = 1 << 62
        took_ns = now_ns - self._closed_ns
        self._closed_ns = now_ns
        if packets < PACKETS_MIN or lowest == 1 << 62 or took_ns < WINDOW_NS // 2:
            return 0
        raw = float(lowest + self._corrected_ns)
        if not self._windows:
            self._begin(raw)
            return 0
        expected = self._level + self._slope * took_ns
        off = raw - expected
        if abs(off) > STEP_NS:
            self._strikes += 1
            if self._strikes < 2:
                return 0
            if off > 0:
                self._strikes = 0
                return int(off)
            self._begin(raw)
            return 0
        self._strikes = 0
        self._windows = n = self._windows + 1
        self._level = expected + max(LEVEL_GAIN, 2 * (2 * n - 1) / (n * (n + 1))) * off
        self._slope += max(SLOPE_GAIN, 6 / (n * (n + 1))) * off / took_ns
        self._slope = max(-DRIFT_MAX, min(DRIFT_MAX, self._slope))
        self._now()
        return 0

    def jumped(self, now_ns: int) -> None:
        """Media time jumped to ours: what this window saw is of before."""
        self.lowest_ns = 1 << 62
        self._closed_ns = now_ns

    def may_correct(self, now_ns: int) -> bool:
        return abs(self.error_ns) > CORRECT_NS and now_ns - self._corrected_at_ns > CORRECT_EVERY_NS

    def peak_max(self) -> float:
        """How loud a frame may be that is left out or doubled now: the longer it waits, the louder."""
        return float(QUIET_PEAK * 2.0 ** min(16.0, (abs(self.error_ns) - CORRECT_NS) / LOUDER_NS))

    def corrected(self, by_ns: int, now_ns: int) -> None:
        """Media time was moved on by so much (below zero: back)."""
        self._corrected_ns += by_ns
        self._corrected_at_ns = now_ns
        self._now()

    def _begin(self, raw: float) -> None:
        self._windows, self._level, self._slope, self._strikes = 1, raw, 0.0, 0
        self._target = max(-START_NS_MAX, min(START_NS_MAX, raw - self._corrected_ns))
        self._now()

    def _now(self) -> None:
        self.floor_ns = int(self._level) - self._corrected_ns
        self.error_ns = self.floor_ns - self._target
