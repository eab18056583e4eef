"""Providers that answer at once and compute nothing, so that what is measured is everything around them.

A sample that is not zero is speech. The recogniser hears one word every 200 ms; the model says `WORDS` words; the
voice takes `WORD_FRAMES` frames for each, as fast as they are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rspp_runtime.providers.contract import Invocation, Provider
from rspp_runtime.session.package import Bound, Package, make_providers

FRAME = b"\1\0" * 320  # 20 ms of speech: PCM s16le mono at 16 kHz
SILENCE = bytes(640)
WORDS = 10
WORD_FRAMES = 10
PARTIAL_FRAMES = 10


class _StandIn:
    modality = ""

    async def prepare(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to release."""


class Detector(_StandIn):
    """Voice activity: whatever is not silence."""

    modality = "vad"

    async def invoke(self, call: Invocation) -> None:
        speaks = False
        async for item in call.inputs():
            loud = item.payload[0] != 0
            if loud and not speaks:
                await call.emit("speech_start", media_ns=item.media_ns)
            if loud:
                await call.emit("speech", item.payload, media_ns=item.media_ns)
            elif speaks:
                await call.emit("speech_end", media_ns=item.media_ns)
            speaks = loud


class Recogniser(_StandIn):
    """A word every 200 ms of speech, as a partial; all of them at the end of the input."""

    modality = "stt"

    async def invoke(self, call: Invocation) -> None:
        frames = 0
        text = ""
        async for item in call.inputs():
            if item.payload[0] == 0:
                continue
            frames += 1
            if frames % PARTIAL_FRAMES == 0:
                text = f"{text} word".strip()
                await call.emit("partial", text.encode())
        await call.emit("final", (text or "word").encode(), final=True)


class Model(_StandIn):
    """The same answer, word by word, to everything."""

    modality = "llm"
    answer = " ".join(["word"] * (WORDS - 1)) + " word."

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            for number in range(WORDS):
                await call.emit("delta", b" word." if number == WORDS - 1 else b" word")
        await call.emit("final", self.answer.encode(), final=True)


class Voice(_StandIn):
    """Audio for each word of its text."""

    modality = "tts"

    async def invoke(self, call: Invocation) -> None:
        words = end = 0
        async for item in call.inputs():
            for word in item.payload.split():
                for _ in range(WORD_FRAMES):
                    await call.emit("audio", FRAME, words=words, text_end=end)
                words += 1
                end += len(word) + 1


STAND_INS: dict[str, Callable[[], Provider]] = {"vad": Detector, "stt": Recogniser, "llm": Model, "tts": Voice}


async def stood_in(package: Package) -> Bound:
    """Providers for every effect node: stand-ins, and the user's own Python nodes and tools as they are.

    Raises `PackageError` for a node of the user's that cannot be made.
    """
    kinds = {node.name: node.kind for node in package.plan.nodes}
    own = {node: row for node, row in package.providers.items() if kinds[node] not in STAND_INS}
    bound: dict[str, list[tuple[str, Provider]]] = {
        node: list(row) for node, row in (await make_providers(replace(package, providers=own))).items()
    }
    for node, row in package.providers.items():
        if node not in own:
            one = STAND_INS[kinds[node]]()
            bound[node] = [(name, one) for name, _ in row]
    return bound
