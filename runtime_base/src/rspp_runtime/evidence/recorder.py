"""The observer that writes the log: headers at L0, texts too at L1, all payloads at L2 (CONTRACTS §8).

Recorder        makes an entry of each thing that happened: what a record is, to be read here
LogRecorder     the same records without an entry for each (`tape.Tape`): what a session has
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Entry, Handler, Input, Invocation, Level, Out, State, Step
from rspp_runtime.evidence.levels import LEVELS, Change, Keeps, Levels
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

log = logging.getLogger(__name__)

Sink = Callable[[Entry], None]
Pressure = Callable[[], tuple[float, int]]
"""How full the sink's queue is, 0 to 1, and how late its export, in ns."""


class Recorder(Observer):
    """Turns what happens into entries and hands them to `sink`, with the payloads that its level keeps.

    With `pressure`, the level follows the policy of `levels.Levels`: looked at after each step, changed between steps,
    told to `changed`. `flush()` hands over what the sink still keeps. A sink that fails with `OSError` is reported once
    and not used again: the session goes on until its evidence is asked for, and then `failed` makes the turn abort
    (CONTRACTS §5, T9).
    """

    def __init__(
        self,
        sink: Sink,
        plan: Plan,
        *,
        level: str,
        pressure: Pressure | None = None,
        changed: Callable[[Change], None] | None = None,
        flush: Callable[[], None] | None = None,
    ) -> None:
        self.failed = False
        self._sink = sink
        self._levels = Levels(level)
        self._keeps = Keeps(plan)
        self._pressure = pressure
        self._changed = changed
        self._flush = flush

    @property
    def level(self) -> str:
        """The level that is kept now."""
        return self._levels.level

    def put(self, entry: Entry) -> None:
        if self.failed:
            return
        try:
            self._sink(entry)
        except OSError as error:
            self._fail(error)

    def flush(self) -> None:
        """What was put is on its way."""
        if self._flush is None or self.failed:
            return
        try:
            self._flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failed = True
        log.error("the log cannot be written any more: %s", error)

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self.put(to_input(event, now_ns, result, payload=self._keeps.input(self.level, event)))

    def on_handler(self, call: HandlerCall) -> None:
        emissions = call.emissions
        kept = (
            None
            if emissions is None
            else tuple(
                (
                    e.port,
                    e.flags,
                    e.a,
                    e.b,
                    len(e.payload),
                    e.payload if self._keeps.emission(self.level, call.node, e) else None,
                )
                for e in emissions
            )
        )
        self.put(Handler(call.node, call.seq, call.start_ns, call.end_ns, kept, call.reason))
        if call.durable is not None:
            self.put(State(call.node, call.seq, call.durable))

    def on_state(self, node: int, seq: int, durable: bytes) -> None:
        self.put(State(node, seq, durable))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self.put(Step(now_ns, deadline_ns, drained_ns, len(outputs)))
        level = self.level
        for output in outputs:
            self.put(to_out(output, payload=self._keeps.output(level, output)))
        if self._pressure is not None:
            self._look(drained_ns, any(o.op == Op.DECISION and o.code == Signal.CLOSE for o in outputs))

    def on_invocation(self, end: InvocationEnd) -> None:
        self.put(Invocation(*end))

    def _look(self, now_ns: int, closed: bool) -> None:
        assert self._pressure is not None
        change = self._levels.observe(now_ns, *self._pressure())
        if change is None and closed:
            change = self._levels.turn_boundary(now_ns)
        if change is None:
            return
        self.put(Level(*change[:3], str(change.reason)))
        if self._changed is not None:
            self._changed(change)


class LogRecorder(Recorder):
    """Writes to the tape of `writer`, which has what the level keeps (`LogWriter`, `keeps`)."""

    def __init__(
        self,
        writer: LogWriter,
        plan: Plan,
        *,
        level: str,
        pressure: Pressure | None = None,
        changed: Callable[[Change], None] | None = None,
    ) -> None:
        super().__init__(writer.put, plan, level=level, pressure=pressure, changed=changed, flush=writer.flush)
        self._writer = writer
        self._tape = writer.tape
        self._tape.level = LEVELS.index(level)
        self._tape.on_failure = self._fail
        self.on_input = self._tape.input  # type: ignore[method-assign]  # there is one for every frame: told directly
        if pressure is None:
            self.on_step = self._tape.step  # type: ignore[method-assign, assignment]

    def caught_up(self) -> bool:
        """Nothing more has happened for the moment; whether something is kept, and waits for `flush`."""
        if self.failed:
            return False
        try:
            return self._writer.caught_up()
        except OSError as error:
            self._fail(error)
            return False

    def on_handler(self, call: HandlerCall) -> None:
        if not self.failed:
            try:
                self._tape.handler(call)
            except OSError as error:
                self._fail(error)
        if call.durable is not None:
            self.put(State(call.node, call.seq, call.durable))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        closed = self._tape.step(now_ns, deadline_ns, drained_ns, outputs)
        if self._pressure is not None and not self.failed:
            self._look(drained_ns, closed)
            self._tape.level = LEVELS.index(self.level)


def to_input(event: Inbound, now_ns: int, result: int, *, payload: bool) -> Input:
    """An input as an entry; `payload` says whether its bytes are kept."""
    return Input(
        now_ns,
        int(result),
        int(event.op),
        event.node,
        int(event.port),
        event.invocation,
        event.epoch,
        event.transport_sequence,
        event.media_ns,
        event.flags,
        event.a,
        event.b,
        len(event.payload),
        event.payload if payload else None,
    )


def to_out(output: Output, *, payload: bool) -> Out:
    """An output as an entry; `payload` says whether its bytes are kept."""
    return Out(
        int(output.op),
        output.t_ns,
        output.seq,
        output.node,
        output.port,
        output.turn,
        output.invocation,
        int(output.code),
        int(output.cause),
        output.x,
        output.y,
        len(output.payload),
        bytes(output.payload) if payload else None,
    )
