"""One client's audio on our clock: decoded, concealed, corrected, cut into frames. What both profiles share."""

from __future__ import annotations

from time import perf_counter_ns

from rspp_runtime.audio.codec import make_decoder, peak
from rspp_runtime.audio.drift import WINDOW_NS, Drift
from rspp_runtime.audio.format import NATIVE, AudioError, Format
from rspp_runtime.audio.framer import FRAME_NS, SAMPLE_NS, Framer, Frames
from rspp_runtime.audio.profile import JitterProfile
from rspp_runtime.audio.rate import POINT_NS, RateWatch
from rspp_runtime.audio.stats import UplinkStats
from rspp_runtime.session.gateway import FRAME_BYTES_MAX, SAMPLE_BYTES

MS_NS = 1_000_000
PAUSE_NS = 250 * MS_NS  # nothing for so long: a pause or a stall
STEP_MAX = 3_000  # numbers that may be missing at once: beyond, the client counts anew
BACK_MAX = 16  # packets in a row with numbers of the past, and nothing else for `BACK_NS`: the client counts anew
BACK_NS = 500 * MS_NS


class Track:
    """`place_ns` is the media time behind what was played so far, by the durations of packets; a resampler may hold the
    last of it back. `zero_ns` is when media time began."""

    __slots__ = (
        "_back",
        "_back_since_ns",
        "_window_ns",
        "corrected_ns",
        "decoder",
        "drift",
        "format",
        "framer",
        "is_native",
        "place_ns",
        "point_ns",
        "profile",
        "sent_ns",
        "stats",
        "watch",
        "zero_ns",
    )

    def __init__(self, format: Format, profile: JitterProfile, stats: UplinkStats) -> None:
        self.format = format
        self.profile = profile
        self.stats = stats
        self.decoder = make_decoder(format)
        self.framer = Framer()
        self.drift = Drift()
        self.watch = RateWatch(format.rate_hz)
        self.is_native = (format.encoding, format.rate_hz, format.channels) == (
            NATIVE.encoding,
            NATIVE.rate_hz,
            NATIVE.channels,
        )
        self.place_ns = 0
        self.corrected_ns = 0  # of it: what was doubled, less what was left out
        self.zero_ns = 0
        self.sent_ns = 0
        self.point_ns = 0  # when the rate is looked at next
        self._window_ns = 0
        self._back = 0
        self._back_since_ns = 0

    def begin(self, duration_ns: int, now_ns: int) -> None:
        """The first packet has come, with its last sample just recorded as far as anybody knows."""
        self.zero_ns = now_ns - duration_ns
        self.point_ns = now_ns + POINT_NS - now_ns % (POINT_NS // 2)  # rarely with all others that begin now
        self._window_ns = now_ns + WINDOW_NS
        self.drift.jumped(now_ns)

    def duration_ns(self, packet: bytes, sequence: int, sample_index: int | None) -> int:
        """Of a packet that can be one. Raises `AudioError`, and counts it."""
        try:
            if type(sequence) is not int or sequence < 0:
                raise AudioError("audio: a packet needs a number, from 0 up")
            if sample_index is not None and (type(sample_index) is not int or sample_index < 0):
                raise AudioError("audio: sample_index is a number, from 0 up")
            return self.decoder.duration_ns(packet)
        except AudioError:
            self.stats.malformed += 1
            raise

    def lag_ns(self, end_ns: int, now_ns: int) -> int:
        """How late a packet is whose last sample has that media time; below zero: early."""
        return now_ns - self.zero_ns - end_ns

    def counts_anew(self, step: int, now_ns: int) -> bool:
        """A packet's number is `step` after the one that was due: whether the client has begun to count anew."""
        if step >= 0:
            self._back = 0
            return step > STEP_MAX
        if not self._back:
            self._back_since_ns = now_ns
        self._back += 1
        if self._back < BACK_MAX or now_ns - self._back_since_ns < BACK_NS:
            return False
        self._back = 0
        return True

    # ---- what goes on to the session

    def play(self, packet: bytes, duration_ns: int, now_ns: int) -> Frames:
        """Raises `AudioError` if it cannot be decoded after all."""
        if self.is_native:
            pcm = self.decoder.decode(packet)
        else:
            began_ns = perf_counter_ns()
            pcm = self.decoder.decode(packet)
            took_ns = perf_counter_ns() - began_ns
            stats = self.stats
            stats.transcodes += 1
            stats.transcode_ns_sum += took_ns
            stats.transcode_ns_max = max(stats.transcode_ns_max, took_ns)
        self.place_ns += duration_ns
        if self.drift.may_correct(now_ns):
            pcm = self._corrected(pcm, now_ns)
        return self.framer.add(pcm)

    def conceal(self, duration_ns: int) -> Frames:
        """What may have been said in so much time."""
        size = duration_ns // SAMPLE_NS * SAMPLE_BYTES
        self.place_ns += duration_ns
        self.stats.concealed_ms += duration_ns // MS_NS
        return self.framer.add(self.decoder.conceal(duration_ns)[:size].ljust(size, b"\0"))

    def fill(self, hole_ns: int) -> Frames:
        """Where packets are missing: concealed as far as that makes sense, then a jump."""
        concealed_ns = min(hole_ns, self.profile.conceal_ms_max * MS_NS)
        if hole_ns - concealed_ns < FRAME_NS:
            concealed_ns = hole_ns
        return [*self.conceal(concealed_ns), *self.jump(hole_ns - concealed_ns)]

    def jump(self, forward_ns: int) -> Frames:
        if forward_ns < FRAME_NS:
            return self.conceal(forward_ns) if forward_ns > 0 else []
        self.place_ns += forward_ns
        return self.framer.jump(forward_ns)

    def _corrected(self, pcm: bytes, now_ns: int) -> bytes:
        """One frame less or more where it is quiet, when media time has run away from ours."""
        piece = pcm[:FRAME_BYTES_MAX]
        if not piece or peak(piece) > self.drift.peak_max():
            return pcm
        by_ns = len(piece) // SAMPLE_BYTES * SAMPLE_NS
        if self.drift.error_ns < 0:
            by_ns, pcm = -by_ns, pcm[len(piece) :]
        else:
            pcm = piece + pcm
        self.place_ns += by_ns
        self.corrected_ns += by_ns
        self.stats.corrected_ms += by_ns // MS_NS
        self.drift.corrected(by_ns, now_ns)
        return pcm

    # ---- what is looked at now and then

    def look(self, now_ns: int, sent_ns: int) -> Frames:
        """Each `POINT_NS`: whether the rate is true (`sent_ns` came until now), and how the clock runs. Raises
        `RateLie`."""
        self.point_ns = now_ns + POINT_NS
        frames: Frames = []
        if now_ns >= self._window_ns:
            self._window_ns = now_ns + WINDOW_NS
            if late_ns := self.drift.close(now_ns, self.stats.taken):
                self.stats.pauses += 1
                frames = self.jump(late_ns)
                self.drift.jumped(now_ns)
            self.stats.drift_ppm = round(self.drift.ppm, 1)
        self.watch.observe(now_ns, sent_ns)
        return frames
