"""A dialogue file: what a caller may say and what the agent answers (TOML). Parsing and checking only.

    [dialogue]
    name = "desk"
    not_understood = ["Sorry, I did not get that."]

    [slots]
    city = ["London", "Paris"]

    [[intent]]
    name   = "weather"
    ask    = ["what is the weather in {city}"]
    answer = ["It is mild in {city}."]

    [intent.answer_for.city]
    London = ["It rains in London."]

    [[intent]]
    name   = "order"
    ask    = ["where is my order from {city}"]
    call   = "find_order"                                # a tool of the pipeline
    with   = { city = "{city}", open = true }            # its arguments
    answer = ["Your order from {city} is {result.state}."]
    when_failed = ["I cannot look that up now."]

An answer may use the slots of its sentence, `{last_answer}` (what was last heard from the agent) and `{last_question}`
(what the caller said before); an intent that uses these two says in `without_context` what to answer when there is
nothing yet. Behind a `call`, `{result}` is what the tool said, and `{result.state}` what is in it. `matching` finds the
intent of a sentence; `scripted` and the recogniser's language model use both.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from rspp_runtime.providers.contract import Outcome, ProviderError
from rspp_runtime.providers.options import suggest

# A text item holds 4 KiB (CONTRACTS §2); an answer must leave room for what its slots fill in.
ANSWER_BYTES_MAX = 3000
SENTENCES_MAX = 5000  # after the slots were filled in: bounds start-up time and the language model
CONTEXT_SLOTS = ("last_answer", "last_question")
RESULT = "result"

BUILT_IN_NAME = "the built-in dialogue"
BUILT_IN = b"""\
[dialogue]
name           = "built-in"
not_understood = ["Sorry, I did not understand that. I only know how to say hello, and how to repeat what you said."]

[[intent]]
name   = "hello"
ask    = ["hello", "hello there", "good morning", "good evening"]
answer = ["Hello! It is good to hear you."]

[[intent]]
name   = "what_can_you_do"
ask    = ["what can you do", "can you help me", "who are you"]
answer = ["I am a small script that comes with the runtime. Give me a dialogue file, and I will know more."]

[[intent]]
name   = "what_did_i_say"
ask    = ["what did i say", "what did i ask"]
answer = ["You said: {last_question}"]
without_context = ["You have not said anything yet."]

[[intent]]
name   = "thanks"
ask    = ["thank you", "thank you very much"]
answer = ["You are welcome."]

[[intent]]
name   = "goodbye"
ask    = ["goodbye", "good night"]
answer = ["Goodbye!"]
"""

SLOT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing a caller may say, its slots filled in: `slots` holds the values by name."""

    text: str
    intent: int
    slots: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a group of sentences means, and what is answered. `answers_for` is by (slot, value)."""

    name: str
    answers: tuple[str, ...]
    answers_for: Mapping[tuple[str, str], tuple[str, ...]]
    without_context: tuple[str, ...]
    call: str = ""  # the tool that is called first
    arguments: tuple[tuple[str, str | int | float | bool], ...] = ()  # texts with slots
    when_failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A checked dialogue. Sentences are in the file's order."""

    name: str
    language: str
    match_min: float
    not_understood: tuple[str, ...]
    intents: tuple[Intent, ...]
    sentences: tuple[Sentence, ...]


def sentences(dialogue: Dialogue) -> list[str]:
    """Everything that a caller may say, for a recogniser's language model."""
    return [sentence.text for sentence in dialogue.sentences]


def built_in() -> Dialogue:
    """The dialogue used when no file is given."""
    return parse_dialogue(BUILT_IN, BUILT_IN_NAME)


def parse_dialogue(data: bytes, file: str) -> Dialogue:
    """Reads a dialogue file. `file` is its name, for messages. Raises `ProviderError` naming file, line and key."""
    return _Parser(data, file).dialogue()


_KEYS = ("name", "ask", "answer", "answer_for", "without_context", "call", "with", "when_failed")


