"""A conversation with an audio file as the user's microphone.

The file's frames arrive as a microphone's would, each 20 ms frame at its end, then silence until the conversation is
over. With `echo_db`, the microphone also hears what is being played, at that level.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_runtime.abi.codes import Control
from rspp_runtime.session.clock import MS_NS, SECOND_NS, sleep_until
from rspp_runtime.session.gateway import FRAME_BYTES_MAX
from rspp_runtime.transports.audio_file import FRAME_NS, AudioFile
from rspp_runtime.transports.contract import Ears
from rspp_runtime.transports.recording import Loudspeaker, Recording

QUIET_NS = 1_200 * MS_NS  # nothing going on for so long: the conversation is over
AFTER_NS_MAX = 60 * SECOND_NS  # the hard deadline, counted from the file's end


class WavTransport(Loudspeaker):
    """See the module. `recording` takes what is played; None plays into the void."""

    def __init__(
        self,
        source: AudioFile,
        recording: Recording | None = None,
        *,
        echo_db: float | None = None,
        echo_delay_ns: int = 0,
        after_ns_max: int = AFTER_NS_MAX,
    ) -> None:
        super().__init__(recording)
        self.timed_out = False
        self._source = source
        self._gain = None if echo_db is None else 10 ** (echo_db / 20)
        self._echo_delay_ns = echo_delay_ns
        self._after_ns_max = after_ns_max

    async def run(self, ears: Ears) -> None:
        await ears.control(Control.CONNECTED)
        media_ns = ears.clock.now_ns()
        end_ns = 0
        for frame in self._microphone():
            if frame is None:
                end_ns = end_ns or media_ns
                quiet = ears.activity.quiet_ns(ears.clock.now_ns()) >= QUIET_NS and media_ns - end_ns >= QUIET_NS
                self.timed_out = media_ns - end_ns >= self._after_ns_max
                if quiet or self.timed_out or ears.activity.ended:
                    break
            await sleep_until(ears.clock, media_ns + FRAME_NS)
            self.heard_until(ears.clock.now_ns())
            await ears.media("audio", self._heard(ears, frame or bytes(FRAME_BYTES_MAX), media_ns), media_ns)
            media_ns += FRAME_NS
        await ears.control(Control.ENDED)

    def _microphone(self) -> Iterator[bytes | None]:
        """The file's frames, then None for ever: silence."""
        yield from self._source.frames()
        while True:
            yield None

    def _heard(self, ears: Ears, frame: bytes, media_ns: int) -> bytes:
        if self._gain is None:
            return frame
        import numpy

        played = numpy.frombuffer(ears.reference(media_ns - self._echo_delay_ns, FRAME_NS), "<i2")
        mixed = numpy.frombuffer(frame, "<i2") + played * self._gain
        return numpy.clip(mixed.round(), -32768, 32767).astype("<i2").tobytes()
