"""One call of a provider, from INVOKE to DONE: the driver's side of `providers.contract.Invocation` (F-160).

kernel asks   INVOKE  CONTEXT  FEED …  FINISH          CANCEL          FORCE
here          start   message  feed    finish          cancel          force
provider      invoke  messages inputs  inputs end      Cancelled       its task is cancelled
kernel hears                   CREDIT  CHUNK …  DONE, exactly once
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextvars import Context
from typing import Any, NoReturn, Protocol

from rspp_runtime.abi.codes import Attribute, Flag, In, Result, Unit
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import SESSION, Meter, Node
from rspp_runtime.providers.contract import Cancelled, Input, Message, Outcome, Provider, ProviderError
from rspp_runtime.session.calling import Calling
from rspp_runtime.session.exchange import Exchange
from rspp_runtime.session.gateway import (
    INCREMENT_PORT,
    InputError,
    check_audio,
    find_port,
    text_mark,
)
from rspp_runtime.session.guard import TIDY_S, Guarded
from rspp_runtime.session.observer import InvocationEnd
from rspp_runtime.session.scopes import Scopes
from rspp_runtime.session.usage import Stamp, Usage
from rspp_runtime.tools.journal import Journal
from rspp_runtime.tools.offer import Answer, Offer

log = logging.getLogger(__name__)

ROLES = ("user", "assistant", "tool")
SECOND_NS = 1_000_000_000

ACCEPTED, FULL, REFUSED = int(Result.ACCEPTED), int(Result.FULL), int(Result.REFUSED)
FINAL, FAILED = int(Flag.FINAL), int(Flag.FAILED)


class Door(Protocol):
    """What an invocation needs of its driver."""

    @property
    def epoch(self) -> int:
        """The authority epoch that this process holds now."""
        ...

    @property
    def audio_bytes_per_second(self) -> int:
        """Of what is played: by it the media time of a voice's audio is counted."""
        ...

    def now_ns(self) -> int: ...

    def offer(self, event: Inbound) -> int:
        """Stamps and ingests; returns a `Result`."""
        ...

    def take(self, event: Inbound) -> int:
        """`offer`, and acts on it before it returns."""
        ...

    async def stepped(self) -> None:
        """Returns after the kernel's next step."""
        ...

    @property
    def context(self) -> Context:
        """In which invocations run, whoever's output has led to them."""
        ...

    def reference(self, media_ns: int, duration_ns: int) -> bytes: ...

    def key(self, fairness: Attribute | None) -> Hashable:
        """Who the session is where several share something: all with the same attribute, or itself."""
        ...

    def kept(self, node: Node) -> Scopes | None:
        """What the session keeps of a Python node outside of the kernel; None if nothing was put there."""
        ...

    def remembered(self, node: Node, seq: int, durable: bytes) -> None:
        """What is durable of it has changed, by its call for item `seq`."""
        ...

    @property
    def journal(self) -> Journal:
        """Of the session's tools."""
        ...

    def offers(self, node: Node) -> Mapping[str, Offer]:
        """The tools of a model, by name."""
        ...

    def invocation_ended(self, call: Call, end: InvocationEnd) -> None: ...


