"""Spans for an OpenTelemetry collector, over OTLP (F-070): a session, its turns, each call of a provider in them.

    rspp.session                          from its beginning to its end
      stt pocketsphinx, vad silero        what listens, whoever speaks
      rspp.turn                           one answer; linked to the recognition that asked for it
        chat scripted                     calls of models by the GenAI conventions (gen_ai.*)
        tts espeak
        execute_tool clock

Made of what the session tells its evidence, a little later (`session.later`): nothing waits for a span. What cannot be
exported is kept in a queue of `SPANS_MAX`, and then dropped. No span has a word that anybody said.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence

from rspp_runtime import __version__
from rspp_runtime.abi.codes import Cause, In, Op, Origin, Scope, Signal, Unit
from rspp_runtime.abi.lookup import budget_name, provider_names
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Node, Plan
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.session.observer import InvocationEnd, Observer

OTEL_EXTRA = "pip install 'rspp-runtime[otel]'"

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"traces need {error.name}: {OTEL_EXTRA}", name=error.name) from None

SPANS_MAX = 4_096  # that wait to be exported
BATCH_MAX = 512
EVERY_MS = 1_000
EXPORT_S_MAX = 5.0  # one request, its retries with it
CLOSE_S_MAX = 2.0
SKEW_NS = 1_000_000_000  # between session time and wall clock, beyond which the latter is believed
EVENTS_MAX = 64  # of one span
PATH = "/v1/traces"

_OPERATIONS = {"llm": "chat", "stt": "speech_to_text", "tts": "text_to_speech"}
_OUTPUT_TYPES = {"llm": "text", "stt": "text", "tts": "speech"}
_CAUSES = {int(cause): cause.name.lower() for cause in Cause}
_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}
_FINE = frozenset({"success", "cancelled"})
_TOLD = {
    Signal.BARGE_IN: "barge_in",
    Signal.DEGRADE: "degrade",
    Signal.FALLBACK: "fallback",
    Signal.OUTPUT_ACCEPTED: "output_accepted",
    Signal.PLAYBACK_STARTED: "playback_started",
    Signal.PROVIDER_SWITCH: "provider_switch",
    Signal.BUDGET_WARNING: "budget_warning",
}  # events of a turn's span that have no attributes
Value = str | int | float | bool


def resource_of(plan: Plan) -> Resource:
    """Who sends spans and figures; `OTEL_RESOURCE_ATTRIBUTES` adds to it."""
    return Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", plan.pipeline),
            "service.version": plan.pipeline_version,
            "rspp.pipeline": plan.pipeline,
            "rspp.pipeline_version": plan.pipeline_version,
            "rspp.template_hash": plan.template_hash,
            "rspp.runtime_version": __version__,
        }
    )


class Tracing:
    """Of one process. `endpoint` is a collector's address (`http://collector:4318`); None: what the environment says.
    `ratio` is the part of sessions that are traced, where whoever calls has not decided that."""

    def __init__(
        self,
        plan: Plan,
        endpoint: str | None = None,
        *,
        ratio: float = 1.0,
        models: Mapping[str, str] | None = None,
        exporter: SpanExporter | None = None,
    ) -> None:
        self.plan = plan
        self.models = models or {}  # by node, where it is known
        address = endpoint.rstrip("/") + PATH if endpoint else None
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(ratio),
            resource=resource_of(plan),
            span_limits=SpanLimits(max_events=EVENTS_MAX, max_span_attribute_length=256),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter or OTLPSpanExporter(endpoint=address, timeout=EXPORT_S_MAX),
                max_queue_size=SPANS_MAX,
                max_export_batch_size=BATCH_MAX,
                schedule_delay_millis=EVERY_MS,
            )
        )
        self.tracer = self._provider.get_tracer("rspp", __version__)

    def session(self, session_id: str, tenant: str, zero_ns: int, traceparent: str = "") -> SessionTrace:
        """The trace of a session. `zero_ns` is the wall clock at session time 0; `traceparent` (W3C) is whoever asked
        for it, and is left out if it is none."""
        return SessionTrace(self, session_id, tenant, zero_ns, traceparent)

    def close(self, seconds_max: float = CLOSE_S_MAX) -> None:
        """Exports what waits, for no longer than that."""
        closing = threading.Thread(target=self._provider.shutdown, name="rspp-traces", daemon=True)
        closing.start()
        closing.join(seconds_max)


class SessionTrace(Observer):
    """Of one session. `trace_id` is in its logs and exemplars, 32 hex digits."""

    LATER = True
    INPUTS = (In.USAGE,)
    QUIET_STEPS = False
    EVERY_CALL = False

    def __init__(self, tracing: Tracing, session_id: str, tenant: str, zero_ns: int, traceparent: str) -> None:
        self._tracing, self._tracer, self._plan = tracing, tracing.tracer, tracing.plan
        self._session_id = session_id
        self._zero_ns = zero_ns
        self._common: dict[str, Value] = {
            "session.id": session_id,
            "gen_ai.conversation.id": session_id,
            "rspp.session_id": session_id,
            "rspp.tenant": tenant,
            "rspp.pipeline_version": self._plan.pipeline_version,
            "rspp.template_hash": self._plan.template_hash,
        }
        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
        self._span = self._tracer.start_span(
            "rspp.session", parent, trace.SpanKind.SERVER, attributes=self._common, start_time=zero_ns
        )
        self._context = trace.set_span_in_context(self._span, Context())
        self._has_begun = False
        self._turns: dict[int, trace.Span] = {}
        self._hashes: dict[int, str] = {}  # of the plans of these turns
        self._calls: dict[int, trace.Span] = {}  # by invocation
        self._used: dict[int, dict[int, int]] = {}  # by invocation: what it was metered for, by unit
        self._proposed: tuple[int, str] = (0, "")  # when and by whom a turn was proposed last
        self._asked: trace.SpanContext | None = None  # the last recognition

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    # ---- observing

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        if event.invocation in self._calls:
            used = self._used.setdefault(event.invocation, {})
            used[event.port] = used.get(event.port, 0) + event.a

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        if not self._has_begun:
            self._begin(now_ns)
        for output in outputs:
            if output.op == Op.DECISION:
                self._decided(output, drained_ns)
            elif output.op == Op.INVOKE:
                self._invoked(output)

    def on_invocation(self, end: InvocationEnd) -> None:
        span = self._calls.pop(end.invocation, None)
        used = self._used.pop(end.invocation, {})
        if span is None:
            return
        outcome = _OUTCOMES[end.outcome]
        span.set_attributes({"gen_ai.provider.name": end.provider, "rspp.outcome": outcome})
        if end.first_ns >= 0:
            span.set_attribute("gen_ai.response.time_to_first_chunk", (end.first_ns - end.start_ns) / 1e9)
            span.add_event("first_output", timestamp=self._zero_ns + end.first_ns)
        for unit, name in ((Unit.TOKENS_IN, "input_tokens"), (Unit.TOKENS_OUT, "output_tokens")):
            if unit in used:
                span.set_attribute(f"gen_ai.usage.{name}", used[unit])
        if outcome not in _FINE:
            span.set_attribute("error.type", outcome)
            span.set_status(trace.StatusCode.ERROR, outcome)
        span.end(self._zero_ns + end.end_ns)

    def on_over(self, now_ns: int) -> None:
        for span in (*self._calls.values(), *self._turns.values(), self._span):
            span.end(self._zero_ns + now_ns)
        self._calls, self._turns, self._used, self._hashes = {}, {}, {}, {}

    # ---- spans

    def _begin(self, now_ns: int) -> None:
        """A session that is gone on with has a time that began elsewhere: it is where the wall clock says."""
        self._has_begun = True
        wall_ns = time.time_ns()
        if abs(wall_ns - self._zero_ns - now_ns) > SKEW_NS:
            self._zero_ns = wall_ns - now_ns

    def _invoked(self, output: Output) -> None:
        node = self._plan.nodes[output.node]
        names = provider_names(self._plan, node.id)
        provider = names[output.x] if output.x < len(names) else ""
        attributes = {**self._common, **self._of_turn(output.turn), **_described(node, self._tracing.models)}
        turn = self._turns.get(output.turn)
        span = self._tracer.start_span(
            _name(node, self._tracing.models.get(node.name, provider)),
            self._context if turn is None else trace.set_span_in_context(turn, Context()),
            trace.SpanKind.INTERNAL if node.tool or node.kind == "python" else trace.SpanKind.CLIENT,
            attributes={**attributes, "gen_ai.provider.name": provider, "rspp.attempt": output.y + 1},
            start_time=self._zero_ns + output.t_ns,
        )
        self._calls[output.invocation] = span
        if node.id == self._plan.recogniser:
            self._asked = span.get_span_context()

    def _decided(self, output: Output, drained_ns: int) -> None:
        signal, t_ns = output.code, self._zero_ns + output.t_ns
        if signal == Signal.TURN_OPEN_PROPOSED:
            self._proposed = (t_ns, Origin(output.x).name.lower())
        elif signal == Signal.TURN_OPEN:
            self._open(output)
        turn = self._turns.get(output.turn)
        if turn is None:
            if signal in (Signal.DISCONNECTED, Signal.CONNECTED, Signal.REJECT, Signal.DEFER):
                self._span.add_event(Signal(signal).name.lower(), timestamp=t_ns)
            return
        if signal in _TOLD:
            turn.add_event(_TOLD[Signal(signal)], timestamp=t_ns)
        elif signal == Signal.CANCEL and output.x == Scope.TURN:
            told: dict[str, Value] = {"cause": _CAUSES[output.cause], "fence_ms": (drained_ns - output.t_ns) / 1e6}
            turn.add_event("cancel", told, t_ns)
        elif signal == Signal.BUDGET_EXHAUSTED:
            turn.add_event("budget_exhausted", {"budget": budget_name(self._plan, output.y)}, t_ns)
        elif signal in (Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED):
            turn.add_event(Signal(signal).name.lower(), timestamp=t_ns)
            turn.set_attributes({"rspp.turn.words_heard": output.x, "rspp.turn.bytes_heard": output.y})
        elif signal in (Signal.COMMIT, Signal.ABORT):
            _end_of(turn, "" if signal == Signal.COMMIT else _CAUSES[output.cause])
        elif signal == Signal.CLOSE:
            del self._turns[output.turn], self._hashes[output.turn]
            turn.end(t_ns)

    def _open(self, output: Output) -> None:
        proposed_ns, origin = self._proposed
        self._hashes[output.turn] = output.payload.hex()
        turn = self._tracer.start_span(
            "rspp.turn",
            self._context,
            attributes={**self._common, **self._of_turn(output.turn), "rspp.turn.origin": origin},
            links=[trace.Link(self._asked)] if self._asked and origin == "speech" else (),
            start_time=proposed_ns or self._zero_ns + output.t_ns,
        )
        turn.add_event("turn_open", timestamp=self._zero_ns + output.t_ns)
        self._turns[output.turn] = turn

    def _of_turn(self, turn: int) -> dict[str, Value]:
        if turn not in self._hashes:
            return {}
        return {"rspp.turn_id": f"{self._session_id}/{turn}", "rspp.turn.plan_hash": self._hashes[turn]}


def _name(node: Node, model: str) -> str:
    if node.tool:
        return f"execute_tool {node.name}"
    return f"{'chat' if node.kind == 'llm' else node.kind} {model or node.name}"


def _described(node: Node, models: Mapping[str, str]) -> dict[str, Value]:
    """A node by the GenAI conventions."""
    found: dict[str, Value] = {"rspp.node": node.name}
    if node.tool:
        return {**found, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": node.name}
    if node.kind in _OPERATIONS:
        found |= {"gen_ai.operation.name": _OPERATIONS[node.kind], "gen_ai.output.type": _OUTPUT_TYPES[node.kind]}
    if node.name in models:
        found["gen_ai.request.model"] = models[node.name]
    return found


def _end_of(turn: trace.Span, cause: str) -> None:
    """A cancelled turn is as it should be: only one that failed is an error."""
    status = "committed" if not cause else "cancelled" if cause == "cancelled" else "aborted"
    turn.set_attributes({"rspp.turn.status": status, "rspp.turn.reason": cause or "completed"})
    if status == "aborted":
        turn.set_attribute("error.type", cause)
        turn.set_status(trace.StatusCode.ERROR, cause)
