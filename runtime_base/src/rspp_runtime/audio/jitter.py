"""The profile of datagrams: a buffer that waits for what is late, as long as jitter was lately.

A packet is played when it is its turn and its time: the time that it would have come without any delay, plus as much
as packets were delayed lately, at most `delay_ms_max`. Where one is missing when its time has come, what may have been
said is made up; when it comes after all, it is dropped. When nothing comes any more, the same goes on for a while, so
that whoever listens does not wait for the end of a word; then the buffer waits in silence.
"""

from __future__ import annotations

from rspp_runtime.audio.format import AudioError, Format
from rspp_runtime.audio.framer import FRAME_NS, Frames
from rspp_runtime.audio.profile import JitterProfile
from rspp_runtime.audio.stats import UplinkStats
from rspp_runtime.audio.track import MS_NS, PAUSE_NS, Track

WAITING_MAX = 64  # packets
FORGETS_NS = 8_000 * MS_NS  # a delay that was seen once is believed so long, less and less
EARLY_NS = 300 * MS_NS  # packets from a time to come, and nothing else for so long: the client's time is another one
GRACE_NS = 10 * MS_NS  # what is missing is waited for so much longer: to make it up costs more than to wait
NEAR_NS = 10 * MS_NS  # a place is filled if less than so much of it is free


