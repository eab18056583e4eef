"""What one session adds to the metrics: its decisions, the ends of its turns and of its calls of providers.

It is told a little later (`session.later`), never within a step, and not of steps that only moved frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import Cause, Follow, Op, Scope, Signal
from rspp_runtime.abi.lookup import budget_name
from rspp_runtime.abi.messages import Output
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.session.observer import InvocationEnd, Observer
from rspp_runtime.telemetry.metrics import EXEMPLAR_CHARS_MAX, SECOND_NS, Metrics

_DECISION, _METRIC = int(Op.DECISION), int(Op.METRIC)
_CAUSES = {int(cause): cause.name.lower() for cause in Cause}
_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}
BASES = ("paced", "acked", "marked")


class SessionFigures(Observer):
    """Of one session. `trace_id` goes along as an exemplar where a figure can have one."""

    LATER = True
    INPUTS = ()
    QUIET_STEPS = MOVES = False
    EVERY_CALL = False

    def __init__(self, metrics: Metrics, session_id: str, trace_id: str = "") -> None:
        self._metrics = metrics
        self._session_id = session_id
        self._trace_id = trace_id
        self._opened_ns: dict[int, int] = {}  # of the turns that are open
        self._is_waiting = False  # for the playback of the newest one
        self._by_signal: dict[int, Callable[[Output, int], None]] = {
            Signal.TURN_OPEN: self._open,
            Signal.COMMIT: self._terminal,
            Signal.ABORT: self._terminal,
            Signal.CLOSE: self._close,
            Signal.REJECT: self._refuse,
            Signal.DEFER: self._refuse,
            Signal.STALE_EPOCH_REJECT: self._refuse,
            Signal.BARGE_IN: self._barge_in,
            Signal.CANCEL: self._cancel,
            Signal.PLAYBACK_STARTED: self._play,
            Signal.PLAYBACK_COMPLETED: self._played,
            Signal.PLAYBACK_CANCELLED: self._played,
            Signal.LATE_AFTER_CANCEL: self._late,
            Signal.BUDGET_EXHAUSTED: self._exhausted,
            Signal.DROP_NOTICE: self._drop,
            Signal.DEGRADE: self._act,
            Signal.FALLBACK: self._act,
            Signal.PROVIDER_SWITCH: self._act,
            Signal.PROVIDER_ERROR: self._error,
        }

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op == _DECISION:
                count = self._by_signal.get(output.code)
                if count is not None:
                    count(output, drained_ns)
            elif output.op == _METRIC:
                edge = self._edge(output.code)
                self._metrics.waiting.labels(edge).observe(output.x)
                if output.y:
                    self._metrics.shed.labels(edge).inc(output.y)

    def on_invocation(self, end: InvocationEnd) -> None:
        metrics, node = self._metrics, self._metrics.plan.nodes[end.node].name
        metrics.invocations.labels(node, end.provider, _OUTCOMES[end.outcome]).inc()
        metrics.took.labels(node, end.provider).observe((end.end_ns - end.start_ns) / SECOND_NS)
        if end.first_ns >= 0:
            metrics.first_outputs.labels(node, end.provider).observe((end.first_ns - end.start_ns) / SECOND_NS)

    # ---- decisions

    def _open(self, output: Output, drained_ns: int) -> None:
        self._opened_ns[output.turn] = output.t_ns
        self._is_waiting = True

    def _play(self, output: Output, drained_ns: int) -> None:
        opened_ns = self._opened_ns.get(output.turn)
        if self._is_waiting and opened_ns is not None:
            self._is_waiting = False  # it may begin again, after a pause
            seconds = (output.t_ns - opened_ns) / SECOND_NS
            self._metrics.turn_playback.observe(seconds, self._exemplar(output.turn))

    def _terminal(self, output: Output, drained_ns: int) -> None:
        if output.code == Signal.COMMIT:
            self._metrics.turns.labels("commit", "completed").inc()
        else:
            self._metrics.turns.labels("abort", _CAUSES[output.cause]).inc()

    def _close(self, output: Output, drained_ns: int) -> None:
        opened_ns = self._opened_ns.pop(output.turn, None)
        if opened_ns is not None:
            seconds = (output.t_ns - opened_ns) / SECOND_NS
            self._metrics.turn_length.observe(seconds, self._exemplar(output.turn))

    def _refuse(self, output: Output, drained_ns: int) -> None:
        outcome = Signal(output.code).name.lower()
        self._metrics.turns_refused.labels(outcome, _CAUSES[output.cause]).inc()

    def _barge_in(self, output: Output, drained_ns: int) -> None:
        self._metrics.barge_ins.inc()

    def _cancel(self, output: Output, drained_ns: int) -> None:
        if output.x == Scope.TURN:
            self._metrics.fence.observe((drained_ns - output.t_ns) / SECOND_NS, self._exemplar(output.turn))

    def _played(self, output: Output, drained_ns: int) -> None:
        self._metrics.basis.labels(BASES[output.port] if output.port < len(BASES) else "paced").inc()

    def _late(self, output: Output, drained_ns: int) -> None:
        self._metrics.refused.labels("fence" if output.y else "door").inc()

    def _exhausted(self, output: Output, drained_ns: int) -> None:
        self._metrics.budgets.labels(budget_name(self._metrics.plan, output.y)).inc()

    def _drop(self, output: Output, drained_ns: int) -> None:
        self._metrics.drops.labels(self._edge(output.node), _CAUSES[output.cause]).inc()

    def _act(self, output: Output, drained_ns: int) -> None:
        self._metrics.actions.labels(Signal(output.code).name.lower()).inc()

    def _error(self, output: Output, drained_ns: int) -> None:
        if output.y == Follow.RETRY:
            self._metrics.actions.labels("retry").inc()

    def _edge(self, edge: int) -> str:
        return self._metrics.plan.edges[edge].name

    def _exemplar(self, turn: int) -> dict[str, str] | None:
        """By which a figure leads to the turn that it is of (OpenMetrics alone shows it)."""
        found = {"turn_id": f"{self._session_id}/{turn}"}
        if self._trace_id:
            found["trace_id"] = self._trace_id
        return found if sum(len(name) + len(text) for name, text in found.items()) <= EXEMPLAR_CHARS_MAX else None
