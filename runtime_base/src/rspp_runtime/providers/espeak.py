"""Offline speech synthesis with espeak-ng (modality tts).

Settings: `voice` (default `en-us`), `rate` in words a minute (default 165), `pitch` 0 to 100 (default 50); `language`
names the voice when `voice` is absent.

Input port `text` (segments, usually sentences). Output port `audio`: PCM s16le mono 16 kHz, 20 ms an item, each with
the words and the bytes of text that are voiced by its end, so that a playback position says which words were heard. A
word counts when its last loud sample is played, and not before.

A segment is synthesised piece by piece (at most 240 bytes, cut at sentences, clauses, words) in the library's thread,
in a few milliseconds a piece; then its items are emitted one by one, at whatever pace the consumer takes them. One
piece of PCM is all that an invocation ever holds, and the library is free while it waits. See `espeak_library`.

The library carries the phase of its oscillators from one piece to the next: the same text sounds the same, but its
samples differ, and its words may move by a millisecond. Like every engine's, its output is recorded input to a replay.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import soxr

from rspp_runtime.providers.contract import Cancelled, Invocation
from rspp_runtime.providers.espeak_library import PIECE_BYTES_MAX, Library, Piece, Settings
from rspp_runtime.providers.options import Options

SAMPLE_RATE_HZ = 16_000
ITEM_SAMPLES = 320  # 20 ms
LOUD = 100  # of 32768: quieter samples are the pause after a word

_BREAKS = (re.compile(r"[.!?\u2026][\"')\]]*\s"), re.compile(r"[,;:\u2013\u2014]\s"), re.compile(r"\s"))


class Item(NamedTuple):
    """20 ms of speech; `words` and `text_end` (bytes) are voiced by its end, counted from the piece's beginning."""

    pcm: bytes
    words: int
    text_end: int


class Espeak:
    """Speaks text. Invocations run concurrently; their pieces take turns in the library."""

    modality = "tts"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def prepare(self) -> None:
        """Loads the library and checks the voice. Raises `ProviderError` for an unknown one."""
        library = await asyncio.to_thread(Library.shared)
        await asyncio.to_thread(library.check, self._settings)

    async def close(self) -> None:
        """Nothing to release: the library belongs to the process."""

    async def invoke(self, call: Invocation) -> None:
        """Speaks each segment as it comes. Raises `Cancelled` when the kernel cancels."""
        library = Library.loaded()
        if library is None:
            library = await asyncio.to_thread(Library.shared)
        words = text_end = 0
        async for segment in call.inputs():
            if segment.port != "text":
                continue
            for text in pieces(segment.payload.decode("utf-8", "replace")):
                piece = await library.speak(text, self._settings, lambda: call.cancelled)
                if call.cancelled:
                    raise Cancelled
                for item in items(text, piece, library.sample_rate_hz):
                    await call.emit("audio", item.pcm, words=words + item.words, text_end=text_end + item.text_end)
                words += len(text.split())
                text_end += len(text.encode())


def pieces(text: str, bytes_max: int = PIECE_BYTES_MAX) -> Iterator[str]:
    """Cuts text into pieces of at most `bytes_max` bytes whose concatenation is the text.

    The cut is after the last sentence that fits, else the last clause, else the last word, else anywhere.
    """
    while len(text.encode()) > bytes_max:
        head = text.encode()[:bytes_max].decode("utf-8", "ignore")
        cut = len(head)
        for pattern in _BREAKS:
            ends = [match.end() for match in pattern.finditer(head)]
            if ends:
                cut = ends[-1]
                break
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def items(text: str, piece: Piece, rate_hz: int) -> Iterator[Item]:
    """The piece at 16 kHz in 20 ms items, the last one filled up with silence; marks of all the text at the end."""
    samples = np.frombuffer(piece.pcm, "<i2")
    ends = voiced_ends(text, piece, samples)
    if not ends and not samples.size:
        return
    speech = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ) if samples.size else np.zeros(0, "<i2")
    count = max(1, -(-len(speech) // ITEM_SAMPLES))
    pcm = speech.astype("<i2").tobytes().ljust(2 * ITEM_SAMPLES * count, b"\0")
    words = text_end = 0
    for at in range(count):
        voiced = (at + 1) * ITEM_SAMPLES * rate_hz // SAMPLE_RATE_HZ
        while words < len(ends) and ends[words][0] <= voiced:
            text_end = ends[words][1]
            words += 1
        if at == count - 1:
            words, text_end = len(ends), len(text.encode())
        yield Item(pcm[2 * ITEM_SAMPLES * at : 2 * ITEM_SAMPLES * (at + 1)], words, text_end)


def voiced_ends(text: str, piece: Piece, samples: Any) -> list[tuple[int, int]]:
    """For each whitespace-separated word: the sample by which it is voiced, and the byte of the text where it ends.

    The library marks where words begin, and takes "of the" for one and "1984" for several; so a word of ours ends
    where the first mark at or after its end begins, minus the pause before that.
    """
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)
    ends = []
    voiced = 0
    for word in re.finditer(r"\S+", text):
        limit = next((mark.sample for mark in piece.marks if mark.position >= word.end()), len(samples))
        before = int(np.searchsorted(loud, limit))
        voiced = max(voiced, min(limit, int(loud[before - 1]) + 1) if before else 0)
        ends.append((voiced, len(text[: word.end()].encode())))
    return ends


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Espeak:
    """Makes the provider. Raises `ProviderError` for a bad setting; the voice is checked by `prepare`."""
    read = Options("espeak", "tts", options)
    voice = read.text("voice", read.text("language", "en-us")).lower().replace("_", "-")
    return Espeak(Settings(voice, read.integer("rate", 165, 80, 450), read.integer("pitch", 50, 0, 100)))
