"""Figures for Prometheus, as text or OpenMetrics (F-104). No label has a session's id: the values of each are bounded.

What happens a few times in a turn is counted by the library, whose text is made in another thread than the loop's. What
happens with every frame is counted by those who carry it, in plain integers, and copied when somebody asks (`look`).
"""

from __future__ import annotations

import asyncio
from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rspp_runtime.abi.plan import Plan

if TYPE_CHECKING:
    from rspp_runtime.serving.hub import Hub

SERVE_EXTRA = "pip install 'rspp-runtime[serve]'"

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.metrics import disable_created_metrics
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"metrics need {error.name}: {SERVE_EXTRA}", name=error.name) from None

SECOND_NS = 1_000_000_000
TENANTS_MAX = 64  # with figures of their own; the others are added up as OTHER
OTHER = "other"
CONNECTION_STATES = ("connected", "reconnecting", "disconnected")

TURN_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
FENCE_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.5)
LAG_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
ITEMS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
EXEMPLAR_CHARS_MAX = 128  # of names and values together (OpenMetrics)


class Metrics:
    """Those of one process, which serves one pipeline."""

    def __init__(self, plan: Plan, *, kernel: str = "", tenants_max: int = TENANTS_MAX) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.plan = plan
        self.registry = CollectorRegistry()
        self._copied = _Copied(_Names(tenants_max))
        self.registry.register(self._copied)
        ProcessCollector(registry=self.registry)

        info = self._gauge(
            "build_info", "What runs here; always 1.", ("pipeline", "version", "template_hash", "profile", "kernel")
        )
        info.labels(plan.pipeline, plan.pipeline_version, plan.template_hash, plan.profile, kernel).set(1)
        self._loop_lag = self._gauge("loop_lag_seconds", "How late the event loop was, for a fifth of the last second.")
        self._loop_lags = self._histogram("loop_delay_seconds", "How late the event loop was, each time.", LAG_BUCKETS)

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

    def lag(self, ns: int, steady_ns: int) -> None:
        """The loop was late by `ns` now, and by `steady_ns` for a fifth of the last second."""
        self._loop_lags.observe(ns / SECOND_NS)
        self._loop_lag.set(steady_ns / SECOND_NS)

    def look(self, hub: Hub) -> None:
        """Copies what the hub and its parties have counted. On the loop's thread, before `text`."""
        self._copied.look(hub)

    # ---- what is read

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, and its content type, in the form that `Accept` asks for. Takes milliseconds: not for the loop."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    # ---- how they are made

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"rspp_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"rspp_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(f"rspp_{name}", what, labels, buckets=buckets, registry=self.registry)


class _Copied(Collector):
    """What was last copied, as figures."""

    def __init__(self, tenants: _Names) -> None:
        self._tenants = tenants
        self._gauges: dict[str, float] = {}
        self._labelled: dict[str, Mapping[str, float]] = {}
        self._decisions: dict[tuple[str, str], int] = {}

    def look(self, hub: Hub) -> None:
        tally = hub.tally
        states = dict.fromkeys(CONNECTION_STATES, 0)
        for seat in hub.seats.values():
            seat.party.count()
            state = seat.party.connection.state.value
            if state in states:
                states[state] += 1
        tenants: Count[str] = Count()
        for tenant, sessions in hub.admission.tenants.items():
            tenants[self._tenants(tenant)] += sessions
        self._gauges = {
            "sessions_active": len(hub.seats),
            "sessions_max": hub.settings.max_sessions,
            "tasks": len(asyncio.all_tasks()),
            "draining": float(hub.draining),
            "ready": float(not hub.draining and not hub.unready),
        }
        self._decisions = {(outcome, reason): count for (outcome, reason), count in hub.admission.counts.items()}
        self._labelled = {
            "tenant_sessions_active": tenants,
            "connections": states,
            "sessions_ended": dict(hub.ended),
            "connection_events": dict(tally.connections),
            "handshakes_refused": dict(tally.handshakes_refused),
            "messages_refused": dict(tally.refused),
            "frames": {"in": tally.frames_in, "out": tally.frames_out, "refused": tally.frames_refused},
            "audio_packets": dict(tally.audio_packets),
            "audio_concealed_seconds": {"": tally.audio_concealed_ms / 1000},
            "audio_transcode_seconds": {"": tally.audio_transcode_ns / SECOND_NS},
            "deliveries": {"": tally.deliveries},
            "duplicates": {"": tally.duplicates},
        }

    def collect(self) -> Iterator[Any]:
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(f"rspp_{name}", GAUGES[name], value=value)
        for name, values in self._labelled.items():
            is_gauge = name in LABELLED_GAUGES
            what, label = LABELLED_GAUGES[name] if is_gauge else COUNTERS[name]
            make = GaugeMetricFamily if is_gauge else CounterMetricFamily
            family = make(f"rspp_{name}", what, labels=[label] if label else [])
            for key, value in values.items():
                family.add_metric([key] if label else [], value)
            yield family
        decisions = CounterMetricFamily("rspp_admission", "Decisions about new sessions.", labels=["outcome", "reason"])
        for (outcome, reason), count in self._decisions.items():
            decisions.add_metric([outcome, reason], count)
        yield decisions

    def describe(self) -> Iterable[Any]:
        return ()


GAUGES = {
    "sessions_active": "Sessions that are open.",
    "sessions_max": "Sessions that may be open.",
    "tasks": "Tasks of the event loop.",
    "draining": "1 while the process takes no new sessions because it will stop.",
    "ready": "1 while the process takes new sessions.",
}
LABELLED_GAUGES = {
    "tenant_sessions_active": ("Sessions that a tenant has open.", "tenant"),
    "connections": ("Connections of sessions, by their state.", "state"),
}
COUNTERS = {
    "sessions_ended": ("Sessions that are over here: ended, handed_over, cancelled, failed.", "outcome"),
    "connection_events": ("What happened to connections: reconnecting, silence, stall and so on.", "event"),
    "handshakes_refused": ("Connections that were refused before anything was spent on them.", "code"),
    "messages_refused": ("Messages of clients that were not taken.", "code"),
    "frames": ("Frames of 20 ms: handed in, sent, and refused for want of room.", "direction"),
    "audio_packets": ("Packets of clients' audio: taken, late, duplicate, surplus, malformed, lost.", "outcome"),
    "audio_concealed_seconds": ("Audio that was made up for what did not come.", ""),
    "audio_transcode_seconds": ("Time that went into decoding and resampling clients' audio.", ""),
    "deliveries": ("Reports of clients about what they have played.", ""),
    "duplicates": ("Words of clients that came again after a new connection.", ""),
}


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
