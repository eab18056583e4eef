"""Where a Python node is called outside of the kernel: a thread, or a process of its own.

Both are daemons with a bounded queue: a call that never comes back is left behind, and holds up neither other sessions
nor the end of the program.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node
from rspp_runtime.providers.contract import Outcome, ProviderError
from rspp_runtime.session.handlers import NodeError, UserNode, load, perform

P = ParamSpec("P")
T = TypeVar("T")
Performed = tuple[list[Emission], str]

LEFT_BEHIND_MAX = 8
WAITING_MAX = 16  # calls that wait for a worker; a session has one at a time, so more is a fault


class Thread(Executor):
    """One thread of a session, for the calls of one node."""

    def __init__(self, name: str) -> None:
        self._calls: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Raises `queue.Full`."""
        future: Future[T] = Future()
        self._calls.put_nowait((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """No more calls; one that is under way goes on until it comes back, and nobody waits for it."""
        with contextlib.suppress(queue.Full):
            self._calls.put_nowait(None)

    @property
    def is_busy(self) -> bool:
        """Whether it is still there."""
        return self._thread.is_alive()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # whatever it is, it belongs to the call
                future.set_exception(error)


class LeftBehind:
    """Threads whose call never came back, of one node or tool: with `LEFT_BEHIND_MAX` it is not called any more."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._threads: list[Thread] = []

    def add(self, thread: Thread) -> None:
        self._threads.append(thread)

    def check(self) -> None:
        """Raises `ProviderError` if there are too many."""
        self._threads = [thread for thread in self._threads if thread.is_busy]
        if len(self._threads) >= LEFT_BEHIND_MAX:
            reason = f"{len(self._threads)} calls of {self._reference} have not come back: it is not called any more"
            raise ProviderError(Outcome.OVERLOAD, reason)


class Process:
    """A process of a session, for the calls of one node; `memory_bytes` is all that it may have, 0 for no bound."""

    def __init__(self, reference: str, memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, reference, memory_bytes, list(sys.path)), daemon=True
        )
        self._process.start()
        there.close()

    def call(self, node: Node, kernel_item: KernelItem) -> Performed:
        """Blocks until it has answered, or is gone."""
        try:
            self._here.send((node, tuple(kernel_item)))
            emissions, reason = self._here.recv()
        except (EOFError, OSError):
            return [], "its process is gone: it was killed, or left without memory"
        return [Emission(*one) for one in emissions], reason

    def kill(self) -> None:
        """At once, whatever it is doing."""
        self._process.kill()
        self._process.join(1.0)
        self._here.close()


def _serve(there: Connection, reference: str, memory_bytes: int, path: list[str]) -> None:
    """The other process: one call after the other until nobody asks any more."""
    sys.path[:] = path
    user: UserNode | None = None
    wrong = ""
    try:
        user = load(reference, "of a pipeline")
    except NodeError as error:
        wrong = str(error)
    if memory_bytes:
        _bound(memory_bytes)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            node, item = there.recv()
            try:
                emissions, reason = perform(node, user, KernelItem(*item)) if user else ([], wrong)
            except MemoryError:
                emissions, reason = [], f"MemoryError: it may have {memory_bytes} bytes"
            there.send(([tuple(one) for one in emissions], reason))


def _bound(memory_bytes: int) -> None:
    """Where the system has such a bound: what the process has by now, and so much more."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        taken = 0
    resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes, taken + memory_bytes))
