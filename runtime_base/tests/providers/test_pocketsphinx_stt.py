"""Recognition of the real samples, through the voice-activity model, into intents of the dialogue."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input, Outcome, ProviderError
from rspp_runtime.providers.dialogue import sentences
from rspp_runtime.providers.pocketsphinx_stt import PocketSphinx
from rspp_runtime.providers.pronounce import dictionary_lines, pronounce
from rspp_runtime.providers.scripted import Scripted
from rspp_runtime.providers.testing import FRAME_NS, MemoryInvocation, frames, perform, run

from .conftest import RATE, SCRIPT, sample


def stt(resources: dict[str, bytes], **options: object) -> PocketSphinx:
    provider = registry.create("pocketsphinx", {"script": SCRIPT, **options}, resources)
    assert isinstance(provider, PocketSphinx)
    return provider


def utterances(name: str) -> list[list[Input]]:
    """What the voice-activity model makes of a sample."""
    found: list[list[Input]] = []
    for emission in run(registry.create("silero", {}, {}), frames(sample(name).tobytes())):
        if emission.port == "speech_start":
            found.append([])
        elif emission.port == "speech":
            found[-1].append(Input("audio", emission.payload, emission.media_ns))
    return found


@pytest.mark.parametrize(
    ("name", "texts", "intents"),
    [
        ("question", ["what is the weather like in london"], ["weather"]),
        (
            "interruption",
            ["please tell me about the oldest clock", "stop please what time do you open"],
            ["story", "opening_hours"],
        ),
    ],
)
def test_samples_are_recognised(
    resources: dict[str, bytes], greeter: Scripted, name: str, texts: list[str], intents: list[str]
) -> None:
    finals = [run(stt(resources), items)[-1] for items in utterances(name)]
    assert all(final.port == "final" and final.final for final in finals)
    assert [final.text for final in finals] == texts
    matches = [greeter.understand(final.text) for final in finals]
    assert [greeter.dialogue.intents[match.sentence.intent].name for match in matches if match] == intents


def test_what_is_outside_the_dialogue_gives_a_text_that_is_not_understood(
    resources: dict[str, bytes], greeter: Scripted
) -> None:
    final = run(stt(resources), utterances("unknown")[0])[-1]
    assert final.text
    assert greeter.understand(final.text) is None
    assert greeter.answer(final.text) == greeter.dialogue.not_understood[0]


def test_partials_change_and_end_in_one_final(resources: dict[str, bytes]) -> None:
    emissions = run(stt(resources), utterances("question")[0])
    partials = [e.text for e in emissions[:-1]]
    assert len(partials) >= 3
    assert all(e.port == "partial" and e.text and not e.final for e in emissions[:-1])
    assert all(a != b for a, b in pairwise(partials))
    assert [e.port for e in emissions].count("final") == 1


def test_silence_gives_an_empty_final(resources: dict[str, bytes]) -> None:
    assert [(e.port, e.payload) for e in run(stt(resources), frames(bytes(RATE)))] == [("final", b"")]
    assert [(e.port, e.payload) for e in run(stt(resources), [])] == [("final", b"")]


def test_the_same_audio_gives_the_same_text_whatever_came_before(resources: dict[str, bytes]) -> None:
    items = utterances("unknown")[0]

    async def three() -> list[list[bytes]]:
        provider = stt(resources)
        await provider.prepare()
        try:
            return [
                [e.payload for e in await perform(provider, MemoryInvocation("stt", given))]
                for given in (items, utterances_before, items)
            ]
        finally:
            await provider.close()

    utterances_before = utterances("question")[0]
    first, between, again = asyncio.run(three())
    assert first == again != between


def test_several_at_once_do_not_mix(resources: dict[str, bytes]) -> None:
    question, (story, hours) = utterances("question")[0], utterances("interruption")

    async def together() -> list[str]:
        provider = stt(resources, sessions_max=3)
        await provider.prepare()
        try:
            calls = [MemoryInvocation("stt", items, pace_s=0.001) for items in (question, story, hours)]
            return [found[-1].text for found in await asyncio.gather(*(perform(provider, call) for call in calls))]
        finally:
            await provider.close()

    assert asyncio.run(together()) == [
        "what is the weather like in london",
        "please tell me about the oldest clock",
        "stop please what time do you open",
    ]


def test_more_than_it_can_serve_is_an_overload(resources: dict[str, bytes]) -> None:
    question = utterances("question")[0]

    async def two() -> None:
        provider = stt(resources, sessions_max=1)
        await provider.prepare()
        try:
            calls = [MemoryInvocation("stt", question, pace_s=0.02) for _ in range(2)]
            await asyncio.gather(*(perform(provider, call) for call in calls))
        finally:
            await provider.close()

    with pytest.raises(ProviderError, match="all 1 decoders are busy") as caught:
        asyncio.run(two())
    assert caught.value.outcome is Outcome.OVERLOAD
    assert caught.value.retryable


def test_a_cancelled_utterance_frees_its_decoder(resources: dict[str, bytes]) -> None:
    question = utterances("question")[0]

    async def one_after_the_other() -> list[str]:
        provider = stt(resources, sessions_max=1)
        await provider.prepare()
        try:
            first = MemoryInvocation("stt", question, cancel_when=lambda e: e.port == "partial")
            await perform(provider, first)
            assert [e.port for e in first.emissions] == ["partial"]
            return [e.text for e in await perform(provider, MemoryInvocation("stt", question))]
        finally:
            await provider.close()

    assert asyncio.run(one_after_the_other())[-1] == "what is the weather like in london"


def test_it_keeps_real_time_with_room_to_spare(resources: dict[str, bytes]) -> None:
    items = utterances("interruption")[0]

    async def cost() -> float:
        provider = stt(resources)
        await provider.prepare()
        begin = time.process_time()
        await perform(provider, MemoryInvocation("stt", items))
        spent = time.process_time() - begin
        await provider.close()
        return spent

    assert asyncio.run(cost()) < 0.3 * len(items) * FRAME_NS / 1e9


def test_the_model_knows_every_word_of_the_dialogue(resources: dict[str, bytes], greeter: Scripted) -> None:
    provider = stt(resources)
    run(provider, [])
    assert sentences(greeter.dialogue)
    assert provider.words_by_rule == ()
    assert provider.words_skipped == ()


def test_words_outside_the_dictionary_are_named(resources: dict[str, bytes], caplog: pytest.LogCaptureFixture) -> None:
    provider = stt(resources, sentences=["book a table at zorblax", "\u6771\u4eac please"])
    run(provider, [])
    assert provider.words_by_rule == ("zorblax",)
    assert provider.words_skipped == ("\u6771\u4eac",)
    assert "pronounced by rule: zorblax" in caplog.text
    assert "will not be recognised: \u6771\u4eac" in caplog.text


def test_pronunciations_come_from_parts_before_letters() -> None:
    known = {"clock": ["K L AA K"], "house": ["HH AW S"], "bridge": ["B R IH JH"]}
    assert pronounce("clocks", known) == "K L AA K S"
    assert pronounce("bridge's", known) == "B R IH JH IH Z"
    assert pronounce("clockhouse", known) == "K L AA K HH AW S"
    assert pronounce("blake", known) == "B L AE K"
    assert pronounce("123", known) == ""
    assert dictionary_lines(["house", "x1"], {"house": ["HH AW S", "HH AW Z"]}) == (
        "house HH AW S\nhouse(2) HH AW Z\nx1 K S\n", ["x1"], [],
    )  # fmt: skip


def test_only_english_is_bundled(resources: dict[str, bytes]) -> None:
    with pytest.raises(ProviderError, match="language 'de-de': only the English model is bundled"):
        stt(resources, language="de-DE")
