"""Runs a provider without a pipeline, and holds it to the contract. For tests of one's own providers.

    emissions = run(provider, [Input("text", b"Good morning.", 0)])

Time is real. The harness is the kernel as a provider sees it: it feeds items, takes what is emitted, can be slow to
take it (back-pressure), can cancel, and raises `ContractBroken` for an emission that the kernel would refuse.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rspp_runtime.providers.contract import Cancelled, Input, Message, Provider
from rspp_runtime.tools.offer import Answer, Offer

FRAME_NS = 20_000_000
SAMPLE_RATE_HZ = 16_000
FRAME_BYTES = 640  # 20 ms of s16le mono at 16 kHz
TEXT_BYTES_MAX = 4096  # CONTRACTS §2
Tools = Mapping[Offer, Callable[[dict[str, Any]], Answer]]
"""What a model may call, and what answers."""
AUDIO_PORTS = {"vad": {"speech"}, "tts": {"audio"}}


class ContractBroken(AssertionError):  # noqa: N818 - it is what happened
    """The provider emitted something that the kernel refuses, or kept emitting after a cancel."""


class Emission(NamedTuple):
    """One output. `at_ns` is the time since the invocation began, when `emit` was called; `input_ns` is the media time
    of the newest input by then."""

    port: str
    payload: bytes
    media_ns: int
    words: int
    text_end: int
    final: bool
    at_ns: int
    input_ns: int

    @property
    def text(self) -> str:
        return self.payload.decode()


def silence(duration_ns: int) -> bytes:
    """PCM s16le zeros of that length."""
    return bytes(2 * (duration_ns * SAMPLE_RATE_HZ // 1_000_000_000))


def frames(pcm: bytes, port: str = "audio", start_ns: int = 0) -> list[Input]:
    """PCM s16le mono 16 kHz cut into 20 ms items; the last one is filled up with silence."""
    return [
        Input(port, pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"), start_ns + at // FRAME_BYTES * FRAME_NS)
        for at in range(0, len(pcm), FRAME_BYTES)
    ]


class MemoryInvocation:
    """An `Invocation` in memory.

    `reference` is what is being played, PCM s16le mono 16 kHz from media time 0; `take_s` is how long the consumer
    needs for each emission; `cancel_when` is asked after each emission; `pace_s` is the time between two inputs.
    """

    def __init__(
        self,
        modality: str,
        items: Iterable[Input],
        *,
        messages: Sequence[Message] = (),
        reference: bytes = b"",
        take_s: float = 0.0,
        pace_s: float = 0.0,
        cancel_when: Callable[[Emission], bool] | None = None,
        tools: Tools | None = None,
    ) -> None:
        self.id = 1
        self.node = modality
        self.messages = tuple(messages)
        self.cancelled = False
        self.emissions: list[Emission] = []
        self.tokens = (0, 0)  # in and out, as the provider says
        self.tools = tuple(tools or ())
        self.called: list[tuple[str, dict[str, Any]]] = []
        self._functions = {offer.name: function for offer, function in (tools or {}).items()}
        self._items = list(items)
        self._audio_ports = AUDIO_PORTS.get(modality, set())
        self._reference = reference
        self._take_s = take_s
        self._pace_s = pace_s
        self._cancel_when = cancel_when
        self._start = time.perf_counter_ns()
        self._emitting = False
        self._input_ns = 0

    def cancel(self) -> None:
        """What the kernel does: from now on `inputs` and `emit` raise `Cancelled`."""
        self.cancelled = True

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        if self.cancelled:
            raise Cancelled
        await asyncio.sleep(self._take_s)
        offer = next((one for one in self.tools if one.name == name), None)
        if offer is None:
            return Answer(error=f"there is no tool {name!r}")
        wrong = offer.wrong(dict(arguments))
        if wrong:
            return Answer(error=wrong)
        self.called.append((name, dict(arguments)))
        return self._functions[name](dict(arguments))

    async def inputs(self) -> AsyncIterator[Input]:
        for item in self._items:
            await asyncio.sleep(self._pace_s)
            if self.cancelled:
                raise Cancelled
            self._input_ns = item.media_ns
            yield item

    async def emit(
        self,
        port: str,
        payload: bytes = b"",
        *,
        media_ns: int = 0,
        words: int = 0,
        text_end: int = 0,
        final: bool = False,
    ) -> None:
        if self.cancelled:
            raise Cancelled
        if self._emitting:
            raise ContractBroken(f"emit({port!r}) while another emit waits: outputs have no order")
        self._check(port, payload, words, text_end)
        at_ns = time.perf_counter_ns() - self._start
        emission = Emission(port, bytes(payload), media_ns, words, text_end, final, at_ns, self._input_ns)
        self.emissions.append(emission)
        self._emitting = True
        try:
            await asyncio.sleep(self._take_s)
        finally:
            self._emitting = False
        if self._cancel_when is not None and self._cancel_when(emission):
            self.cancel()

    async def used(self, *, tokens_in: int = 0, tokens_out: int = 0) -> None:
        if self.cancelled:
            raise Cancelled
        self.tokens = (self.tokens[0] + tokens_in, self.tokens[1] + tokens_out)

    def reference(self, media_ns: int, duration_ns: int) -> bytes:
        size = 2 * round(duration_ns * SAMPLE_RATE_HZ / 1e9)
        start = 2 * round(media_ns * SAMPLE_RATE_HZ / 1e9)
        before = min(size, max(0, -start))
        return (bytes(before) + self._reference[max(0, start) : max(0, start + size)]).ljust(size, b"\0")

    def _check(self, port: str, payload: bytes, words: int, text_end: int) -> None:
        if port in self._audio_ports:
            if len(payload) > FRAME_BYTES or len(payload) % 2 or not payload:
                raise ContractBroken(f"{port}: {len(payload)} bytes of audio; an item is 2 to {FRAME_BYTES}, even")
        elif len(payload) > TEXT_BYTES_MAX:
            raise ContractBroken(f"{port}: {len(payload)} bytes of text; an item is at most {TEXT_BYTES_MAX}")
        last = next((e for e in reversed(self.emissions) if e.port == port), None)
        if last is not None and (words < last.words or text_end < last.text_end):
            raise ContractBroken(f"{port}: words and text_end are cumulative and never go back")


async def perform(provider: Provider, call: MemoryInvocation) -> list[Emission]:
    """Runs one invocation on a prepared provider; a cancel ends it quietly, every other error comes through."""
    try:
        await provider.invoke(call)
    except Cancelled:
        if not call.cancelled:
            raise ContractBroken("Cancelled was raised, but nobody cancelled") from None
    return call.emissions


def run(
    provider: Provider,
    items: Iterable[Input],
    *,
    messages: Sequence[Message] = (),
    reference: bytes = b"",
    take_s: float = 0.0,
    pace_s: float = 0.0,
    cancel_when: Callable[[Emission], bool] | None = None,
    tools: Tools | None = None,
) -> list[Emission]:
    """Prepares the provider, performs one invocation on `items`, closes it, and returns everything it emitted."""

    async def whole() -> list[Emission]:
        await provider.prepare()
        call = MemoryInvocation(
            provider.modality,
            items,
            messages=messages,
            reference=reference,
            take_s=take_s,
            pace_s=pace_s,
            cancel_when=cancel_when,
            tools=tools,
        )
        try:
            return await perform(provider, call)
        finally:
            await provider.close()

    return asyncio.run(whole())
