"""The observer that writes the log: headers at L0, payloads too at L2 (CONTRACTS §8)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.evidence.entries import Entry, Handler, Input, Invocation, Out, Step
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

log = logging.getLogger(__name__)

Sink = Callable[[Entry], None]


class Recorder(Observer):
    """Turns what happens into entries and hands them to `sink`. `payloads` is what level L2 adds.

    A sink that fails with `OSError` is reported once and not used again: the session goes on until its evidence is
    asked for, and then `failed` makes the turn abort (CONTRACTS §5, T9).
    """

    def __init__(self, sink: Sink, *, payloads: bool) -> None:
        self.failed = False
        self._sink = sink
        self._payloads = payloads

    def put(self, entry: Entry) -> None:
        if self.failed:
            return
        try:
            self._sink(entry)
        except OSError as error:
            self.failed = True
            log.error("the log cannot be written any more: %s", error)

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self.put(
            Input(
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
                event.payload if self._payloads else None,
            )
        )

    def on_handler(self, call: HandlerCall) -> None:
        emissions = call.emissions
        kept = (
            None
            if emissions is None
            else tuple(
                (e.port, e.flags, e.a, e.b, len(e.payload), e.payload if self._payloads else None) for e in emissions
            )
        )
        self.put(Handler(call.node, call.seq, call.start_ns, call.end_ns, kept, call.reason))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self.put(Step(now_ns, deadline_ns, drained_ns, len(outputs)))
        for output in outputs:
            self.put(to_out(output, payload=self._payloads or is_plan_hash(output)))

    def on_invocation(self, end: InvocationEnd) -> None:
        self.put(Invocation(*end))


def is_plan_hash(output: Output) -> bool:
    """A turn's plan hash is a decision's attribute, not a payload: it is kept at every level."""
    return output.op == Op.DECISION and output.code == Signal.TURN_OPEN


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
