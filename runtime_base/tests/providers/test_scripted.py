"""The scripted model: tolerant, deterministic, honest about the rest; and dialogue files that are wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input, Message, ProviderError
from rspp_runtime.providers.dialogue import built_in, parse_dialogue, sentences
from rspp_runtime.providers.scripted import Scripted
from rspp_runtime.providers.testing import MemoryInvocation, perform, run
from rspp_runtime.tools import Answer, Offer

HEAD = '[dialogue]\nnot_understood = ["no"]\n'
HELLO = '[[intent]]\nname = "hello"\nask = ["hello"]\nanswer = ["hi"]\n'


def intent(greeter: Scripted, text: str) -> str | None:
    match = greeter.understand(text)
    return greeter.dialogue.intents[match.sentence.intent].name if match else None


def test_every_sentence_of_the_dialogue_means_its_own_intent(greeter: Scripted) -> None:
    assert len(greeter.dialogue.intents) >= 15
    for sentence in greeter.dialogue.sentences:
        assert intent(greeter, sentence.text) == greeter.dialogue.intents[sentence.intent].name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What's the WEATHER like, in Paris?!", "weather"),
        ("um, well, hello", "hello"),
        ("stop please what time do you open", "opening_hours"),
        ("please tell me about the oldest clocks", "story"),
        ("how much does a tickets cost", "tickets"),
        ("Don't tell me a joke", "joke"),
        ("can you fix my bicycle before the football game", None),
        ("how many planets are in the solar system", None),
        ("the", None),
        ("", None),
    ],
)
def test_small_slips_are_forgiven_and_large_ones_are_not(greeter: Scripted, text: str, name: str | None) -> None:
    assert intent(greeter, text) == name


def test_slots_are_captured_by_name(greeter: Scripted) -> None:
    assert greeter.answer("what is the weather in berlin") == "In Berlin it is mild and a little cloudy today."
    assert greeter.answer("what is the weather in london").startswith("In London it is raining")
    assert "Friday" in greeter.answer("are you open on friday")


def test_answers_rotate_with_what_the_caller_said_before(greeter: Scripted) -> None:
    said = [Message("user", "one"), Message("assistant", "two")]
    first, second = greeter.answer("hello"), greeter.answer("hello", said)
    assert first != second
    assert greeter.answer("hello", said * 2) == first
    assert greeter.answer("blah blah") != greeter.answer("blah blah", said)


def test_the_conversation_is_what_was_heard(greeter: Scripted) -> None:
    heard = [Message("user", "tell me about the oldest clock"), Message("assistant", "Our oldest clock was")]
    assert greeter.answer("repeat that please", heard) == "What you heard from me was: Our oldest clock was"
    assert greeter.answer("what did i ask", heard) == "You said: tell me about the oldest clock"
    assert greeter.answer("what did i ask") == "You have not asked me anything yet."
    # The snapshot may or may not hold the prompt itself: it is not what was asked before.
    assert greeter.answer("what did i ask", [*heard, Message("user", "what did i ask")]).endswith("oldest clock")


def test_braces_in_what_was_said_are_not_slots(greeter: Scripted) -> None:
    assert greeter.answer("what did i ask", [Message("user", "{last_answer}")]) == "You said: {last_answer}"


def test_words_stream_with_their_leading_space_and_end_in_the_whole_text(greeter: Scripted) -> None:
    emissions = run(greeter, [Input("prompt", b"thank you", 0)])
    *deltas, final = emissions
    assert [e.port for e in emissions] == ["delta"] * 4 + ["final"]
    assert [e.text for e in deltas] == ["You", " are", " very", " welcome."]
    assert "".join(e.text for e in deltas) == final.text == "You are very welcome."
    assert final.final


@pytest.mark.feature("F-063", "streams")
def test_it_streams_at_the_rate_that_was_set() -> None:
    slow = registry.create("scripted", {"words_per_second": 50, "first_word_ns": 100_000_000}, {})
    emissions = run(slow, [Input("prompt", b"hello", 0)])
    assert emissions[0].at_ns >= 99_000_000
    assert emissions[-1].at_ns >= 99_000_000 + (len(emissions) - 2) * 19_000_000


@pytest.mark.feature("F-063", "stops")
def test_cancel_stops_between_words(greeter: Scripted) -> None:
    emissions = run(greeter, [Input("prompt", b"tell me a story", 0)], cancel_when=lambda e: e.text == " oldest")
    assert [e.text for e in emissions] == ["Our", " oldest"]


def test_without_a_script_there_is_a_built_in_dialogue() -> None:
    provider = registry.create("scripted", {}, {})
    assert isinstance(provider, Scripted)
    assert provider.answer("hello") == "Hello! It is good to hear you."
    assert "hello there" in sentences(built_in())


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_any_text_gets_the_same_answer_twice(greeter: Scripted, text: str) -> None:
    assert greeter.answer(text) == greeter.answer(text) != ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dialogue\n", r"dialogue d\.toml: TOML: .*line 1"),
        (HEAD, r"\[\[intent\]\]: there is none"),
        (HELLO, r"\[dialogue\] not_understood: must be a list of texts"),
        (HEAD + HELLO + HELLO, r"line 7: \[\[intent\]\] 2: a second intent is called 'hello'"),
        (HEAD + HELLO + 'anser = "x"\n', r"line 3: .*unknown key 'anser' \(did you mean 'answer'\?\)"),
        (HEAD + '[[intent]]\nask = ["x"]\nanswer = ["y"]\n', r"line 3: \[\[intent\]\] 1: needs a name"),
        (HEAD + HELLO.replace('"hello"]', '"in {city}"]'), r"line 3: .*'hello' ask: \{city\} is not known here"),
        (HEAD + HELLO.replace('"hi"', '"in {city}"') + '[slots]\ncity = ["x"]\n', r"answer: \{city\} is not known"),
        (HEAD + HELLO.replace('"hi"', '"{last_answer}"'), r"needs without_context"),
        (HEAD + HELLO.replace('"hi"', '"a } b"'), r"answer: has a stray brace"),
        (HEAD + HELLO.replace('["hi"]', "[3]"), r"answer: holds 3, which is not a text"),
        (HEAD + HELLO.replace('"hi"', f'"{"x" * 3001}"'), r"is longer than 3000 bytes"),
        (HEAD + "match_min = 3\n" + HELLO, r"match_min: must be above 0 and at most 1, not 3"),
        (HEAD + HELLO + "[intent.answer_for.town]\nx = 'y'\n", r"answer_for\.town: there is no such slot"),
        ("intent = 3\n", r"\[\[intent\]\]: there is none"),
        ("slots = 3\n", r"\[slots\]: must be a table"),
        ("\x00", r"TOML"),
    ],
)
def test_a_malformed_dialogue_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        parse_dialogue(text.encode(), "d.toml")


def test_a_dialogue_that_is_no_text_names_the_line() -> None:
    with pytest.raises(ProviderError, match="line 2: is not UTF-8"):
        parse_dialogue(b"# one\n\xff\xfe\n", "d.toml")


def test_slots_cannot_explode() -> None:
    slots = "[slots]\n" + "".join(f"s{n} = {[str(i) for i in range(30)]}\n" for n in range(5))
    pattern = " ".join(f"{{s{n}}}" for n in range(5))
    with pytest.raises(ProviderError, match="more than 5000 sentences"):
        parse_dialogue((HEAD + slots + HELLO.replace('["hello"]', f'["{pattern}"]')).encode(), "d.toml")


def test_a_script_that_is_not_in_the_package() -> None:
    with pytest.raises(ProviderError, match=r"script names 'a\.toml', but the package carries b\.toml"):
        registry.create("scripted", {"script": "a.toml"}, {"b.toml": b""})


# ---- tools

SHOP = b"""
[dialogue]
not_understood = ["Sorry?"]

