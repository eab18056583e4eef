"""Synthesis: first audio, marks that say what was heard, stopping in mid-word, bounded memory, several at once."""

from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input, Provider, ProviderError
from rspp_runtime.providers.espeak import pieces
from rspp_runtime.providers.espeak_library import Library, Piece, Settings
from rspp_runtime.providers.testing import FRAME_BYTES, Emission, MemoryInvocation, perform, run

MS = 1_000_000
TEXT = "Hello, and welcome to the museum of clocks. How can I help you?"


def voice(**options: object) -> Provider:
    return registry.create("espeak", {"voice": "en-us", **options}, {})


def say(*segments: str, **how: object) -> list[Emission]:
    return run(voice(), [Input("text", text.encode(), 0) for text in segments], **how)  # type: ignore[arg-type]


def loud(emission: Emission) -> bool:
    return int(np.abs(np.frombuffer(emission.payload, "<i2").astype(np.int32)).max()) > 500


def test_first_audio_comes_fast() -> None:
    say("warm up")
    assert say(TEXT)[0].at_ns < 100 * MS


def test_marks_never_go_back_and_reach_the_whole_text() -> None:
    emissions = say(TEXT)
    assert all(a.words <= b.words and a.text_end <= b.text_end for a, b in pairwise(emissions))
    assert (emissions[-1].words, emissions[-1].text_end) == (len(TEXT.split()), len(TEXT.encode()))
    for emission in emissions:
        assert len(TEXT.encode()[: emission.text_end].split()) == emission.words


def test_marks_follow_the_voice() -> None:
    """A word counts when it is spoken, not when the pause after it ends, and not with the first of its sounds."""
    emissions = say(TEXT)
    half = next(n for n, e in enumerate(emissions) if e.words == 8)  # "... of clocks."
    assert loud(emissions[half - 1]) or loud(emissions[half])
    assert not any(loud(e) for e in emissions[half + 1 : half + 8])
    assert 0.4 < half / len(emissions) < 0.75
    assert emissions[15].words == 0  # 300 ms into "Hello,"


def test_marks_add_up_over_segments() -> None:
    first, second = "One caf\u00e9, please. ", "And the bill."
    emissions = say(first, second)
    ends = {e.words: e.text_end for e in emissions}
    assert ends[3] == len(first.encode())
    assert emissions[-1].words == 6
    assert emissions[-1].text_end == len((first + second).encode())


@pytest.mark.parametrize(
    "text", ["In 1984 the bell wasn't well-known, e.g. at 10:30.", "\u2014 !!! \u2014", "...", "na\u00efve"]
)
def test_marks_reach_the_end_of_odd_texts(text: str) -> None:
    last = say(text)[-1]
    assert (last.words, last.text_end) == (len(text.split()), len(text.encode()))


def test_nothing_to_say_is_silence() -> None:
    assert say() == []
    assert say("", " \n ") == [] or all(e.words == 0 for e in say("", " \n "))


def test_audio_is_20_ms_an_item_and_audible() -> None:
    emissions = say(TEXT)
    assert {len(e.payload) for e in emissions} == {FRAME_BYTES}
    assert 2.5 < len(emissions) * 0.02 < 8
    assert sum(map(loud, emissions)) > len(emissions) / 2


@pytest.mark.feature("F-036", "stops")
def test_a_cancel_stops_in_mid_word() -> None:
    whole = say(TEXT)
    at = next(n for n, e in enumerate(whole) if e.words == 5) + 5  # 100 ms into "museum"
    count = iter(range(at + 1))
    cut = say(TEXT, cancel_when=lambda e: next(count) == at)
    assert len(cut) == at + 1  # not one item more
    assert cut[-1].words == 5
    assert loud(cut[-1])


def test_a_cancel_while_the_consumer_is_slow_stops_within_50_ms() -> None:
    async def cancel_after(delay_s: float) -> tuple[int, float]:
        provider = voice()
        await provider.prepare()
        call = MemoryInvocation("tts", [Input("text", TEXT.encode(), 0)], take_s=0.02)
        task = asyncio.create_task(perform(provider, call))
        await asyncio.sleep(delay_s)
        call.cancel()
        before = len(call.emissions)
        begin = time.perf_counter()
        await task
        return len(call.emissions) - before, time.perf_counter() - begin

    more, took_s = asyncio.run(cancel_after(0.4))
    assert more == 0
    assert took_s < 0.05


@pytest.mark.feature("F-036", "stops")
def test_a_cancel_interrupts_the_synthesis_itself() -> None:
    polls = 0

    def stop() -> bool:
        nonlocal polls
        polls += 1
        return polls > 5

    library = Library.shared()
    settings_ = Settings("en-us", 165, 50)

    async def spoken(stop: Callable[[], bool]) -> Piece:
        return await library.speak(TEXT, settings_, stop)

    piece = asyncio.run(spoken(stop))
    assert not piece.whole
    assert len(piece.pcm) < 2 * library.sample_rate_hz  # less than a second of more than four
    assert asyncio.run(spoken(lambda: False)).whole  # and the library is fine afterwards


