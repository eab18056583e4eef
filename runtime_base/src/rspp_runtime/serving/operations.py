"""What a server says about itself, put together: figures at `/metrics`, the loop's lag, who is told of sessions."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rspp_runtime.serving.admission import Admission
from rspp_runtime.serving.hub import Hub, Seat
from rspp_runtime.serving.settings import Settings
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Package
from rspp_runtime.telemetry.lag import LagSampler
from rspp_runtime.telemetry.lines import SessionLines
from rspp_runtime.telemetry.metrics import Metrics
from rspp_runtime.telemetry.session import SessionFigures

if TYPE_CHECKING:
    from rspp_runtime.telemetry.otlp import Pushing
    from rspp_runtime.telemetry.traces import Tracing

log = logging.getLogger(__name__)

LOOK_S = 5.0  # between two copies of what the hub has counted, for a collector
REFUSALS_EVERY = 100  # readings of the loop's lag: 5 s
ENVIRONMENT = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Where OpenTelemetry says that somebody collects traces."""


class Operations:
    """Of one server. `watch` is one of the hub's watchers; `start` and `stop` are called within the loop."""

    def __init__(self, package: Package, settings: Settings) -> None:
        """Raises `ModuleNotFoundError` if traces are asked for and OpenTelemetry is not here."""
        self.metrics = Metrics(package.plan, kernel=settings.kernel or _kernel(package))
        self._plan = package.plan
        self._lag: LagSampler | None = None
        self._tracing: Tracing | None = None
        self._pushing: Pushing | None = None
        self._looking: asyncio.Task[None] | None = None
        if settings.otlp or any(os.environ.get(name) for name in ENVIRONMENT):
            from rspp_runtime.telemetry.otlp import Pushing
            from rspp_runtime.telemetry.traces import Tracing

            self._pushing = Pushing(self.metrics.registry, package.plan, settings.otlp)
            self._tracing = Tracing(package.plan, settings.otlp, models=_models(package))

    def watch(self, seat: Seat) -> Sequence[Observer]:
        trace_id, traced = "", []
        if self._tracing is not None:
            zero_ns = time.time_ns() - seat.clock.now_ns()
            trace = self._tracing.session(seat.session_id, seat.tenant, zero_ns, seat.traceparent)
            trace_id, traced = trace.trace_id, [trace]
        ids = {"session_id": seat.session_id, "tenant": seat.tenant, **({"trace_id": trace_id} if trace_id else {})}
        figures = SessionFigures(self.metrics, seat.session_id, trace_id)
        return (figures, SessionLines(self._plan, **ids), *traced)

    def start(self, hub: Hub) -> None:
        """From now on the loop's lag is known, and admission goes by it."""
        overload = Overload(hub.admission)
        self._lag = LagSampler(self.metrics.lag, lambda _, steady_ns: overload.lag(steady_ns))
        self._lag.start()
        if self._pushing is not None:
            self._pushing.start()
            self._looking = asyncio.create_task(self._look(hub), name="look")

    async def stop(self) -> None:
        """What waits to be exported is on its way, or given up."""
        if self._lag is not None:
            self._lag.stop()
        if self._looking is not None:
            self._looking.cancel()
        for sending in (self._tracing, self._pushing):
            if sending is not None:
                await asyncio.to_thread(sending.close)

    async def _look(self, hub: Hub) -> None:
        """What is sent is as new as it is often."""
        while True:
            self.metrics.look(hub)
            await asyncio.sleep(LOOK_S)

    def routes(self, hub: Hub) -> list[BaseRoute]:
        async def metrics(request: Request) -> Response:
            self.metrics.look(hub)
            accept = request.headers.get("accept", "")
            text, content_type = await asyncio.to_thread(self.metrics.text, accept)
            return Response(text, media_type=content_type, headers={"cache-control": "no-store"})

        return [Route("/metrics", metrics)]


class Overload:
    """Tells admission how late the loop is, and the log when that keeps new sessions out, and who was refused: a line
    for each reason every `REFUSALS_EVERY` readings, however many come."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._was_pressed = False
        self._readings = 0
        self._counts = dict(admission.counts)

    def lag(self, steady_ns: int) -> None:
        admission = self._admission
        admission.lag(steady_ns)
        if admission.is_pressed != self._was_pressed:
            self._was_pressed = admission.is_pressed
            said = "the loop is late: nobody new is taken" if self._was_pressed else "the loop is in time again"
            log.warning(said, extra={"duration_ms": steady_ns // 1_000_000, "sessions": admission.sessions})
        self._readings += 1
        if self._readings >= REFUSALS_EVERY:
            self._readings = 0
            self._refusals()

    def _refusals(self) -> None:
        before, self._counts = self._counts, dict(self._admission.counts)
        for (outcome, reason), count in self._counts.items():
            more = count - before[outcome, reason]
            if more and outcome != "admit":
                told = {"outcome": outcome, "reason": reason, "count": more, "sessions": self._admission.sessions}
                log.warning("sessions were refused", extra=told)


def _kernel(package: Package) -> str:
    """The one that is taken where none is asked for."""
    return "compiled" if importlib.util.find_spec(f"{package.name}._kernel") else "pure"


def _models(package: Package) -> dict[str, str]:
    """By node: the model that its first provider is asked for."""
    found = {node: rows[0][1].get("model") for node, rows in package.providers.items() if rows}
    return {node: model for node, model in found.items() if isinstance(model, str)}
