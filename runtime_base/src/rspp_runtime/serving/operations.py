"""What a server says about itself, put together: figures at `/metrics`, the loop's lag, who is told of sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rspp_runtime.serving.hub import Hub, Seat
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Package
from rspp_runtime.telemetry.lag import LagSampler
from rspp_runtime.telemetry.metrics import Metrics
from rspp_runtime.telemetry.session import SessionFigures


class Operations:
    """Of one server. `watch` is one of the hub's watchers; `start` and `stop` are called within the loop."""

    def __init__(self, package: Package, kernel: str | None) -> None:
        self.metrics = Metrics(package.plan, kernel=kernel or "")
        self._lag: LagSampler | None = None

    def watch(self, seat: Seat) -> Sequence[Observer]:
        return (SessionFigures(self.metrics, seat.session_id),)

    def start(self, hub: Hub) -> None:
        """From now on the loop's lag is known, and admission goes by it."""
        self._lag = LagSampler(self.metrics.lag, lambda _, worst_ns: hub.admission.lag(worst_ns))
        self._lag.start()

    def stop(self) -> None:
        if self._lag is not None:
            self._lag.stop()

    def routes(self, hub: Hub) -> list[BaseRoute]:
        async def metrics(request: Request) -> Response:
            self.metrics.look(hub)
            accept = request.headers.get("accept", "")
            text, content_type = await asyncio.to_thread(self.metrics.text, accept)
            return Response(text, media_type=content_type, headers={"cache-control": "no-store"})

        return [Route("/metrics", metrics)]
