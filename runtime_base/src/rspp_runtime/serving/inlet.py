"""What a party says: the way into a session, over whatever connection there is at the moment.

Nothing waits and nothing queues: what comes is handed in, or refused with a `DialectError`. What is numbered is taken
once, however often it is said: here by its number, by a process that goes on with the session by its key in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rspp.wire import Close
from rspp_runtime.abi.codes import Control, Result
from rspp_runtime.abi.plan import Plan
from rspp_runtime.audio.format import AudioError, RateLie
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.stats import UplinkStats
from rspp_runtime.audio.uplink import Uplink
from rspp_runtime.serving.dialect import Audio, Delivery, DialectError, Hello, Key, Sounds, Told, Typed
from rspp_runtime.serving.lane import InLane
from rspp_runtime.serving.playout import Playout
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import MS_NS
from rspp_runtime.session.gateway import InputError
from rspp_runtime.transports.contract import Ears

AUDIO_COUNTS = ("taken", "late", "duplicate", "surplus", "malformed", "lost")  # of `UplinkStats`


class Inlet(InLane):
    """See the module; what is usual goes by the lane. `playout` knows what was sent of the session's voice; `now_ns` is
    any clock, always the same."""

    __slots__ = ("_counted", "_playout", "_ports", "_tally", "_uplink", "hears")

    def __init__(self, plan: Plan, tally: Tally, playout: Playout) -> None:
        ingress = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        self._ports = {port.name for port in ingress}
        self.hears = "audio" in self._ports
        self.received = 0  # the highest number of the party that was taken
        self._tally = self.frames = tally
        self._playout = playout
        self._uplink: Uplink | None = None
        self.base_ns = -1
        self._counted = UplinkStats()  # what the tally has of this connection's audio

    def detach(self) -> None:
        """The party is gone, and its decoder with it: nobody waits for the garbage collector."""
        self.count()
        self._uplink = self.usual = None

    def attach(self, hello: Hello) -> None:
        """A new connection, with audio in the format of its hello."""
        self._hear_sounds(Sounds(hello.audio_in))

    def poll(self, ears: Ears, now_ns: int) -> None:
        """Audio that is due by time alone."""
        if self._uplink is not None and self._uplink.due_ns() >= 0:
            self._hand_in(self._uplink.poll(now_ns), ears)

    def audio(self, word: Audio, ears: Ears, now_ns: int) -> None:
        """Raises `DialectError`."""
        uplink = self._uplink
        if uplink is None:
            raise DialectError("no_audio", "this pipeline takes no audio: send `text`", "type")
        self.packets += 1  # nothing is lost on the way: a gap is a jump of `sample_index`
        try:
            frames = uplink.push(word.payload, self.packets, word.sample_index, now_ns)
        except RateLie as lie:
            raise DialectError("rate", str(lie), "payload", Close.AUDIO) from None
        except AudioError as error:
            raise DialectError("schema_validation_error", str(error), "payload") from None
        if word.sequence > self.received:
            self.received = word.sequence
        self._hand_in(frames, ears)

    def count(self) -> None:
        """Adds what has become of the client's audio since the last time to the tally."""
        if self._uplink is None:
            return
        tally, was, stats = self._tally, self._counted, self._uplink.stats
        for name in AUDIO_COUNTS:
            if new := getattr(stats, name) - getattr(was, name):
                tally.audio_packets[name] += new
        tally.audio_concealed_ms += stats.concealed_ms - was.concealed_ms
        tally.audio_transcode_ns += stats.transcode_ns_sum - was.transcode_ns_sum
        self._counted = replace(stats)

    def take(self, word: object, ears: Ears) -> None:
        """Any other word for the session. Raises `DialectError`."""
        _TAKE[type(word)](self, word, ears)

    # ---- inside

    def _hand_in(self, frames: Sequence[tuple[int, bytes]], ears: Ears) -> None:
        for media_ns, frame in frames:
            if self.base_ns < 0:
                self.base_ns = ears.clock.now_ns() - media_ns
            if ears.hand_in("audio", frame, self.base_ns + media_ns) != Result.ACCEPTED:
                self._tally.frames_refused += 1
        self._tally.frames_in += len(frames)

    def _is_new(self, sequence: int) -> bool:
        """Whether a numbered word was not taken before; 0 is no number."""
        if sequence and sequence <= self.received:
            self._tally.duplicates += 1
            return False
        return True

    def _took(self, sequence: int, result: int) -> None:
        """A word that found no room is said to be so, and may be said again."""
        if result == Result.FULL:
            raise DialectError("queue_pressure", "no room for it now: send it again, with a new number")
        self.received = max(self.received, sequence)

    def _item(self, port: str, payload: bytes, sequence: int, ears: Ears) -> None:
        if port not in self._ports:
            raise DialectError(f"no_{port}", f"this pipeline takes no {port}: it has no ingress.{port}", "type")
        if not self._is_new(sequence):
            return
        key = f"{port}/{sequence}" if sequence else ""
        try:
            result = ears.hand_in(port, payload, ears.clock.now_ns(), key=key)
        except InputError as error:
            raise DialectError("schema_validation_error", str(error), port) from None
        self._took(sequence, result)

    def _typed(self, word: Typed, ears: Ears) -> None:
        self._item("text", word.text.encode("utf-8", "replace"), word.sequence, ears)

    def _key(self, word: Key, ears: Ears) -> None:
        self._item("dtmf", word.key.encode(), word.sequence, ears)

    def _told(self, word: Told, ears: Ears) -> None:
        if self._is_new(word.sequence):
            self._took(word.sequence, ears.tell(word.code, word.a, word.b))

    def _delivery(self, word: Delivery, ears: Ears) -> None:
        if self._is_new(word.sequence):
            self._tally.deliveries += 1
            playout = self._playout
            media_ns = 0
            if word.turn == playout.turn:
                media_ns = playout.media_ns(word.played_ms * MS_NS)
                playout.reported(word.played_ms * MS_NS)
            self._took(word.sequence, ears.tell(Control.PLAYED, word.turn, media_ns))

    def _hear_sounds(self, word: Sounds, _: Ears | None = None) -> None:
        self.count()
        self._counted = UplinkStats()
        self._uplink = Uplink(word.format, STREAM) if self.hears else None
        self.usual = None if self._uplink is None else self._uplink.usual
        self.base_ns, self.packets = -1, 0


_TAKE: dict[type, Callable[..., None]] = {
    Typed: Inlet._typed, Told: Inlet._told, Key: Inlet._key, Delivery: Inlet._delivery, Sounds: Inlet._hear_sounds,
}  # fmt: skip
