"""Figures for Prometheus, as text or OpenMetrics (F-104). No label has a session's id: each has a bounded set of values.

What happens a few times in a turn is counted by the library, whose text is made in another thread than the loop's. What
happens with every frame is counted in plain integers (`Traffic`), which are read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rspp_runtime.abi.plan import Plan

if TYPE_CHECKING:
    from rspp_runtime.serving.admission import Decision

SERVE_EXTRA = "pip install 'rspp-runtime[serve]'"

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
    from prometheus_client.core import CounterMetricFamily
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.metrics import disable_created_metrics
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"metrics need {error.name}: {SERVE_EXTRA}", name=error.name) from None

SECOND_NS = 1_000_000_000
TENANTS_MAX = 64  # with figures of their own; the others are added up as OTHER
REASONS_MAX = 64  # of ended sessions and closed connections, the same
OTHER = "other"
CONNECTION_STATES = ("connected", "reconnecting", "disconnected")

TURN_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
FENCE_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.5)
LAG_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
ITEMS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
EXEMPLAR_CHARS_MAX = 128  # of names and values together (OpenMetrics)


class Traffic:
    """What goes over the sockets: counted by whoever carries it, in plain integers."""

    __slots__ = ("bytes_in", "bytes_out", "frames_in", "frames_out", "messages_in", "messages_out")

    def __init__(self) -> None:
        self.frames_in = self.frames_out = 0  # of audio
        self.bytes_in = self.bytes_out = 0  # of all messages
        self.messages_in = self.messages_out = 0


class Metrics:
    """Those of one process, which serves one pipeline."""

    def __init__(self, plan: Plan, *, kernel: str = "", tenants_max: int = TENANTS_MAX) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.plan = plan
        self.traffic = Traffic()
        self.registry = CollectorRegistry()
        self._tenant_names = _Names(tenants_max)
        self._reason_names = _Names(REASONS_MAX)

        self._info = self._gauge("build_info", "What runs here; always 1.", ("pipeline", "version", "template_hash",
                                                                             "profile", "kernel"))  # fmt: skip
        self._info.labels(plan.pipeline, plan.pipeline_version, plan.template_hash, plan.profile, kernel).set(1)
        self._draining = self._gauge("draining", "1 while the process takes no new sessions because it will stop.")
        self._loop_lag = self._gauge("loop_lag_seconds", "How late the event loop was at most within the last second.")
        self._loop_lags = self._histogram("loop_delay_seconds", "How late the event loop was, each time.", LAG_BUCKETS)

        self._sessions = self._gauge("sessions_active", "Sessions that are open.")
        self._sessions_max = self._gauge("sessions_max", "Sessions that may be open.")
        self._opened = self._counter("sessions_opened", "Sessions that began here: new, or resumed.", ("how",))
        self._ended = self._counter("sessions_ended", "Sessions that ended here.", ("outcome", "reason"))
        self._admission = self._counter("admission", "Decisions about new sessions.", ("outcome", "reason"))
        self._tenant_sessions = self._gauge("tenant_sessions_active", "Sessions that a tenant has open.", ("tenant",))
        self._tenant_refused = self._counter(
            "tenant_refusals", "Sessions of a tenant that were rejected or deferred.", ("tenant", "reason")
        )
        self._tokens = self._counter("tokens_refused", "Tokens that were refused.", ("code",))
        self._connections = self._gauge("connections", "Connections of sessions, by their state.", ("state",))
        self._connection_events = self._counter(
            "connection_events", "What happened to connections: silence, stall, resumed and so on.", ("event",)
        )
        self._closed = self._counter("connections_closed", "Sockets that were closed, by close code.", ("code",))

        self.turns = self._counter("turns", "Turns that ended.", ("terminal", "reason"))
        self.turns_refused = self._counter("turns_refused", "Turns that were not opened.", ("outcome", "reason"))
        self.turn_playback = self._histogram(
            "turn_playback_seconds", "From the opening of a turn to the start of its playback.", TURN_BUCKETS
        )
        self.turn_length = self._histogram("turn_seconds", "From the opening of a turn to its close.", TURN_BUCKETS)
        self.fence = self._histogram(
            "cancel_fence_seconds", "From the moment a cancel was accepted to its fence.", FENCE_BUCKETS
        )
        self.barge_ins = self._counter("barge_ins", "Users who talked over an answer.")
        self.refused = self._counter("outputs_refused", "Outputs that came after their turn's cancel.", ("where",))
        self.budgets = self._counter("budgets_exhausted", "Budgets that were used up.", ("budget",))
        self.actions = self._counter("adaptive_actions", "What was done so that a turn could go on.", ("action",))
        self.basis = self._counter("playbacks", "Playbacks that ended, by how it is known what was heard.", ("basis",))
        self.drops = self._counter("drops", "Decisions to drop items of an edge.", ("edge", "cause"))
        self.shed = self._counter("items_shed", "Items that edges of turns shed.", ("edge",))
        self.waiting = self._histogram(
            "edge_items", "Items that waited in an edge of a turn at once, at most.", ITEMS_BUCKETS, ("edge",)
        )
        self.invocations = self._counter(
            "provider_invocations", "Calls of providers that ended.", ("node", "provider", "outcome")
        )
        self.first_outputs = self._histogram(
            "provider_first_output_seconds", "From the call of a provider to its first output.", TURN_BUCKETS,
            ("node", "provider"),
        )  # fmt: skip
        self.took = self._histogram(
            "provider_seconds", "From the call of a provider to its end.", TURN_BUCKETS, ("node", "provider")
        )

        for state in CONNECTION_STATES:
            self._connections.labels(state).set(0)
        self.registry.register(_TrafficCollector(self.traffic))
        ProcessCollector(registry=self.registry)

    # ---- the process

    def lag(self, ns: int, worst_ns: int) -> None:
        """The loop was late by `ns` now, and by `worst_ns` at most within the last second."""
        self._loop_lags.observe(ns / SECOND_NS)
        self._loop_lag.set(worst_ns / SECOND_NS)

    def draining(self, is_draining: bool) -> None:
        self._draining.set(is_draining)

    def capacity(self, sessions_max: int) -> None:
        self._sessions_max.set(sessions_max)

    # ---- sessions

    def admission(self, decision: Decision, tenant: str = "") -> None:
        """What was decided about a session of that tenant, "" before its token was looked at."""
        self._admission.labels(decision.outcome, decision.reason).inc()
        if tenant and not decision.is_admitted:
            self._tenant_refused.labels(self._tenant_names(tenant), decision.reason).inc()

    def token_refused(self, code: str) -> None:
        self._tokens.labels(self._reason_names(code)).inc()

    def session_opened(self, tenant: str, *, resumed: bool = False) -> None:
        self._sessions.inc()
        self._tenant_sessions.labels(self._tenant_names(tenant)).inc()
        self._opened.labels("resumed" if resumed else "new").inc()

    def session_ended(self, tenant: str, outcome: str, reason: str) -> None:
        """`outcome`: completed, dropped, drained, failed; `reason`: one of a few words."""
        self._sessions.dec()
        self._tenant_sessions.labels(self._tenant_names(tenant)).dec()
        self._ended.labels(self._reason_names(outcome), self._reason_names(reason)).inc()

    # ---- connections

    def connection(self, before: str | None, after: str | None) -> None:
        """A connection of a session goes from one state to another (CONTRACTS §3, RK-23); None: there was or is none."""
        if before in CONNECTION_STATES:
            self._connections.labels(before).dec()
        if after in CONNECTION_STATES:
            self._connections.labels(after).inc()

    def connection_event(self, event: str) -> None:
        self._connection_events.labels(self._reason_names(event)).inc()

    def connection_closed(self, code: int) -> None:
        self._closed.labels(self._reason_names(str(code))).inc()

    # ---- what is read

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Everything, and its content type, in the form that `Accept` asks for. Takes milliseconds: not for the loop."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    # ---- how they are made

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"rspp_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"rspp_{name}", what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(f"rspp_{name}", what, labels, buckets=buckets, registry=self.registry)


class _TrafficCollector(Collector):
    """The plain integers, when somebody asks."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    def collect(self) -> Iterator[Any]:
        for name, what in (
            ("frames", "Frames of audio that came in and went out."),
            ("bytes", "Bytes of messages that came in and went out."),
            ("messages", "Messages that came in and went out."),
        ):
            family = CounterMetricFamily(f"rspp_{name}", what, labels=["direction"])
            for direction in ("in", "out"):
                family.add_metric([direction], getattr(self._traffic, f"{name}_{direction}"))
            yield family

    def describe(self) -> Iterable[Any]:
        return ()


class _Names:
    """Values of a label, of which there are at most so many: who comes later is OTHER."""

    def __init__(self, count_max: int) -> None:
        self._known: set[str] = set()
        self._count_max = count_max

    def __call__(self, name: str) -> str:
        if name not in self._known:
            if len(self._known) >= self._count_max:
                return OTHER
            self._known.add(name)
        return name
