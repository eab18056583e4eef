"""A conversation with the microphone and the loudspeaker of this machine.

The microphone is a client like any other: its blocks go through the audio edge, which brings a card's rate to 16 kHz
and its clock to ours. No echo cancellation is expected of the hardware: the session hears what it plays, and its voice
activity takes that out with what it knows to be playing (`providers/echo.py`); times of the microphone are therefore
those at which the card took the sound, and an answer may come back within 120 ms of its time.

The conversation goes on until Ctrl-C, until the session ends, or until the device has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from rspp_runtime.abi.codes import Control
from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import AudioError
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.uplink import Uplink
from rspp_runtime.session.clock import MS_NS
from rspp_runtime.transports.audio_file import FRAME_NS
from rspp_runtime.transports.contract import Ears
from rspp_runtime.transports.recording import Loudspeaker, Recording
from rspp_runtime.transports.sound_device import Device, Microphone, Speaker

SILENT_NS_MAX = 3_000 * MS_NS  # a microphone that gives nothing for so long does not work
TAIL_NS = 3 * FRAME_NS  # nothing more to play for so long: the last block is filled up
ECHO_NS_MAX = 120 * MS_NS  # later than that, our own voice is taken for the caller's


class MicrophoneTransport(Loudspeaker):
    """See the module. `sound` is the module `sounddevice`; `recording` takes what is played besides."""

    def __init__(self, sound: Any, microphone: Device, speaker: Device, recording: Recording | None = None) -> None:
        super().__init__(recording)
        self.complaints: list[str] = []  # what did not go as anybody wished
        self._sound = sound
        self._devices = microphone, speaker
        self._speaker: Speaker | None = None
        self._downlink = Downlink(speaker.format)
        self._sent_ns = -1  # when the last audio was sent; -1: it was filled up
        self._hung_up = False
        self._microphone: Microphone | None = None

    def hang_up(self) -> None:
        """Ends the conversation in order, as Ctrl-C does."""
        self._hung_up = True
        if self._microphone is not None:
            self._microphone.wake()

    async def run(self, ears: Ears) -> None:
        """Raises `DeviceError` if a device cannot be opened."""
        with contextlib.ExitStack() as opened:
            self._speaker = speaker = Speaker(self._sound, self._devices[1])
            opened.callback(speaker.close)
            self._microphone = microphone = Microphone(self._sound, self._devices[0])
            opened.callback(microphone.close)
            opened.enter_context(self._hanging_up_at_ctrl_c())
            await ears.control(Control.CONNECTED)
            if speaker.latency_ns > ECHO_NS_MAX:
                self.complaints.append(
                    f"the loudspeaker plays {speaker.latency_ns // MS_NS} ms late: over {ECHO_NS_MAX // MS_NS} ms its "
                    f"echo may be taken for you; a headset helps"
                )
            await self._listen(ears, microphone)
            if microphone.lost:
                self.complaints.append(
                    f"{microphone.lost} blocks of the microphone were lost: this machine was too busy"
                )
            await ears.control(Control.ENDED)
        self._speaker = self._microphone = None

    async def _listen(self, ears: Ears, microphone: Microphone) -> None:
        uplink = Uplink(self._devices[0].format, STREAM)
        base_ns = -1  # session time of the first sample
        heard_ns = ears.clock.now_ns()
        while not (self._hung_up or ears.activity.ended):
            blocks = await microphone.wait(SILENT_NS_MAX / 1e9)
            now_ns = ears.clock.now_ns()
            self.heard_until(now_ns)
            self._fill_up(now_ns)
            if blocks:
                heard_ns = now_ns
            elif microphone.ended or now_ns - heard_ns >= SILENT_NS_MAX:
                gone = "has gone" if microphone.ended else f"gave nothing for {SILENT_NS_MAX / 1e9:g} s"
                self.complaints.append(f"the microphone {self._devices[0].name!r} {gone}: hung up")
                break
            if base_ns < 0 and blocks:
                base_ns = max(0, now_ns - len(blocks) * FRAME_NS - microphone.latency_ns)
            for number, block in blocks:
                with contextlib.suppress(AudioError):  # counted; a card that lies about its rate is heard as it is
                    for media_ns, frame in uplink.push(block, number, None, now_ns):
                        await ears.media("audio", frame, base_ns + media_ns)
            for media_ns, frame in uplink.poll(now_ns):
                await ears.media("audio", frame, base_ns + media_ns)

    # ---- what is played

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        super().send(port, turn, payload, play_at_ns)
        if port == "audio" and self._speaker is not None:
            self._sent_ns = play_at_ns
            for block in self._downlink.encode(payload):
                self._speaker.put(block)

    def flush(self, turn: int, now_ns: int) -> None:
        super().flush(turn, now_ns)
        self._downlink.flush()
        self._sent_ns = -1
        if self._speaker is not None:
            self._speaker.flush()

    def _fill_up(self, now_ns: int) -> None:
        """The end of an answer is seldom the end of a block."""
        if self._speaker is not None and 0 <= self._sent_ns < now_ns - TAIL_NS:
            self._sent_ns = -1
            for block in self._downlink.rest():
                self._speaker.put(block)

    @contextlib.contextmanager
    def _hanging_up_at_ctrl_c(self) -> Iterator[None]:
        """The first Ctrl-C says goodbye; the second interrupts, as it does everywhere."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.hang_up()

        try:
            before = signal.getsignal(signal.SIGINT)
            loop.add_signal_handler(signal.SIGINT, end)
        except (RuntimeError, ValueError):  # Windows has none; elsewhere: not the main thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)
