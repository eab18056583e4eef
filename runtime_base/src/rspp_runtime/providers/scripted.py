"""Scripted answers with the shape of a language model, and no language model in it (modality llm).

A dialogue file lists what callers may say and what is answered; the nearest sentence wins and its answer is streamed
word by word, as a model would stream its tokens. It neither understands nor invents anything: outside its file it says
that it did not understand. That makes it honest in demonstrations, exact in tests, and the same on every machine.

Settings: `script` (a dialogue file, see `dialogue`; absent: a tiny built-in one), `words_per_second` (default 40),
`first_word_ns` (default 50 ms). The node's other settings (`system`, `temperature`, ...) have no effect.

An intent with `call` calls that tool of the pipeline first, and answers with what it said (docs/tools.md).

Input port `prompt` (text). Output ports: `delta` (a word, with its leading space) and, at the end, `final` (all of it).
What was said before comes from `call.messages`, which holds of the agent's answers only what was heard (CONTRACTS §9).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rspp_runtime.providers.contract import Invocation, Message
from rspp_runtime.providers.dialogue import (
    BUILT_IN,
    BUILT_IN_NAME,
    CONTEXT_SLOTS,
    SLOT,
    Dialogue,
    Intent,
    parse_dialogue,
    sentences,
)
from rspp_runtime.providers.matching import Match, Matcher
from rspp_runtime.providers.options import Options
from rspp_runtime.tools.offer import Answer, Offer, canonical

__all__ = ["Scripted", "factory", "sentences"]

MS = 1_000_000
SECOND = 1_000_000_000
QUOTE_CHARS_MAX = 900  # of an earlier message, so that the answer stays within one text item


class Scripted:
    """Answers from a dialogue. Stateless between invocations, so that any number may run at once."""

    modality = "llm"

    def __init__(self, dialogue: Dialogue, words_per_second: float = 40.0, first_word_ns: int = 50 * MS) -> None:
        self.dialogue = dialogue
        self._matcher = Matcher(dialogue)
        self._word_ns = int(SECOND / words_per_second)
        self._first_word_ns = first_word_ns

    async def prepare(self) -> None:
        """Nothing to load: the dialogue was read and checked when the provider was made."""

    async def close(self) -> None:
        """Nothing to release."""

    def understand(self, text: str) -> Match | None:
        """The dialogue's sentence that `text` means, or None if it is none of them."""
        match = self._matcher.best(text)
        return match if match is not None and match.score >= self.dialogue.match_min else None

    def answer(self, prompt: str, messages: Sequence[Message] = (), answer: Answer | None = None) -> str:
        """The whole answer to `prompt`, given the conversation so far, and what the intent's tool said. Same arguments,
        same answer.
        """
        earlier = list(messages)
        # The snapshot may already end with the prompt itself, which is not something said *before*.
        if earlier and earlier[-1].role == "user" and earlier[-1].text.strip() == prompt.strip():
            earlier.pop()
        turn = sum(message.role == "user" for message in earlier)
        match = self.understand(prompt)
        if match is None:
            return _rotate(self.dialogue.not_understood, turn)
        intent = self.dialogue.intents[match.sentence.intent]
        failed = intent.call and (answer is None or answer.error)
        text = _rotate(intent.when_failed if failed else _answers(intent, match), turn)
        values = dict(match.sentence.slots)
        if any(f"{{{name}}}" in text for name in CONTEXT_SLOTS):
            values |= {"last_answer": _last(earlier, "assistant"), "last_question": _last(earlier, "user")}
            if any(f"{{{name}}}" in text and not values[name] for name in CONTEXT_SLOTS):
                text = _rotate(intent.without_context, turn)
        # One pass, so that braces in what a caller said are never taken for slots.
        result = answer.value if answer is not None else None
        return SLOT.sub(lambda found: _filled(found[1], values, result), text)

    async def invoke(self, call: Invocation) -> None:
        """Reads the prompt to its end, then streams the answer. Raises `Cancelled` when the kernel cancels."""
        parts = [item.payload.decode("utf-8", "replace") async for item in call.inputs() if item.port == "prompt"]
        prompt = " ".join(parts)
        match = self.understand(prompt)
        intent = self.dialogue.intents[match.sentence.intent] if match else None
        answer = None
        if match and intent and intent.call:
            answer = await call.call_tool(intent.call, _arguments(intent, dict(match.sentence.slots), call.tools))
        text = self.answer(prompt, call.messages, answer)
        loop = asyncio.get_running_loop()
        start = loop.time()
        due_ns = self._first_word_ns
        for position, word in enumerate(text.split(" ")):
            # Against the start, not word by word: delays of the consumer do not add up.
            pause_s = start + due_ns / SECOND - loop.time()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            await call.emit("delta", (f" {word}" if position else word).encode())
            due_ns += self._word_ns
        await call.emit("final", text.encode(), final=True)


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Scripted:
    """Makes the provider. Raises `ProviderError` for a bad setting or dialogue, naming file, line and key."""
    read = Options("scripted", "llm", options, ("script", "words_per_second", "first_word_ns"))
    file, data = read.resource("script", resources) or (BUILT_IN_NAME, BUILT_IN)
    return Scripted(
        parse_dialogue(data, file),
        read.number("words_per_second", 40.0, 0.5, 10_000.0),
        read.duration_ns("first_word_ns", 50 * MS, 0, 10 * SECOND),
    )


def _answers(intent: Intent, match: Match) -> tuple[str, ...]:
    for slot in match.sentence.slots:
        if slot in intent.answers_for:
            return intent.answers_for[slot]
    return intent.answers


def _arguments(intent: Intent, slots: Mapping[str, str], offers: Sequence[Offer]) -> dict[str, Any]:
    """What the tool is called with: slots filled in, and read as the type that the tool declares."""
    types = next((dict(offer.params) for offer in offers if offer.name == intent.call), {})
    found: dict[str, Any] = {}
    for name, value in intent.arguments:
        text = SLOT.sub(lambda slot: slots[slot[1]], value) if isinstance(value, str) else value
        found[name] = _read(text, types.get(name, "text")) if isinstance(text, str) else text
    return found


def _read(text: str, type: str) -> Any:
    """A number or a flag where the tool wants one, and the text is one; else the text."""
    if type == "flag" and text.lower() in ("yes", "no", "true", "false"):
        return text.lower() in ("yes", "true")
    try:
        return (float(text) if "." in text else int(text)) if type == "number" else text
    except ValueError:
        return text


def _filled(name: str, values: Mapping[str, str], result: Any) -> str:
    """A slot's text: of the sentence, of the conversation, or of what a tool said."""
    if name in values:
        return values[name]
    for part in name.split(".")[1:]:
        result = result.get(part, "") if isinstance(result, dict) else ""
    return result if isinstance(result, str) else canonical(result)


def _rotate(texts: Sequence[str], turn: int) -> str:
    return texts[turn % len(texts)]


def _last(messages: Sequence[Message], role: str) -> str:
    """The newest non-empty message of that role."""
    for message in reversed(messages):
        if message.role == role and message.text.strip():
            text = message.text.strip()
            return text if len(text) <= QUOTE_CHARS_MAX else text[:QUOTE_CHARS_MAX].rsplit(" ", 1)[0] + " ..."
    return ""
