"""The profile of ordered transports: what comes goes on at once; nothing waits, nothing overtakes.

A hole in the numbers is filled. When nothing came for a while, either the client had paused, then media time jumps, or
the network had stalled, then it does not. `sample_index` tells which; without it the first packet waits for the next
one: after a stall that comes at once, after a pause in its own time.
"""

from __future__ import annotations

from contextlib import suppress

from rspp_runtime.audio.codec import peak
from rspp_runtime.audio.drift import QUIET_PEAK
from rspp_runtime.audio.format import AudioError, Format, RateLie
from rspp_runtime.audio.framer import FRAME_NS, FRAME_SAMPLES, Frames
from rspp_runtime.audio.profile import JitterProfile
from rspp_runtime.audio.stats import UplinkStats
from rspp_runtime.audio.track import MS_NS, PAUSE_NS, Track
from rspp_runtime.audio.usual import Usual

EARLY_NS = 10 * MS_NS  # media time may be ahead by so much after a hole


class Ordered(Usual):
    """See the module, and `Uplink`. What is usual passes in `Usual`, which calls `look_at` for what is not."""

    __slots__ = ("_ahead_ns", "_held", "_lie", "_moved", "_rate_hz", "_stats", "_track")

    def __init__(self, format: Format, profile: JitterProfile, stats: UplinkStats) -> None:
        super().__init__(profile.ahead_ms_max * MS_NS)
        self._track = Track(format, profile, stats)
        self._stats = stats
        self._rate_hz = format.rate_hz
        self._ahead_ns = profile.ahead_ms_max * MS_NS
        self._held: tuple[bytes, int, int] | None = None  # packet, duration, arrival
        self._moved: Frames = []  # what was found while everything was usual, for `look_at`
        self._lie: RateLie | None = None

    def due_ns(self) -> int:
        return -1 if self._held is None else self._held[2] + self._held[1]

    def poll(self, now_ns: int) -> Frames:
        return self._settle(now_ns) if 0 <= self.due_ns() <= now_ns else []

    def settle(self) -> None:
        """What was usual is told to those who have not heard of it."""
        passed, lowest_ns, last = self.brought()
        if passed:
            track = self._track
            track.drift.observe(lowest_ns)
            for packet in last:  # those before them are forgotten anyway
                track.decoder.decode(packet)
            track.place_ns += passed * FRAME_NS
            track.sent_ns += passed * FRAME_NS
            track.framer.sample += passed * FRAME_SAMPLES
            self._stats.taken += passed

    def _goes_on(self, now_ns: int) -> bool:
        """Now and then rate and clock are looked at, with the packet that has just come."""
        track = self._track
        self.settle()
        try:
            self._moved = track.look(now_ns, track.sent_ns + FRAME_NS)
        except RateLie as lie:
            self._lie = lie
        return self._lie is None and not self._moved and self._is_usual(now_ns)

    def _is_usual(self, now_ns: int) -> bool:
        """Whether what follows passes as it is, if it is usual."""
        track = self._track
        if not track.is_native or track.framer.rest or track.drift.may_correct(now_ns):
            return False
        self.begin(track.zero_ns + track.place_ns, track.framer.sample, track.point_ns)
        return True

    # ---- what is not usual

    def look_at(self, packet: bytes, sequence: int, sample_index: int | None, now_ns: int) -> Frames:
        track, stats = self._track, self._stats
        self.settle()
        self.until_ns = 0
        frames, self._moved = self._moved, []
        if self._lie is not None:
            lie, self._lie = self._lie, None
            stats.taken += 1
            raise lie
        duration_ns = track.duration_ns(packet, sequence, sample_index)
        if self._held is not None:
            with suppress(AudioError):  # counted; it is not this packet's fault
                frames += self._settle(now_ns)
        if self.next < 0:
            track.begin(duration_ns, now_ns)
            self.next, self.last_ns = sequence, now_ns
            self.index = -1 if sample_index is None else sample_index
        step = sequence - self.next
        if track.counts_anew(step, now_ns):
            stats.restarts += 1
            step = 0
            self.index = -1 if sample_index is None else sample_index
            track.watch.reset()
        if step < 0:
            stats.late += 1
            return frames
        silent = now_ns - self.last_ns >= PAUSE_NS
        if silent:
            track.watch.reset()
        self.last_ns = now_ns
        frames += self._catch_up(step, sample_index, duration_ns, now_ns)
        self.next = sequence + 1
        self.index = -1 if sample_index is None else sample_index + self._samples(packet, duration_ns)
        track.sent_ns += duration_ns
        if self._is_surplus(packet, duration_ns, now_ns):
            stats.surplus += 1
            self._lookout(now_ns, frames)
            track.watch.surplus(duration_ns, track.sent_ns, now_ns - track.zero_ns)
            return frames
        if silent and step == 0 and sample_index is None:
            stats.taken += 1
            self._held = (packet, duration_ns, now_ns)
            return frames
        stats.taken += 1
        track.drift.observe(track.lag_ns(track.place_ns + duration_ns, now_ns))
        frames += self._play(packet, duration_ns, now_ns)
        self._lookout(now_ns, frames)
        self._is_usual(now_ns)
        return frames

    def _is_surplus(self, packet: bytes, duration_ns: int, now_ns: int) -> bool:
        """Too far ahead of time. Half as far, what is quiet may go: so a client whose beginning came late, all of it at
        once, is soon in time."""
        track = self._track
        ahead_ns = -track.lag_ns(track.place_ns + duration_ns, now_ns)
        if ahead_ns > self._ahead_ns:
            return True
        return ahead_ns > self._ahead_ns // 2 and track.is_native and peak(packet) <= QUIET_PEAK

    def _play(self, packet: bytes, duration_ns: int, now_ns: int) -> Frames:
        """A packet that was taken; if it cannot be decoded after all, it was not."""
        try:
            return self._track.play(packet, duration_ns, now_ns)
        except AudioError:
            self._stats.taken -= 1
            self._stats.malformed += 1
            raise

    def _catch_up(self, step: int, sample_index: int | None, duration_ns: int, now_ns: int) -> Frames:
        """The hole before a packet: what is missing is concealed, where the client paused time jumps."""
        track = self._track
        hole_ns = step * duration_ns
        if sample_index is not None and self.index >= 0:
            skipped = sample_index - self.index
            hole_ns = skipped * 1_000_000_000 // self._rate_hz if skipped >= 0 else hole_ns
        # Nobody has said anything at a time that is still to come. Where no time has passed, other messages had the
        # numbers that are missing.
        late_ns = track.lag_ns(track.place_ns + duration_ns, now_ns)
        hole_ns = min(hole_ns, late_ns + EARLY_NS)
        if hole_ns <= 0 or (step and late_ns < duration_ns // 2):
            return []
        if step:
            self._stats.lost += step
            track.sent_ns += hole_ns
            return track.fill(hole_ns)
        self._stats.pauses += 1
        return track.jump(hole_ns)

    def _settle(self, now_ns: int) -> Frames:
        """The packet that came after a silence is played: where it belongs shows by now."""
        assert self._held is not None
        packet, duration_ns, came_ns = self._held
        self._held = None
        frames: Frames = []
        track = self._track
        if now_ns - came_ns >= duration_ns // 2:  # the next one was not waiting behind it
            late_ns = track.lag_ns(track.place_ns + duration_ns, came_ns)
            if late_ns >= FRAME_NS:
                self._stats.pauses += 1
                frames = track.jump(late_ns)
                track.drift.jumped(now_ns)
        return frames + self._play(packet, duration_ns, now_ns)

    def _lookout(self, now_ns: int, frames: Frames) -> None:
        if now_ns >= self._track.point_ns:
            frames += self._track.look(now_ns, self._track.sent_ns)

    def _samples(self, packet: bytes, duration_ns: int) -> int:
        return round(duration_ns * self._rate_hz / 1_000_000_000)