class _Parser:
    """Walks the parsed TOML, checks everything, and knows the line of each intent for its messages."""

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        try:
            self.text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self.fail(f"line {line}", "is not UTF-8 text; save the file as UTF-8")
        try:
            self.root: dict[str, Any] = tomllib.loads(self.text.replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError as error:
            self.fail("TOML", str(error))
        lines = self.text.splitlines()
        self.intent_lines = [n for n, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*intent\s*\]\]", line)]
        self.slots: dict[str, tuple[str, ...]] = {}

    def fail(self, place: str, problem: str) -> NoReturn:
        raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, f"dialogue {self.file}: {place}: {problem}")

    def keys(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self.fail(place, f"unknown key {key!r}{suggest(key, known)}; known are {', '.join(known)}")

    def table(self, place: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(place, "must be a table")
        return value

    def texts(self, place: str, value: object, *, required: bool = True) -> tuple[str, ...]:
        """A non-empty list of non-empty texts; one bare text is an obvious list of one."""
        if value is None and not required:
            return ()
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not items:
            self.fail(place, 'must be a list of texts, for example ["hello"]')
        for item in items:
            if not isinstance(item, str) or not item.strip():
                self.fail(place, f"holds {item!r}, which is not a text")
            if len(item.encode()) > ANSWER_BYTES_MAX:
                self.fail(place, f"is longer than {ANSWER_BYTES_MAX} bytes; split it into two answers")
        return tuple(" ".join(item.split()) for item in items)

    def names_in(self, place: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """The slots that a text uses, each of them known."""
        found = tuple(SLOT.findall(text))
        for name in found:
            if name not in known and not (RESULT in known and name.startswith(f"{RESULT}.")):
                listed = ", ".join(known) or "none"
                self.fail(place, f"{{{name}}} is not known here{suggest(name, known)}; known: {listed}")
        if set(SLOT.sub("", text)) & set("{}"):
            self.fail(place, f"has a stray brace in {text!r}")
        return found

    def dialogue(self) -> Dialogue:
        self.keys("top level", self.root, ("dialogue", "slots", "intent"))
        head = self.table("[dialogue]", self.root.get("dialogue", {}))
        self.keys("[dialogue]", head, ("name", "language", "match_min", "not_understood"))
        for name, values in self.table("[slots]", self.root.get("slots", {})).items():
            if name in CONTEXT_SLOTS:
                self.fail(f"[slots] {name}", "is a name that the conversation fills in; choose another")
            self.slots[name] = self.texts(f"[slots] {name}", values)
        match_min = head.get("match_min", 0.7)
        if isinstance(match_min, bool) or not isinstance(match_min, (int, float)) or not 0 < match_min <= 1:
            self.fail("[dialogue] match_min", f"must be above 0 and at most 1, not {match_min!r}")
        intents, said = self.intents()
        not_understood = self.texts("[dialogue] not_understood", head.get("not_understood"))
        for text in not_understood:
            self.names_in("[dialogue] not_understood", text, ())
        for key in ("name", "language"):
            if not isinstance(head.get(key, ""), str):
                self.fail(f"[dialogue] {key}", "must be a text")
        return Dialogue(
            head.get("name", self.file), head.get("language", "en-US"), float(match_min), not_understood, intents, said
        )

    def intents(self) -> tuple[tuple[Intent, ...], tuple[Sentence, ...]]:
        tables = self.root.get("intent", [])
        if not isinstance(tables, list) or not tables:
            self.fail("[[intent]]", "there is none; a dialogue needs at least one")
        intents: list[Intent] = []
        said: list[Sentence] = []
        seen: set[str] = set()
        for index, raw in enumerate(tables):
            line = self.intent_lines[index] if index < len(self.intent_lines) else 0
            place = f"line {line}: [[intent]] {index + 1}" if line else f"[[intent]] {index + 1}"
            table = self.table(place, raw)
            self.keys(place, table, _KEYS)
            name = table.get("name")
            if not isinstance(name, str) or not name:
                self.fail(place, "needs a name")
            if name in seen:
                self.fail(place, f"a second intent is called {name!r}")
            seen.add(name)
            place = f"{place} {name!r}"
            said += self.asked(place, index, self.texts(f"{place} ask", table.get("ask")))
            if len(said) > SENTENCES_MAX:
                self.fail(place, f"more than {SENTENCES_MAX} sentences once the slots are filled in; use fewer values")
            intents.append(self.intent(place, name, table))
        return tuple(intents), tuple(said)

    def asked(self, place: str, index: int, patterns: tuple[str, ...]) -> list[Sentence]:
        """The patterns of one intent with every combination of slot values."""
        found = []
        for pattern in patterns:
            names = self.names_in(f"{place} ask", pattern, tuple(self.slots))
            for values in itertools.islice(itertools.product(*(self.slots[n] for n in names)), SENTENCES_MAX + 1):
                text = pattern
                for slot, value in zip(names, values, strict=True):
                    text = text.replace(f"{{{slot}}}", value, 1)
                found.append(Sentence(text, index, tuple(zip(names, values, strict=True))))
        return found

    def intent(self, place: str, name: str, table: Mapping[str, Any]) -> Intent:
        patterns = self.texts(f"{place} ask", table.get("ask"))
        # An answer may use a slot only if every sentence of the intent fills it.
        common = [slot for slot in self.slots if all(f"{{{slot}}}" in pattern for pattern in patterns)]
        tool, arguments, when_failed = self.call(place, table, tuple(common))
        usable = (*common, *CONTEXT_SLOTS, *([RESULT] if tool else []))
        answers = self.texts(f"{place} answer", table.get("answer"))
        answers_for: dict[tuple[str, str], tuple[str, ...]] = {}
        for slot, by_value in self.table(f"{place} answer_for", table.get("answer_for", {})).items():
            where = f"{place} answer_for.{slot}"
            if slot not in self.slots:
                self.fail(where, f"there is no such slot{suggest(slot, tuple(self.slots))}")
            for value, texts in self.table(where, by_value).items():
                if value not in self.slots[slot]:
                    self.fail(where, f"{value!r} is not a value of the slot{suggest(value, self.slots[slot])}")
                answers_for[slot, value] = self.texts(f"{where}.{value}", texts)
        context = self.texts(f"{place} without_context", table.get("without_context"), required=False)
        used: set[str] = set()
        for text in itertools.chain(answers, *answers_for.values()):
            used.update(self.names_in(f"{place} answer", text, usable))
        for text in context:
            self.names_in(f"{place} without_context", text, tuple(common))
        if used & set(CONTEXT_SLOTS) and not context:
            self.fail(place, "answers from the conversation, so it needs without_context = [...] for the first turn")
        return Intent(name, answers, answers_for, context, tool, arguments, when_failed)

    def call(
        self, place: str, table: Mapping[str, Any], slots: tuple[str, ...]
    ) -> tuple[str, tuple[tuple[str, str | int | float | bool], ...], tuple[str, ...]]:
        """The tool that an intent calls, with which arguments, and what is said when that fails."""
        tool, given = table.get("call", ""), self.table(f"{place} with", table.get("with", {}))
        if not isinstance(tool, str):
            self.fail(f"{place} call", "must be the name of a tool")
        if not tool:
            for key in ("with", "when_failed"):
                if key in table:
                    self.fail(place, f"has {key}, and no call")
            return "", (), ()
        for name, value in given.items():
            if not isinstance(value, str | int | float | bool):
                self.fail(f"{place} with.{name}", "must be a text, a number, true or false")
            if isinstance(value, str):
                self.names_in(f"{place} with.{name}", value, slots)
        failed = self.texts(f"{place} when_failed", table.get("when_failed"))
        for text in failed:
            self.names_in(f"{place} when_failed", text, slots)
        return tool, tuple(given.items()), failed