def test_4_kib_of_text_need_bounded_memory() -> None:
    text = ("The clock in the tower strikes every hour of the day and the night " * 80)[:4096]
    say("warm up")
    tracemalloc.start()
    count = 0

    async def long() -> None:
        nonlocal count
        provider = voice()
        await provider.prepare()
        call = MemoryInvocation("tts", [Input("text", text.encode(), 0)])
        keep = call.emissions

        class Counting(list):  # type: ignore[type-arg]
            """Counts what is emitted and keeps only the last, as the kernel would pass it on."""

            def append(self, emission: Emission) -> None:
                nonlocal count
                count += 1
                self[:] = [emission]

        call.emissions = Counting(keep)
        await perform(provider, call)
        assert call.emissions[-1].text_end == len(text)

    asyncio.run(long())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 200 / 0.02  # more than 200 s of speech: 6.4 MB
    assert peak < 5_000_000


def test_a_slow_listener_does_not_hold_up_another() -> None:
    async def both() -> tuple[float, int]:
        provider = voice()
        await provider.prepare()
        slow = MemoryInvocation("tts", [Input("text", TEXT.encode(), 0)], take_s=0.05)
        task = asyncio.create_task(perform(provider, slow))
        await asyncio.sleep(0.15)
        begin = time.perf_counter()
        emissions = await perform(provider, MemoryInvocation("tts", [Input("text", TEXT.encode(), 0)]))
        took_s = time.perf_counter() - begin
        slow.cancel()
        await task
        return took_s, len(emissions)

    took_s, count = asyncio.run(both())
    assert count * 0.02 > 2.5
    assert took_s < 0.5


def test_many_who_speak_at_once_leave_the_loops_own_threads_to_others() -> None:
    """The library has one thread, and is busy; whoever needs another (`/metrics` does) has it at once."""

    async def crowd() -> float:
        provider = voice()
        await provider.prepare()
        held, let_go = threading.Event(), threading.Event()
        library = Library.shared()

        def hold() -> bool:
            held.set()
            return let_go.wait(10)

        first = library.speak(TEXT, Settings("en-us", 165, 50), hold)
        calls = [MemoryInvocation("tts", [Input("text", b"Hello.", 0)]) for _ in range(40)]
        speaking = [asyncio.create_task(perform(provider, call)) for call in calls]
        await asyncio.to_thread(held.wait, 10)
        begin = time.perf_counter()
        await asyncio.wait_for(asyncio.to_thread(time.monotonic), 5)
        took_s = time.perf_counter() - begin
        assert not any(task.done() for task in speaking)
        let_go.set()
        await asyncio.gather(first, *speaking)
        assert all(call.emissions for call in calls)
        return took_s

    assert asyncio.run(crowd()) < 1.0


@pytest.mark.parametrize("name", ["en-gb", "fr-fr", "en-us", "en-gb-scotland", "fr", "de"])
def test_a_voice_may_be_called_by_its_language(name: str) -> None:
    asyncio.run(registry.create("espeak", {"voice": name}, {}).prepare())


def test_two_voices_at_once_keep_their_own_sound() -> None:
    def speaker(name: str) -> Provider:
        return registry.create("espeak", {"voice": name}, {})

    async def together() -> list[list[Emission]]:
        providers = [speaker("en-us"), speaker("de")] * 2
        for provider in providers:
            await provider.prepare()
        calls = [MemoryInvocation("tts", [Input("text", TEXT.encode(), 0)], take_s=0.0001) for _ in providers]
        return await asyncio.gather(*(perform(p, c) for p, c in zip(providers, calls, strict=True)))

    english, german, english_again, german_again = (
        np.array([next(n for n, e in enumerate(emissions) if e.words >= word) for word in range(1, 14)])
        for emissions in asyncio.run(together())
    )
    # When each word is voiced, in items of 20 ms: the same within one, and different between the languages.
    assert np.abs(english - english_again).max() <= 1
    assert np.abs(german - german_again).max() <= 1
    assert np.abs(english - german).max() > 5


def test_a_faster_rate_is_shorter() -> None:
    items = [Input("text", TEXT.encode(), 0)]
    assert len(run(voice(rate=250), items)) < 0.8 * len(run(voice(), items))


def test_settings_are_checked() -> None:
    with pytest.raises(ProviderError, match=r"no voice is called 'en-uz' \(did you mean 'en-us'\?\)"):
        run(voice(voice="en-uz"), [])
    with pytest.raises(ProviderError, match="rate must be 80 to 450, not 5"):
        voice(rate=5)


@given(st.text(alphabet="ab .,!?\u00e9\u6771", max_size=400))
@settings(max_examples=100)
def test_pieces_are_the_text_and_fit(text: str) -> None:
    cut = list(pieces(text, 40))
    assert "".join(cut) == text
    assert all(0 < len(piece.encode()) <= 40 for piece in cut)


def test_pieces_prefer_sentences_then_clauses_then_words() -> None:
    assert list(pieces("One two. Three four, five", 20)) == ["One two. ", "Three four, five"]
    assert list(pieces("One two, three four five", 20)) == ["One two, ", "three four five"]
    assert list(pieces("One two three four five", 20)) == ["One two three four ", "five"]
