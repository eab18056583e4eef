"""`rspp bench`: how many conversations of a pipeline one core of this machine holds, and where its time goes."""

from __future__ import annotations

import asyncio
import json as json_module
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.bench.picture import draw
from rspp_runtime.bench.ramp import Point, climb
from rspp_runtime.bench.report import as_data, as_text, counted
from rspp_runtime.bench.stand_ins import stood_in
from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_INTERRUPTED, Failure, usage
from rspp_runtime.session.handlers import NodeError, find_nodes_here
from rspp_runtime.session.package import Package, PackageError, close_providers, load, make_providers


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    package: str
    sessions: int  # at most
    seconds: float  # each point
    own: bool  # the pipeline's own providers instead of stand-ins
    kernel: str | None
    picture: Path | None
    json: bool


def command(request: Request) -> None:
    """Raises `Failure`."""
    if request.sessions < 1:
        usage("--sessions: at least 1")
    if not 0.5 <= request.seconds <= 600:
        usage("--seconds: 0.5 to 600 for each number of sessions")
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    points: list[Point] = []
    is_whole = True
    try:
        package = load(request.package)
        find_nodes_here()
        with _progress(request) as show:
            asyncio.run(_climbed(request, package, points, show))
    except KeyboardInterrupt:
        is_whole = False
    except (PackageError, NodeError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None
    if not points:
        raise Failure(EXIT_INTERRUPTED, "interrupted before anything was measured")
    if request.picture is not None:
        _write(request.picture, draw(package.plan.pipeline, points))
    if request.json:
        print(json_module.dumps(as_data(package.plan, points), indent=2, ensure_ascii=False))
    else:
        print(as_text(package.plan, points))
        if request.picture is not None:
            print(f"picture   {request.picture}")
    if not is_whole:
        raise SystemExit(EXIT_INTERRUPTED)


async def _climbed(request: Request, package: Package, points: list[Point], show: Callable[[int], None]) -> None:
    bound = await (make_providers(package) if request.own else stood_in(package))
    try:
        async for point in climb(package, bound, request.sessions, request.seconds, request.kernel, show):
            points.append(point)
    finally:
        await close_providers(bound)


@contextmanager
def _progress(request: Request) -> Iterator[Callable[[int], None]]:
    """Takes the number of sessions that is tried next: a bar of these seconds on a terminal, a line elsewhere."""
    if request.json or not sys.stderr.isatty():
        yield lambda sessions: print(f"bench: {counted(sessions)}", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.status import Status

    with Status("bench", console=Console(stderr=True)) as status:
        yield lambda sessions: status.update(f"bench: {counted(sessions)}, of at most {request.sessions:,}")


def _write(path: Path, picture: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, "utf-8")
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None
