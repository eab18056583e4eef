"""The driver of one session: offers inputs, advances, performs what is asked (docs/kernel.md).

    input ──▶ take()  ──▶ session.ingest ──▶ step, at once: advance → drain → perform
    input ──▶ offer() ──▶ session.ingest ──▶ pump ──▶ step, in the next round of the loop

There is no queue of its own: an input goes straight into the kernel's bounded inbox or rings, or its producer waits.
What comes from outside, and a provider's first output after a wait, is acted on at once (decision 0047). Nor is there a
task that waits: the pump of the event loop steps all sessions that have something to do (`pump`). Every wait has an
owner that ends it: a RESUME, a step, a cancel, or the close. What runs for each input and each step is compiled, and
this class's base (`stepper`).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from rspp_runtime.abi.codes import Attribute, Control, Op, Result, Signal
from rspp_runtime.abi.lookup import check_bound
from rspp_runtime.abi.messages import Output, Session
from rspp_runtime.abi.plan import Node, Plan
from rspp_runtime.providers.contract import Provider
from rspp_runtime.session.activity import Activity
from rspp_runtime.session.audience import Audience
from rspp_runtime.session.clock import MS_NS, SECOND_NS, Clock
from rspp_runtime.session.exchange import YIELD_EVERY
from rspp_runtime.session.gateway import Gateway
from rspp_runtime.session.handlers import Calls
from rspp_runtime.session.invocation import Call, done
from rspp_runtime.session.observer import InvocationEnd, Observer
from rspp_runtime.session.playback import PlayedAudio
from rspp_runtime.session.pump import Pump
from rspp_runtime.session.scopes import Scopes
from rspp_runtime.session.stepper import Stepper
from rspp_runtime.session.waiters import Waiters
from rspp_runtime.tools.journal import Journal
from rspp_runtime.tools.offer import Offer, offers_of
from rspp_runtime.transports.contract import Transport

log = logging.getLogger(__name__)

CLOSE_NS_MAX = 2 * SECOND_NS  # how long ended invocations and the last evidence may take

Evidence = Callable[[int], "asyncio.Future[bool] | bool"]
"""Makes the baseline record of a turn (by serial) durable: True or False, now or later (`Op.APPEND`)."""


class Driver(Stepper):
    """Runs one session. `providers` are those of each effect node by name, in the order of the plan, already prepared.

    `append` performs `Op.APPEND`; `observers` see everything, in order; `calls` are those of the session's handlers;
    `journal` is that of tools with `once`; `sequence` is the last transport sequence of an earlier holder; `kept` is
    what nodes remember, by id; `attributes` are what is known of the session. The session itself stays the caller's.

    A process has thousands of them: no dict of attributes, and nothing made before somebody needs it.
    """

    __slots__ = (
        "__weakref__", "_append", "_appending", "_attributes", "_for_room", "_kept", "_loop", "_over",
        "_providers", "_taken", "_transport", "clock", "context", "journal", "plan",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        plan: Plan,
        *,
        clock: Clock,
        epoch: int,
        providers: Mapping[str, Sequence[tuple[str, Provider]]],
        transport: Transport,
        append: Evidence,
        observers: Sequence[Observer] = (),
        calls: Calls | None = None,
        journal: Journal | None = None,
        sequence: int = 0,
        kept: Mapping[int, Scopes] | None = None,
        attributes: Mapping[Attribute, str] | None = None,
    ) -> None:
        check_bound(plan, providers)
        self.plan = plan
        self.clock = clock
        self.journal = journal or Journal("")
        self._providers, self._transport, self._append = providers, transport, append
        self._kept, self._attributes = kept or {}, attributes or {}
        activity = Activity(plan)
        audience = Audience((activity, *observers))
        node_calls = calls or Calls()
        node_calls.want(every=audience.every_call)
        ports = plan.nodes[plan.egress].inputs if plan.egress >= 0 else ()
        super().__init__(
            session,
            clock,
            Gateway(plan, epoch, sequence),
            activity,
            audience,
            node_calls,
            _PERFORM,
            ports,
            transport,
        )
        self._appending: list[asyncio.Future[bool]] = []  # evidence on its way to the disk
        self._loop: asyncio.AbstractEventLoop | None = None
        self.context = contextvars.copy_context()  # in which its invocations run
        self._taken = 0  # media since the driver was made
        self._for_room = Waiters()  # media, for the RESUME of the ingress
        self._over: asyncio.Future[None] | None = None  # the session has ended, or a step has raised `failure`

    # ---- for transports, API and invocations

    @property
    def audio_bytes_per_second(self) -> int:
        """Of what is played."""
        return self.plan.audio_bytes_per_second

    async def stepped(self) -> None:
        """Returns after the kernel's next step."""
        if not self.awake:
            self.wake()
        await self._step_made()

    async def _step_made(self) -> None:
        if not self.stopped:
            await self.waiting.wait()

    async def media(
        self, port: str, payload: bytes, media_ns: int, *, key: str = "", sequence: int | None = None
    ) -> int:
        """One item from the party; waits while the kernel has no room. Raises `gateway.InputError`.

        With an idempotency `key`, or the transport's own `sequence`, an item that is sent again is REFUSED.
        """
        event = self.gateway.media(port, payload, media_ns, key=key, sequence=sequence)
        while (result := self.take(event)) == Result.FULL and not self.stopped:
            await (self.stepped() if port == "text" else self._for_room.wait())
        self._taken += 1
        if self._taken % YIELD_EVERY == 0:  # others run too, even if a transport has much to hand in
            await asyncio.sleep(0)
        return result

    async def control(self, code: Control, a: int = 0, b: int = 0) -> int:
        """One control input; waits while the inbox is full, and until the kernel has acted on it."""
        event = self.gateway.control(code, a, b)
        at_once = self.pump is not None and not self.stepping
        while (result := self.take(event)) == Result.FULL:
            await self.stepped()
        if result == Result.ACCEPTED and not at_once:
            await self.stepped()
        return result

    def hand_in(self, port: str, payload: bytes, media_ns: int, *, key: str = "", sequence: int | None = None) -> int:
        """One item from a party that cannot wait: FULL, and not taken, without room. Raises `gateway.InputError`."""
        return self.take(self.gateway.media(port, payload, media_ns, key=key, sequence=sequence))

    def tell(self, code: Control, a: int = 0, b: int = 0) -> int:
        """One control input from a party that cannot wait: FULL, and not taken, while the inbox is full."""
        return self.take(self.gateway.control(code, a, b))

    def request(self, code: Control, a: int = 0, b: int = 0) -> None:
        """One control input from any thread: a cancel, say, of somebody else's who does not wait for the loop.

        It is taken when whatever the loop's thread does now has come back, before any output that the kernel has given
        and that was not performed yet: what a cancel takes back of these is not performed.
        """
        self.requests.ask((code, a, b), self._loop, self._take_requests)

    def _take_requests(self) -> None:
        if self.requests and not self.stopped:
            self.step()

    def offers(self, node: Node) -> Mapping[str, Offer]:
        return offers_of(self.plan, node, self._providers)

    def reference(self, media_ns: int, duration_ns: int) -> bytes:
        if self.played is None:
            self.played = PlayedAudio()
        return self.played.read(media_ns, duration_ns)

    def key(self, fairness: Attribute | None) -> Hashable:
        text = self._attributes.get(fairness, "") if fairness is not None else ""
        return (fairness, text) if text else id(self)

    def kept(self, node: Node) -> Scopes | None:
        return self._kept.get(node.id)

    def remembered(self, node: Node, seq: int, durable: bytes) -> None:
        for tell in self.audience.states:
            tell(node.id, seq, durable)

    def invocation_ended(self, call: Call, end: InvocationEnd) -> None:
        for tell in self.audience.invocations:
            tell(end)
        if not call.forced:
            self.calls.pop(call.id, None)
        self.ended.append(end)
        self._deliver()

    # ---- the loop

    async def run(self) -> None:
        """Until the session has ended and its invocations are gone. Cancelling it closes the session hard."""
        loop = self._loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        self.pump, self.seat = Pump.enter(loop, self.step)
        try:
            self.step()
            await self._over
            await self._wind_down(loop)
            if self.failure is not None:
                raise self.failure
        finally:
            self.stopped = True
            self.pump.leave(self.seat)
            self._release_waiters()
            for call in tuple(self.calls.values()):
                call.abandon()

    def _end(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    # ---- what the kernel asks for, by `Op`

    def _invoke(self, output: Output) -> None:
        node = self.plan.nodes[output.node]
        name, provider = self._providers[node.name][output.x]
        meter = self.plan.meters[node.meter] if node.meter >= 0 else None
        self.calls[output.invocation] = Call(output.invocation, node, output.turn, provider, name, self, meter)

    def _context(self, output: Output) -> None:
        if (call := self.calls.get(output.invocation)) is not None:
            call.message(output.x, output.payload)

    def _finish(self, output: Output) -> None:
        if (call := self.calls.get(output.invocation)) is not None:
            call.finish()

    def _cancel(self, output: Output) -> None:
        if (call := self.calls.get(output.invocation)) is not None:
            call.cancel()

    def _force(self, output: Output) -> None:
        if (call := self.calls.get(output.invocation)) is not None:
            log.warning("%s: invocation %d ignored its cancel and was forced", call.node, call.id)
            call.force()
            call.task.add_done_callback(partial(self._gone, call.id))

    def _resume(self, output: Output) -> None:
        if output.node == self.plan.ingress:
            self._for_room.tell()
        for call in self.calls.values():
            if call.node_id == output.node:
                call.resume()

    def _flush(self, output: Output) -> None:
        if self.played is not None:
            self.played.flush(output.t_ns)
        self._transport.flush(output.turn, output.t_ns)

    def _decided(self, output: Output) -> None:
        if output.code == Signal.LEASE_ROTATED:
            self.gateway.epoch = output.x
        elif output.code == Signal.ENDED:
            self.awake = True  # for `run`, which waits for nothing more

    def _gone(self, invocation: int, _: object) -> None:
        self.calls.pop(invocation, None)

    # ---- answers that must arrive

    def _start_append(self, output: Output) -> None:
        turn = output.turn
        try:
            answer = self._append(turn)
        except OSError as error:
            log.error("evidence of turn %d cannot be appended: %s", turn, error)
            answer = False
        if isinstance(answer, bool):
            self.appended.append((turn, answer))
            self.wake()
            return
        self._appending.append(answer)

        def answered(future: asyncio.Future[bool]) -> None:
            self._appending.remove(future)
            good = not future.cancelled() and future.exception() is None and future.result()
            if not good:
                log.error("evidence of turn %d cannot be appended: %s", turn, future)
            self.appended.append((turn, good))
            self._deliver()

        answer.add_done_callback(answered)

    def _deliver(self) -> None:
        """Offers what waits: requests of other threads, ends of invocations, answers of the evidence log; what finds no
        room waits on."""
        self.requests.deliver(self._control)
        while self.ended and self.offer(done(self.ended[0], self.epoch)) != Result.FULL:
            del self.ended[0]
        while self.appended:
            turn, good = self.appended[0]
            code = Control.EVIDENCE_APPENDED if good else Control.EVIDENCE_FAILED
            if self._control(code, turn, 0) == Result.FULL:
                return
            del self.appended[0]

    def _control(self, code: Control, a: int, b: int) -> int:
        return self.offer(self.gateway.control(code, a, b))

    # ---- the end

    async def _wind_down(self, loop: asyncio.AbstractEventLoop) -> None:
        """ENDED was decided: cancelled invocations have their grace, then FORCE; then nobody is waited for."""
        limit_ns = self.now_ns() + CLOSE_NS_MAX
        while (self._live() or self._appending or self.ended) and self.now_ns() < limit_ns and self.failure is None:
            timer = loop.call_later(10 * MS_NS / SECOND_NS, self.wake)
            await self._step_made()
            timer.cancel()
        for call in self.calls.values():
            if not call.task.done():
                log.warning("%s: invocation %d does not end and is abandoned", call.node, call.id)

    def _live(self) -> bool:
        return any(not call.task.done() for call in self.calls.values() if not call.forced)

    def _release_waiters(self) -> None:
        self.waiting.tell()
        self._for_room.tell()
        for call in self.calls.values():
            call.cancel()


_PERFORMED: dict[int, Callable[[Driver, Output], None]] = {
    Op.DECISION: Driver._decided, Op.INVOKE: Driver._invoke, Op.CONTEXT: Driver._context, Op.FINISH: Driver._finish,
    Op.CANCEL: Driver._cancel, Op.FORCE: Driver._force, Op.RESUME: Driver._resume, Op.FLUSH: Driver._flush,
    Op.APPEND: Driver._start_append,
}  # fmt: skip
_PERFORM = [_PERFORMED.get(op) for op in range(max(Op) + 1)]  # `stepper` sends and feeds
