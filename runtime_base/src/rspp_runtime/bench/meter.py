"""Samples of what happens while sessions run: every figure in nanoseconds, of all sessions together."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from rspp_runtime.abi.codes import In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.overhead import Stopwatch
from rspp_runtime.session.observer import HandlerCall, Observer

SAMPLES_MAX = 200_000  # of a stage; later ones are counted and not kept


class Samples:
    """Durations of one kind."""

    __slots__ = ("_kept", "count", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self._kept = array("q")
        self.count = self.total_ns = self.longest_ns = 0

    def add(self, ns: int) -> None:
        self.count += 1
        self.total_ns += ns
        self.longest_ns = max(self.longest_ns, ns)
        if len(self._kept) < SAMPLES_MAX:
            self._kept.append(ns)

    def quantile(self, share: float) -> int:
        """0 if there is no sample."""
        ordered = sorted(self._kept)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


class Meter:
    """What all sessions of one point of the ramp showed. Nothing is kept before `on` is set."""

    def __init__(self, plan: Plan) -> None:
        self.on = False
        self.plan = plan
        self.lateness = Samples()  # of the callers' frames
        self.answers = Samples()  # end of the question to the first of the answer at the transport
        self.kernel = Samples()  # one step, without the nodes that were called in it
        self.nodes: dict[int, Samples] = {}  # Python nodes: one call; providers: asked to first output
        self.turns = 0

    def late(self, ns: int) -> None:
        if self.on:
            self.lateness.add(max(0, ns))

    def answered(self, ns: int) -> None:
        if self.on:
            self.answers.add(ns)

    def node(self, node: int, ns: int) -> None:
        if self.on:
            self.nodes.setdefault(node, Samples()).add(ns)


class Probe(Observer):
    """Looks on in one session, for the meter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._watch = Stopwatch()
        self._asked: dict[int, int] = {}  # invocations without an output: when they were asked for

    def on_handler(self, call: HandlerCall) -> None:
        self._watch.called(call.node, call.start_ns, call.end_ns)
        self._meter.node(call.node, call.end_ns - call.start_ns)

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        if event.op == In.CHUNK and result == Result.ACCEPTED and event.invocation in self._asked:
            self._meter.node(event.node, now_ns - self._asked.pop(event.invocation))
        elif event.op == In.DONE:
            self._asked.pop(event.invocation, None)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        meter = self._meter
        own_ns, _ = self._watch.stepped(now_ns, drained_ns)
        if meter.on:
            meter.kernel.add(own_ns)
        for output in outputs:
            if output.op == Op.INVOKE:
                self._asked[output.invocation] = drained_ns
            elif output.op == Op.DECISION and output.code == Signal.CLOSE and meter.on:
                meter.turns += 1