class Call(Exchange):
    """One invocation. Bounded: the kernel feeds no more than the node's window before it gets credit."""

    def __init__(
        self, invocation: int, node: Node, turn: int, provider: Provider, provider_name: str, door: Door,
        meter: Meter | None = None,
    ) -> None:  # fmt: skip
        # A turn-scoped call keeps the epoch it was started with; a session-scoped one goes with its process.
        super().__init__(invocation, node, door, door.epoch if node.scope != SESSION else None)
        self.node = node.name
        self.turn = turn
        self.forced = False
        self.on_cancel: Callable[[], object] | None = None  # called once it is cancelled
        self._provider = provider
        self._provider_name = provider_name
        self._messages: list[Message] = []
        self._emitting = asyncio.Lock()  # by an output that has to wait
        self._tail: dict[int, bytes] = {}  # last byte of each increment port, to count words across deltas
        counts = bool(getattr(provider, "counts_tokens", False))
        self.usage = None if meter is None else Usage(node, meter, counts_tokens=counts)
        self._start_ns = door.now_ns()
        self._done = False
        self._calling = Calling(self, door.offers(node)) if node.calls_max else None
        self.task = asyncio.get_running_loop().create_task(
            self._run(), name=f"{node.name}-{invocation}", context=door.context.copy()
        )

    # ---- what the kernel asks

    def message(self, role: int, text: bytes) -> None:
        self._messages.append(Message(ROLES[role], text.decode("utf-8", "replace")))

    def finish(self) -> None:
        self.finished = True
        self.tell()

    def cancel(self) -> None:
        self.cancelled = True
        self.tell()
        self.resume()
        if self._calling is not None:
            self._calling.cancel()
        if self.on_cancel is not None:
            self.on_cancel()

    def force(self) -> None:
        """The grace is over: the kernel gets its DONE, whatever the task does about it."""
        self.forced = True
        self.abandon()
        self._end(Outcome.CANCELLED, False, "forced after the grace")

    def abandon(self) -> None:
        """The task is cancelled; one that goes on is closed after `TIDY_S`, or when this is called again."""
        self.cancel()
        if self.guard is not None:
            self.guard.last = True
        self.task.cancel()
        asyncio.get_running_loop().call_later(TIDY_S, self.task.cancel)

    # ---- what the provider sees (providers.contract.Invocation)

    @property
    def messages(self) -> Sequence[Message]:
        return self._messages

    @property
    def tools(self) -> Sequence[Offer]:
        return tuple(self._calling.offers.values()) if self._calling is not None else ()

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        if self._calling is None:
            return Answer(error=f"there is no tool {name!r}: this model has none")
        return await self._calling.call(name, arguments)

    async def _metered_inputs(self) -> AsyncIterator[Input]:
        """`inputs` where what is used is counted, and a cap may forbid it."""
        assert self.usage is not None
        while True:
            if self.cancelled:
                raise Cancelled
            if self.items:
                self.seq, item = self.items.popleft()
                if not await self._may_use(
                    self.usage.taking(item.payload, (message.text for message in self._messages))
                ):
                    self.items.clear()
                    self.finished = True  # a cap was reached: it has all the input that it gets
                    continue
                if self.row.kind == "python":
                    yield item
                    await self._credit()
                else:
                    await self._credit()
                    yield item
            elif self.finished:
                return
            else:
                await self.wait()

    async def _credit(self, count: int = 1) -> None:
        """Taken; by a Python node: done with. It ends a wait of the kernel's and must arrive."""
        event = Inbound(In.CREDIT, node=self.node_id, invocation=self.id, epoch=self.door.epoch, a=count)
        while self.door.offer(event) == FULL:
            await self.door.stepped()

    @contextlib.asynccontextmanager
    async def _in_order(self) -> AsyncIterator[None]:
        """Outputs that have to wait go in one after the other, even if several tasks of a provider emit them."""
        self.owed += 1
        try:
            async with self._emitting:
                yield
        finally:
            self.owed -= 1

    async def _settled(self, event: Inbound, result: int) -> None:
        """One output that found no room."""
        async with self._in_order():
            await self._settle(event, result)

    async def _settled_in_order(self, event: Inbound) -> None:
        """One output behind others that wait, or whose use is counted first. Raises `Cancelled` and `ProviderError`."""
        async with self._in_order():
            port = self.row.outputs[event.port]
            if self.usage is not None and not await self._may_use(
                self.usage.giving(port.name, port.type, event.payload)
            ):
                raise Cancelled
            self.wait_anew()
            await self._settle(event, self.door.offer(event))

    async def _settle(self, event: Inbound, result: int) -> None:
        """Offers until it is taken; `result` is what the first offer gave. Raises `Cancelled` and `ProviderError`."""
        port = self.row.outputs[event.port]
        while True:
            if (pause_s := self.pause_s()) >= 0:
                await asyncio.sleep(pause_s)
            if result == ACCEPTED:
                if self.first_ns < 0:
                    self.first_ns = self.door.now_ns()
                return
            if self.cancelled:
                raise Cancelled
            if result == REFUSED:
                # Late, by a hair: the kernel cancelled it within this very step. Otherwise the provider is wrong.
                await self.door.stepped()
                if self.cancelled:
                    raise Cancelled
                raise ProviderError(
                    Outcome.INFRASTRUCTURE_FAILURE,
                    f"the kernel refused {len(event.payload)} bytes on port {port.name!r}",
                )
            # FULL. The kernel resumes who waits for an edge; the inbox has room again after a step.
            await (self.door.stepped() if port.type == "event" else self.resumed.wait())
            self.wait_anew()
            result = self.door.offer(event)

    def reference(self, media_ns: int, duration_ns: int) -> bytes:
        return self.door.reference(media_ns, duration_ns)

    async def used(self, *, tokens_in: int = 0, tokens_out: int = 0) -> None:
        if self.usage is not None:
            stamps = [(Unit.TOKENS_IN, tokens_in), (Unit.TOKENS_OUT, tokens_out)]
            if not await self._may_use([one for one in stamps if one[0] in self.usage.units and one[1]]):
                raise Cancelled

    # ---- inside

    async def _may_use(self, stamps: list[Stamp]) -> bool:
        """Tells the kernel what is about to be used; False if a cap forbids it, once the kernel has acted on that."""
        for unit, amount in stamps:
            event = Inbound(
                In.USAGE, node=self.node_id, port=unit, invocation=self.id, epoch=self.door.epoch, a=amount
            )  # fmt: skip
            while (result := self.door.offer(event)) == FULL:
                await self.door.stepped()
            if result == REFUSED:
                await self.door.stepped()
                return False
        return True

    def _answered(self, media_ns: int, flags: int, payload: bytes) -> None:
        """What a tool has answered came in."""
        assert self._calling is not None
        self._calling.answered(media_ns, flags, payload)

    def _words_of(self, index: int, payload: bytes) -> tuple[int, int]:
        """Where the last sentence of a text ends, and its words. Raises `ProviderError`."""
        row = self.row.outputs[index]
        tail = self._tail.get(index, b"") if row.name == INCREMENT_PORT else b""
        try:
            mark = text_mark(payload, row.mark, within_word=bool(tail) and not tail.isspace())
        except InputError as error:
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, str(error)) from None
        if row.name == INCREMENT_PORT and payload:
            self._tail[index] = payload[-1:]
        return mark

    def _not_an_output(self, port: str, payload: bytes) -> NoReturn:
        """Raises `ProviderError`: there is no such port, or the payload is no frame of audio."""
        if find_port(self.row.outputs, port) >= 0:
            try:
                check_audio(payload, f"{self.node}.{port}")
            except InputError as error:
                raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, str(error)) from None
        known = ", ".join(p.name for p in self.row.outputs) or "none"
        raise ProviderError(
            Outcome.INFRASTRUCTURE_FAILURE, f"node {self.node} has no output {port!r} (it has: {known})"
        )

    async def _run(self) -> None:
        outcome, retryable, reason = Outcome.SUCCESS, False, ""
        try:
            self.guard = Guarded(self._provider.invoke(self))
            await self.guard
            if self.cancelled:
                outcome, reason = Outcome.CANCELLED, "cancelled"
        except Cancelled:
            outcome, reason = Outcome.CANCELLED, "cancelled"
            if not self.cancelled:
                outcome, reason = Outcome.INFRASTRUCTURE_FAILURE, "raised Cancelled, but nobody cancelled"
        except ProviderError as error:
            outcome, retryable, reason = error.outcome, error.retryable, error.reason
            if outcome == Outcome.SUCCESS:
                outcome = Outcome.INFRASTRUCTURE_FAILURE
        except asyncio.CancelledError:
            outcome, reason = Outcome.CANCELLED, "task cancelled"
        except Exception as error:
            # Whatever a provider raises ends its invocation and never the session.
            outcome, reason = Outcome.INFRASTRUCTURE_FAILURE, f"{type(error).__name__}: {error}"
            log.warning("%s (%s): %s", self.node, self._provider_name, reason, exc_info=log.isEnabledFor(logging.DEBUG))
        self._end(outcome, retryable, reason)

    def _end(self, outcome: Outcome, retryable: bool, reason: str) -> None:
        if self._done:
            return
        self._done = True
        end = InvocationEnd(
            self.node_id,
            self.id,
            self._provider_name,
            int(outcome),
            retryable,
            reason,
            self._start_ns,
            self.first_ns,
            self.door.now_ns(),
        )
        self.door.invocation_ended(self, end)


def done(end: InvocationEnd, epoch: int) -> Inbound:
    """The kernel's notice of an invocation's end."""
    return Inbound(In.DONE, node=end.node, invocation=end.invocation, epoch=epoch, a=end.outcome, b=int(end.retryable))
