"""A package served: providers prepared, doors open, until SIGTERM.

first SIGTERM or Ctrl-C    drains: nobody new, each session leaves when its turn is over, at most the grace
second                     at once
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket as sockets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path

import uvicorn
from starlette.routing import BaseRoute

from rspp_runtime.audio.format import spoken_here
from rspp_runtime.security.origins import is_loopback
from rspp_runtime.serving.app import make_app
from rspp_runtime.serving.doors import Doors
from rspp_runtime.serving.guard import Guard
from rspp_runtime.serving.hub import Hub, Watchers
from rspp_runtime.serving.inspection import Inspection
from rspp_runtime.serving.listener import websocket_protocol
from rspp_runtime.serving.operations import Operations
from rspp_runtime.serving.rtvi import door as rtvi
from rspp_runtime.serving.settings import Settings
from rspp_runtime.serving.web import Http, Web
from rspp_runtime.session.package import Bound, Package, PackageError, close_providers, make_providers

log = logging.getLogger(__name__)

CONSOLE = Path(__file__).parents[1] / "console"
GC_THRESHOLD = (10_000, 10, 10)
SHUTDOWN_S = 1  # of HTTP requests that are still being answered
AT_ONCE_S = 0.5  # for turns to be cut, their evidence to be written and clients to be told, at the second SIGTERM


Prepare = Callable[[Package], Awaitable[Bound]]


class ServeError(Exception):
    """A server that cannot be started: one sentence, with what to do."""


class Server:
    """See the module. Made outside of a loop, run inside of one."""

    def __init__(self, package: Package, settings: Settings, prepare: Prepare = make_providers) -> None:
        """`prepare` makes the providers of all sessions. Raises `ServeError`, `KeyFileError`."""
        if settings.development and not is_loopback(settings.host):
            raise ServeError(
                f"--dev gives tokens to whoever asks: it serves this machine only, not {settings.host}; "
                "in production give --signing-key or --trust (docs/operations.md)"
            )
        if not settings.development and settings.signing_key is None and not settings.trusted_keys:
            raise ServeError(
                "nobody could come in: give --signing-key FILE or --trust FILE (rspp token new-key makes them), "
                "or --dev for this machine only"
            )
        missing = set(settings.codecs) - set(spoken_here())
        if missing:
            raise ServeError("--codec opus needs its extra: pip install 'rspp-runtime[opus]', or leave it out")
        self.package = package
        self.settings = settings
        self.guard = Guard(package, settings)
        self._prepare = prepare
        self.watchers: list[Watchers] = []
        self.port = settings.port

    def bind(self) -> sockets.socket:
        """The listening socket. Raises `ServeError`."""
        host, port = self.settings.host.strip("[]"), self.settings.port
        family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
        found = sockets.socket(family, sockets.SOCK_STREAM)
        found.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            found.bind((host, port))
        except OSError as error:
            found.close()
            raise ServeError(
                f"{url_host(host)}:{port} cannot be listened to: {error.strerror}; give another --host or --port"
            ) from None
        self.port = found.getsockname()[1]
        return found

    async def serve(self, listening: sockets.socket, ready: Callable[[], None]) -> None:
        """Serves until it is told to stop. `ready` is called when clients are answered. Raises `PackageError`."""
        settings = self.settings
        if settings.log_dir is not None:
            try:
                settings.log_dir.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ServeError(f"{settings.log_dir} cannot be made: {error.strerror}") from None
        providers = await self._prepare(self.package)
        operations = Operations(self.package, settings)
        inspection = Inspection(self.package, settings, self.guard)
        watchers = [*self.watchers, operations.watch, inspection.watch]
        hub = Hub(self.package, providers, settings, self.guard, watchers)
        doors = Doors(hub, self.guard)
        inspection.opened(hub, doors)
        more: list[BaseRoute] = [*operations.routes(hub), *inspection.routes, *rtvi.open_doors(doors, hub, self.guard)]
        pages = CONSOLE if settings.console and (CONSOLE / "index.html").is_file() else None
        config = uvicorn.Config(
            make_app(hub, self.guard, more, pages),
            http=Http,
            ws=websocket_protocol(doors.answer, settings.proxies, doors.broken),  # type: ignore[arg-type]
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=SHUTDOWN_S,
            limit_concurrency=None,
            backlog=1024,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        web = Web(config)
        stopping = asyncio.Event()
        at_once = asyncio.Event()
        try:
            hub.start()
            _settle()
            operations.start(hub)
            with _stopped_by_signals(stopping, at_once):
                serving = asyncio.create_task(web.serve([listening]), name="web")
                stopped = asyncio.create_task(stopping.wait())
                while not web.started and not serving.done():
                    await asyncio.sleep(0.01)
                ready()
                await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    log.info("draining %d sessions", len(hub.seats))
                    await _either(hub.drain(settings.grace_s), at_once)
                    if at_once.is_set():
                        await hub.cut(AT_ONCE_S)
                    web.should_exit = True
                    web.force_exit = at_once.is_set()
                await serving
                stopped.cancel()
        finally:
            await operations.stop()
            await hub.close()
            await close_providers(providers)


def _settle() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again, and need not look so often. A
    session makes no cycles while it runs (F-105)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def url_host(host: str) -> str:
    """An address as it is written in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


async def _either(work: Coroutine[None, None, None], event: asyncio.Event) -> None:
    """Until the work is done, or the event set, which cancels it."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, waiting):
        task.cancel()
    await asyncio.gather(working, waiting, return_exceptions=True)


@contextlib.contextmanager
def _stopped_by_signals(stopping: asyncio.Event, at_once: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            at_once.set()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


__all__ = ["PackageError", "ServeError", "Server", "url_host"]