class Jitter:
    """See the module, and `Uplink`."""

    __slots__ = (
        "_ahead_ns",
        "_blind_ns",
        "_blind_ns_max",
        "_came_ns",
        "_delay_at_ns",
        "_delay_ns",
        "_delay_ns_max",
        "_due",
        "_duration_ns",
        "_early_ns",
        "_newest",
        "_next",
        "_origin",
        "_rate_hz",
        "_shift_ns",
        "_stats",
        "_track",
        "_waiting",
    )

    def __init__(self, format: Format, profile: JitterProfile, stats: UplinkStats) -> None:
        self._track = Track(format, profile, stats)
        self._stats = stats
        self._rate_hz = format.rate_hz
        self._delay_ns_max = profile.delay_ms_max * MS_NS
        self._ahead_ns = profile.ahead_ms_max * MS_NS
        self._blind_ns_max = profile.conceal_ms_max * MS_NS
        self._waiting: dict[int, tuple[bytes, int, int, int]] = {}  # number: packet, duration, own start, arrival
        self._next = -1  # the number that is to be played next; -1: nothing came
        self._newest = 0
        self._came_ns = 0
        self._duration_ns = FRAME_NS  # of the last packet
        self._shift_ns = 0  # from a packet's own time to media time, corrections aside
        self._origin = 0  # sample_index or number of own time 0
        self._delay_ns = 0.0  # that is waited for now
        self._delay_at_ns = 0
        self._blind_ns = 0  # made up since the last packet, while nothing came
        self._early_ns = -1  # since when packets are early; -1: they are not
        self._due: int | None = None  # what `due_ns` says, until something changes

    # ---- what comes

    def push(self, packet: bytes, sequence: int, sample_index: int | None, now_ns: int) -> Frames:
        track, stats = self._track, self._stats
        duration_ns = track.duration_ns(packet, sequence, sample_index)
        self._due = None
        if self._next < 0:
            track.begin(duration_ns, now_ns)
            self._begin(sequence, sample_index, duration_ns, now_ns)
        elif track.counts_anew(sequence - self._next, now_ns):
            stats.restarts += 1
            frames = self._empty(now_ns)
            self._begin(sequence, sample_index, duration_ns, now_ns)
            return frames + self._take(packet, sequence, sample_index, duration_ns, now_ns)
        return self._take(packet, sequence, sample_index, duration_ns, now_ns)

    def _begin(self, sequence: int, sample_index: int | None, duration_ns: int, now_ns: int) -> None:
        """Its numbers begin here, on our clock: this packet comes without delay."""
        track = self._track
        self._next = self._newest = sequence
        self._origin = sequence if sample_index is None else sample_index
        self._duration_ns = max(duration_ns, NEAR_NS)
        self._shift_ns = max(track.place_ns, now_ns - track.zero_ns - duration_ns) - track.corrected_ns
        self._early_ns, self._blind_ns = -1, 0
        track.watch.reset()

    def _take(self, packet: bytes, sequence: int, sample_index: int | None, duration_ns: int, now_ns: int) -> Frames:
        track, stats = self._track, self._stats
        newest, self._newest = self._newest, max(self._newest, sequence)
        track.sent_ns += (self._newest - newest) * duration_ns  # in time or not, lost or not: the client has sent it
        if now_ns - self._came_ns >= PAUSE_NS:
            track.watch.reset()
        self._came_ns = now_ns
        own_ns = self._own_ns(sequence, sample_index, duration_ns)
        lag_ns = track.lag_ns(own_ns + track.corrected_ns + duration_ns, now_ns)
        if sequence in self._waiting:
            stats.duplicate += 1
        elif sequence < self._next or self._is_filled(own_ns, lag_ns, sequence, sample_index):
            stats.late += 1
            self._wait_for(lag_ns, now_ns)
            if sequence == self._next:
                stats.lost += 1
                self._next += 1
        elif self._is_early(lag_ns, now_ns) or len(self._waiting) >= WAITING_MAX:
            stats.surplus += 1
            track.watch.surplus(duration_ns, track.sent_ns, now_ns - track.zero_ns)
        else:
            own_ns = self._own_ns(sequence, sample_index, duration_ns)  # what was asked before may have moved it
            lag_ns = track.lag_ns(own_ns + track.corrected_ns + duration_ns, now_ns)
            stats.taken += 1
            stats.reordered += sequence < newest
            self._duration_ns = max(duration_ns, NEAR_NS)
            self._waiting[sequence] = (packet, duration_ns, own_ns, now_ns)
            track.drift.observe(lag_ns)
            self._wait_for(lag_ns, now_ns)
        frames = self.poll(now_ns)
        if now_ns >= track.point_ns:
            frames += track.look(now_ns, track.sent_ns)
            self._due = None
        return frames

    def _own_ns(self, sequence: int, sample_index: int | None, duration_ns: int) -> int:
        """Media time of a packet's first sample, if nothing was ever corrected."""
        if sample_index is not None:
            own_ns = (sample_index - self._origin) * 1_000_000_000 // self._rate_hz
        else:
            own_ns = (sequence - self._origin) * duration_ns
        return own_ns + self._shift_ns

    def _is_filled(self, own_ns: int, lag_ns: int, sequence: int, sample_index: int | None) -> bool:
        """Its place is taken by what was made up. Not so after a pause of a client that does not number its samples:
        then nothing is missing, and its time is moved on."""
        before_ns = self._track.place_ns - (own_ns + self._track.corrected_ns)
        if before_ns <= NEAR_NS:
            return False
        if sample_index is None and sequence == self._next and self._blind_ns >= self._blind_ns_max:
            self._shift_ns += max(lag_ns, before_ns)
            return False
        return True

    def _is_early(self, lag_ns: int, now_ns: int) -> bool:
        """From a time that is still to come. Who goes on like that has another time now."""
        track = self._track
        if -lag_ns <= self._ahead_ns - self._delay_ns_max:
            self._early_ns = -1
            return False
        if self._early_ns < 0:
            self._early_ns = now_ns
        if now_ns - self._early_ns < EARLY_NS or self._waiting or track.place_ns > now_ns - track.zero_ns:
            return True
        self._early_ns = -1
        self._shift_ns += lag_ns
        return False

    def _wait_for(self, lag_ns: int, now_ns: int) -> None:
        """How long packets were delayed lately: at once as long as this one was; shorter again in time."""
        since_ns, self._delay_at_ns = now_ns - self._delay_at_ns, now_ns
        kept = self._delay_ns * max(0.0, 1.0 - since_ns / FORGETS_NS)
        self._delay_ns = min(float(self._delay_ns_max), max(kept, float(lag_ns - self._track.drift.base_ns)))

    # ---- what goes

    def due_ns(self) -> int:
        if self._due is None:
            self._due = self._next_due()
        return self._due

    def poll(self, now_ns: int) -> Frames:
        frames: Frames = []
        while 0 <= self.due_ns() <= now_ns:
            self._due = None
            frames += self._step(now_ns)
        self._measure(now_ns)
        return frames

    def settle(self) -> None:
        """Everything is counted when it comes."""

    def _next_due(self) -> int:
        if self._next < 0:
            return -1
        track = self._track
        delay_ns = track.zero_ns + track.drift.base_ns + int(self._delay_ns)
        if not self._waiting:
            is_over = self._blind_ns >= self._blind_ns_max
            return -1 if is_over else max(0, track.place_ns + self._duration_ns + delay_ns + GRACE_NS)
        first = min(self._waiting)
        _, duration_ns, own_ns, came_ns = self._waiting[first]
        hole_ns = own_ns + track.corrected_ns - track.place_ns
        if first == self._next or hole_ns < NEAR_NS:
            return max(0, min(own_ns + track.corrected_ns + duration_ns + delay_ns, came_ns + self._delay_ns_max))
        # One is missing: those behind it wait as well, though no longer than they may.
        return max(0, min(track.place_ns + self._duration_ns + delay_ns + GRACE_NS, came_ns + self._delay_ns_max))

    def _step(self, now_ns: int) -> Frames:
        """One packet played, or made up, or given up."""
        track, stats = self._track, self._stats
        if not self._waiting:
            self._blind_ns += self._duration_ns
            return track.conceal(self._duration_ns)
        first = min(self._waiting)
        packet, duration_ns, own_ns, came_ns = self._waiting[first]
        hole_ns = own_ns + track.corrected_ns - track.place_ns
        missing = first - self._next
        if missing and hole_ns >= NEAR_NS:
            return self._give_up(missing, hole_ns)
        del self._waiting[first]
        stats.lost += missing
        self._next = first + 1
        frames: Frames = []
        if hole_ns >= NEAR_NS:  # nothing is missing: the client has paused
            stats.pauses += 1
            frames = track.jump(hole_ns)
        self._blind_ns = 0
        stats.latency_ms = (now_ns - came_ns) / MS_NS
        stats.latency_ms_max = max(stats.latency_ms_max, stats.latency_ms)
        try:
            return frames + track.play(packet, duration_ns, now_ns)
        except AudioError:
            stats.taken -= 1
            stats.malformed += 1
            return frames + track.conceal(duration_ns)

    def _give_up(self, missing: int, hole_ns: int) -> Frames:
        """The first of those that are missing; all of them, when more is missing than can be made up."""
        track = self._track
        left_ns = self._blind_ns_max - self._blind_ns
        if missing == 1 or hole_ns <= self._duration_ns or left_ns < self._duration_ns:
            part_ns, gone = hole_ns, missing
        else:
            part_ns, gone = self._duration_ns, 1
        self._stats.lost += gone
        self._next += gone
        concealed_ns = min(part_ns, max(0, left_ns))
        self._blind_ns += concealed_ns
        return [*track.conceal(concealed_ns), *track.jump(part_ns - concealed_ns)]

    def _empty(self, now_ns: int) -> Frames:
        """Everything that waits is played: its numbers end here."""
        frames: Frames = []
        while self._waiting:
            frames += self._step(now_ns)
        return frames

    def _measure(self, now_ns: int) -> None:
        stats = self._stats
        stats.depth_ms = sum(duration for _, duration, _, _ in self._waiting.values()) // MS_NS
        stats.depth_ms_max = max(stats.depth_ms_max, stats.depth_ms)
