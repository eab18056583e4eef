"""The contract between the kernel's effects and whoever performs them (CONTRACTS: providers; F-160).

An *effect node* (recogniser, language model, voice, voice-activity model) is a node whose work is I/O. The kernel
decides when an invocation starts, what it is fed, and when it is cancelled; a `Provider` performs it. Everything that
an invocation produces goes back through `Invocation.emit`, which is the kernel's `ingest` seen from the other side:
it waits while the edge behind it is full, and it raises `Cancelled` once the invocation was cancelled.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from rspp_runtime.tools.offer import Answer, Offer


class Outcome(enum.IntEnum):
    """How an invocation ended (`outcome_class` on the wire is the name in lower case)."""

    SUCCESS = 0
    TIMEOUT = 1
    OVERLOAD = 2
    BLOCKED = 3
    INFRASTRUCTURE_FAILURE = 4
    CANCELLED = 5


class ProviderError(Exception):
    """A provider could not do its work.

    `reason` is a short machine-readable phrase; `retryable` says whether the same request may succeed later.
    """

    def __init__(self, outcome: Outcome, reason: str, *, retryable: bool = False) -> None:
        super().__init__(f"{outcome.name.lower()}: {reason}")
        self.outcome = outcome
        self.reason = reason
        self.retryable = retryable


class Cancelled(Exception):  # noqa: N818 - the field's word for it
    """The invocation was cancelled: stop now, emit nothing more. Adapters let it pass through."""


class Message(NamedTuple):
    """One message of the conversation context: `role` is `user`, `assistant` or `tool`."""

    role: str
    text: str


class Input(NamedTuple):
    """One item fed to an invocation.

    `port` is the input port's name; `payload` is PCM s16le mono for audio and UTF-8 for text;
    `media_ns` is the media time of the first sample, in nanoseconds since the session began; `final` says that a text
    will not be revised.
    """

    port: str
    payload: bytes
    media_ns: int
    final: bool = False


@runtime_checkable
class Invocation(Protocol):
    """One call of a provider, as the provider sees it."""

    @property
    def id(self) -> int: ...

    @property
    def node(self) -> str:
        """Name of the effect node, for messages."""
        ...

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation so far, oldest first, frozen when the turn opened. Empty except for language models."""
        ...

    @property
    def cancelled(self) -> bool:
        """True once the kernel cancelled this invocation. Safe to read from a worker thread, cheap to poll."""
        ...

    @property
    def tools(self) -> Sequence[Offer]:
        """What the model may call. Empty except for language models."""
        ...

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Calls a tool, and waits for its answer: a value, or an error in words. Raises `Cancelled`, and nothing for
        what the tool does; `docs/tools.md` says what is promised.
        """
        ...

    def inputs(self) -> AsyncIterator[Input]:
        """Items in order; ends when the kernel says that no more input comes. Raises `Cancelled`."""
        ...

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
        """Hand one output to the kernel, in order; waits while the edge is full. Raises `Cancelled`.

        Audio must be PCM s16le mono at the port's rate, at most 20 ms an item. For synthesised audio `words` and
        `text_end` say how many words and how many UTF-8 bytes of the text fed so far in this invocation are voiced by
        the end of this item (both cumulative). `final` marks a text that will not be revised.
        """
        ...

    async def used(self, *, tokens_in: int = 0, tokens_out: int = 0) -> None:
        """Tokens that the provider counted, before it goes on: of the request, or of the output that it emits next.

        Only from a provider with an attribute `counts_tokens = True`; of the others tokens are estimated. Raises
        `Cancelled` where a cap leaves no more.
        """
        ...

    def reference(self, media_ns: int, duration_ns: int) -> bytes:
        """What the session was playing at that media time (PCM s16le mono 16 kHz, zeros where it was silent)."""
        ...


@runtime_checkable
class Provider(Protocol):
    """A speech or language engine. One object a process and configuration; invocations may run concurrently."""

    modality: str  # vad, stt, llm, tts

    async def prepare(self) -> None:
        """Load models, check settings; once, before the first session. Raises `ProviderError`."""
        ...

    async def invoke(self, call: Invocation) -> None:
        """Perform one invocation to its end. Returning is success; raise `ProviderError` otherwise."""
        ...

    async def close(self) -> None: ...


class ProviderFactory(Protocol):
    """What the entry-point group `rspp.providers` names: `options` are the spec's settings of the `use` line and the
    node, merged; `resources` maps a `file(...)` setting's path to its bytes. Raises `ProviderError` for bad settings.
    """

    def __call__(self, options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Provider: ...
