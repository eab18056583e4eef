"""The figures of `/metrics` for an OpenTelemetry collector too: the same registry, sent over OTLP every few seconds.

One thread reads and sends. A collector that is away costs one request's patience in that thread, and nothing is kept
for it: figures are sums since the process began, so that the next ones have what the last ones had.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry

from rspp_runtime import __version__
from rspp_runtime.abi.plan import Plan
from rspp_runtime.telemetry.traces import CLOSE_S_MAX, EXPORT_S_MAX, resource_of

try:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        Gauge,
        Histogram,
        HistogramDataPoint,
        Metric,
        MetricsData,
        NumberDataPoint,
        ResourceMetrics,
        ScopeMetrics,
        Sum,
    )
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"OTLP needs {error.name}: pip install 'rspp-runtime[otel]'", name=error.name) from None

EVERY_S = 10.0
PATH = "/v1/metrics"
CUMULATIVE = AggregationTemporality.CUMULATIVE


class Pushing:
    """Sends the registry's figures to `endpoint` (None: what the environment says), from `start` to `close`."""

    def __init__(
        self, registry: CollectorRegistry, plan: Plan, endpoint: str | None = None, every_s: float = EVERY_S
    ) -> None:
        address = endpoint.rstrip("/") + PATH if endpoint else None
        self._exporter = OTLPMetricExporter(endpoint=address, timeout=EXPORT_S_MAX)
        self._registry = registry
        self._resource = resource_of(plan)
        self._every_s = every_s
        self._began_ns = time.time_ns()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rspp-otlp", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, seconds_max: float = CLOSE_S_MAX) -> None:
        """Sends once more, and waits no longer than that."""
        self._over.set()
        self._thread.join(seconds_max)

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self._send()
        self._send()
        self._exporter.shutdown()

    def _send(self) -> None:
        now_ns = time.time_ns()
        metrics = [
            Metric(family.name, family.documentation, "s" if family.name.endswith("_seconds") else "", data)
            for family in self._registry.collect()
            if (data := _data(family, self._began_ns, now_ns)) is not None
        ]
        scope = ScopeMetrics(InstrumentationScope("rspp", __version__), metrics, "")
        self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))


def _data(family: Any, began_ns: int, now_ns: int) -> Sum | Gauge | Histogram | None:
    """A family of Prometheus' as OpenTelemetry has it; None for one without samples."""
    if family.type == "histogram":
        points = list(_histograms(family, began_ns, now_ns))
        return Histogram(points, CUMULATIVE) if points else None
    numbers = [NumberDataPoint(one.labels, began_ns, now_ns, one.value) for one in family.samples]
    if not numbers:
        return None
    return Sum(numbers, CUMULATIVE, True) if family.type == "counter" else Gauge(numbers)


def _histograms(family: Any, began_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    """One for each set of labels. Prometheus' buckets have everything below them, OpenTelemetry's what is in them."""
    found: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        row = found.setdefault(tuple(labels.items()), {"labels": labels, "below": []})
        if sample.name.endswith("_bucket"):
            row["below"].append((float(sample.labels["le"]), int(sample.value)))
        else:
            row[sample.name.rpartition("_")[2]] = sample.value
    for row in found.values():
        below = [count for _, count in row["below"]]
        yield HistogramDataPoint(
            attributes=row["labels"],
            start_time_unix_nano=began_ns,
            time_unix_nano=now_ns,
            count=int(row["count"]),
            sum=row["sum"],
            bucket_counts=[count - before for before, count in zip([0, *below[:-1]], below, strict=True)],
            explicit_bounds=[bound for bound, _ in row["below"][:-1]],
            min=None,  # type: ignore[arg-type]  # nobody knows: the field is left out
            max=None,  # type: ignore[arg-type]
        )