[slots]
number = ["7", "12.5"]
again  = ["yes", "no"]

[[intent]]
name   = "order"
ask    = ["where is order {number}, urgent {again}"]
call   = "find"
with   = { number = "{number}", label = "order {number}", urgent = "{again}", fixed = 3 }
answer = ["It is {result.state} {result.at.place}, {result.count}.", "All of it: {result}"]
when_failed = ["I cannot look up {number}."]
"""


def asked(
    text: str, answer: Answer, messages: tuple[Message, ...] = ()
) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """What is said to `text`, and what was called."""
    params = (("number", "number"), ("label", "text"), ("urgent", "flag"), ("fixed", "number"))
    provider = Scripted(parse_dialogue(SHOP, "shop.toml"), words_per_second=1000.0, first_word_ns=0)
    call = MemoryInvocation(
        "llm", [Input("prompt", text.encode(), 0)], messages=messages,
        tools={Offer("find", params=params): lambda arguments: answer},
    )  # fmt: skip
    said = asyncio.run(perform(provider, call))
    return said[-1].text, call.called


def test_it_calls_a_tool_with_typed_arguments_and_says_what_it_said() -> None:
    found = Answer({"state": "packed", "at": {"place": "in Rome"}, "count": 2})
    text, called = asked("where is order 7, urgent yes", found)
    assert called == [("find", {"number": 7, "label": "order 7", "urgent": True, "fixed": 3})]
    assert text == "It is packed in Rome, 2."
    text, _ = asked("where is order 7, urgent no", Answer(["a", 1]), (Message("user", "hello"),))
    assert text == 'All of it: ["a",1]'


def test_it_says_what_the_script_says_when_a_call_failed() -> None:
    assert asked("where is order 12.5, urgent no", Answer(error="no such order"))[0] == "I cannot look up 12.5."


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'call   = "find"', b"call   = 7", "call: must be the name of a tool"),
        (b'call   = "find"\n', b"", "has with, and no call"),
        (b"fixed = 3", b"fixed = [3]", "with.fixed: must be a text, a number, true or false"),
        (b'"order {number}"', b'"order {nmber}"', "{nmber} is not known here (did you mean 'number'?)"),
        (b'when_failed = ["I cannot look up {number}."]\n', b"", "when_failed: must be a list of texts"),
    ],
)
def test_a_mistake_in_a_call_is_named(old: bytes, new: bytes, words: str) -> None:
    assert SHOP.count(old) == 1
    with pytest.raises(ProviderError) as caught:
        parse_dialogue(SHOP.replace(old, new), "shop.toml")
    assert words in caught.value.reason
