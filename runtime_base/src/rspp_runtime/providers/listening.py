"""What every detector of speech does around its model: blocks, echo, start and end, pre-roll, idle time.

Input port `audio`: PCM s16le mono 16 kHz, 20 ms items. Output ports: `speech_start` and `speech_end` (empty; `media_ns`
is when speech began and ended) and, between them, `speech`: first the pre-roll, then the audio as it comes, item by
item with the items' own `media_ns`, without the echo of what was being played. `idle` (empty) comes each time that
nobody, neither the caller nor we, has made a sound for `idle_after_ns`.

A detector scores 32 ms at a time, from 0 to 1. Speech starts when the score was above the threshold for
`min_speech_ns`, and ends when it was below the lower threshold (0.15 less) for `min_silence_ns`; between the two
thresholds nothing changes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rspp_runtime.providers.contract import Input, Invocation
from rspp_runtime.providers.echo import BLOCK, DELAY_MAX, EchoRemover
from rspp_runtime.providers.options import Options

MS = 1_000_000
SAMPLE_RATE_HZ = 16_000
BLOCK_NS = 32 * MS
REFERENCE_NS = BLOCK_NS + DELAY_MAX * 1_000_000_000 // SAMPLE_RATE_HZ
HYSTERESIS = 0.15
GAP_NS = 2 * MS  # items further apart than this are not one stream

Score = Callable[[Any], float]
"""How likely a block of `BLOCK` samples (int16) is speech: 0 to 1. Called once for each, in their order."""


class Settings(NamedTuple):
    threshold: float = 0.5
    min_speech_ns: int = 96 * MS
    min_silence_ns: int = 300 * MS
    pre_roll_ns: int = 300 * MS
    idle_after_ns: int = 0  # 0: never

    @classmethod
    def read(cls, options: Options) -> Settings:
        """The settings of the node kind. Raises `ProviderError`."""
        default = cls()
        return cls(
            options.number("threshold", default.threshold, 0.05, 0.95),
            options.duration_ns("min_speech_ns", default.min_speech_ns, 0, 2000 * MS),
            options.duration_ns("min_silence_ns", default.min_silence_ns, 32 * MS, 5000 * MS),
            options.duration_ns("pre_roll_ns", default.pre_roll_ns, 0, 1000 * MS),
            options.duration_ns("idle_after_ns", default.idle_after_ns, 1000 * MS, 3600 * 1000 * MS),
        )


async def listen(call: Invocation, settings: Settings, score: Score) -> None:
    """Listens until the input ends; an utterance that is still open then is ended there."""
    listener = Listener(call, settings, score)
    async for item in call.inputs():
        if item.port == "audio":
            await listener.hear(item)
            await asyncio.sleep(0)  # items may already be queued: let others run in between
    await listener.finish()


class Listener:
    """One invocation: cuts items into blocks, cleans and scores them, and tells the start and the end of speech."""

    def __init__(self, call: Invocation, settings: Settings, score: Score) -> None:
        self._call = call
        self._settings = settings
        self._score = score
        self._echo = EchoRemover()
        self._raw = bytearray()  # received, less than a block
        self._raw_ns = 0  # media time of its first sample
        self._waiting: deque[Input] = deque()  # items not completely cleaned
        self._clean = bytearray()  # cleaned audio of `_waiting`
        self._pre_roll: deque[Input] = deque()
        self._speaking = False
        self._above_ns = 0  # how long the score was above the threshold
        self._below_ns = 0  # how long it was below the lower one
        self._quiet_ns = 0  # how long nobody has made a sound
        self._start_ns = 0
        self._end_ns = 0

    async def hear(self, item: Input) -> None:
        """Takes one item. A gap in the media time ends the block before it with silence."""
        expected_ns = self._raw_ns + _duration_ns(len(self._raw))
        if self._raw and abs(item.media_ns - expected_ns) > GAP_NS:
            await self._flush()
        if not self._raw:
            self._raw_ns = item.media_ns
        self._raw += item.payload
        self._waiting.append(item)
        while len(self._raw) >= 2 * BLOCK:
            await self._block()

    async def finish(self) -> None:
        await self._flush()
        if self._speaking:
            self._speaking = False
            await self._call.emit("speech_end", media_ns=self._end_ns)

    async def _flush(self) -> None:
        if self._raw:
            self._raw += bytes(2 * BLOCK - len(self._raw))
            await self._block()
        self._raw.clear()
        self._clean.clear()
        self._waiting.clear()

    async def _block(self) -> None:
        mic = np.frombuffer(bytes(self._raw[: 2 * BLOCK]), "<i2")
        begin_ns, end_ns = self._raw_ns, self._raw_ns + BLOCK_NS
        del self._raw[: 2 * BLOCK]
        self._raw_ns = end_ns
        played = np.frombuffer(self._call.reference(end_ns - REFERENCE_NS, REFERENCE_NS), "<i2")
        block = self._echo.process(mic, played)
        # A detector may be level-tolerant: what is left of an echo would sound like speech to it.
        heard = block.pcm if block.caller else np.zeros(BLOCK, np.int16)
        score = self._score(heard)
        self._clean += block.pcm.astype("<i2").tobytes()
        items = self._cleaned()
        if self._speaking:
            for item in items:
                await self._call.emit("speech", item.payload, media_ns=item.media_ns)
            await self._listen_for_end(score, end_ns)
        else:
            self._keep(items)
            await self._listen_for_start(score, begin_ns, end_ns)
        await self._count_idle(end_ns, quiet=not self._speaking and not played[-BLOCK:].any())

    async def _count_idle(self, end_ns: int, *, quiet: bool) -> None:
        self._quiet_ns = self._quiet_ns + BLOCK_NS if quiet else 0
        if 0 < self._settings.idle_after_ns <= self._quiet_ns:
            self._quiet_ns = 0
            await self._call.emit("idle", media_ns=end_ns)

    async def _listen_for_start(self, score: float, begin_ns: int, end_ns: int) -> None:
        if score < self._settings.threshold:
            if score < self._settings.threshold - HYSTERESIS:
                self._above_ns = 0
            return
        if not self._above_ns:
            self._start_ns = begin_ns
        self._above_ns += BLOCK_NS
        if self._above_ns < self._settings.min_speech_ns:
            return
        self._speaking, self._above_ns, self._below_ns, self._end_ns = True, 0, 0, end_ns
        await self._call.emit("speech_start", media_ns=self._start_ns)
        while self._pre_roll:
            item = self._pre_roll.popleft()
            await self._call.emit("speech", item.payload, media_ns=item.media_ns)

    async def _listen_for_end(self, score: float, end_ns: int) -> None:
        if score >= self._settings.threshold - HYSTERESIS:
            self._below_ns = 0
            self._end_ns = end_ns
            return
        self._below_ns += BLOCK_NS
        if self._below_ns >= self._settings.min_silence_ns:
            self._speaking = False
            await self._call.emit("speech_end", media_ns=self._end_ns)

    def _cleaned(self) -> list[Input]:
        """The items whose audio is complete, with the echo taken out."""
        done = []
        while self._waiting and len(self._clean) >= len(self._waiting[0].payload):
            item = self._waiting.popleft()
            size = len(item.payload)
            done.append(Input(item.port, bytes(self._clean[:size]), item.media_ns))
            del self._clean[:size]
        return done

    def _keep(self, items: list[Input]) -> None:
        self._pre_roll.extend(items)
        kept_ns = sum(_duration_ns(len(item.payload)) for item in self._pre_roll)
        while self._pre_roll and kept_ns > self._settings.pre_roll_ns:
            kept_ns -= _duration_ns(len(self._pre_roll.popleft().payload))


def _duration_ns(size: int) -> int:
    return size // 2 * 1_000_000_000 // SAMPLE_RATE_HZ
