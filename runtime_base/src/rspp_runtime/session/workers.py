"""Where a Python node is called outside of the kernel: a task of the loop, a thread, or a process of its own.

Threads and processes are daemons with a bounded queue: a call that never comes back is left behind, and holds up
neither other sessions nor the end of the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node
from rspp_runtime.nodes.state import StateError
from rspp_runtime.providers.contract import Outcome, ProviderError
from rspp_runtime.session.guard import TIDY_S, Guarded
from rspp_runtime.session.handlers import NodeError, UserNode, load, reason_of
from rspp_runtime.session.remembering import Begin, Called, begun, call
from rspp_runtime.session.scopes import Scopes

P = ParamSpec("P")
T = TypeVar("T")
LEFT_BEHIND_MAX = 8  # threads of one session
LEFT_BEHIND_TOTAL = 64  # of all sessions of the process
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
            del call, future, work  # while it waits for the next, it holds nothing of a session


class LeftBehind:
    """Threads whose call never came back, of one node or tool. With `LEFT_BEHIND_MAX` of them a session does not call
    it any more; with `LEFT_BEHIND_TOTAL` nobody does. `session` is whatever is one for each session."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._threads: list[tuple[weakref.ref[object], Thread]] = []

    def add(self, session: object, thread: Thread) -> None:
        self._threads.append((weakref.ref(session), thread))

    def check(self, session: object) -> None:
        """Raises `ProviderError` if there are too many."""
        self._threads = [(of, thread) for of, thread in self._threads if thread.is_busy]
        of_session = sum(of() is session for of, _ in self._threads)
        if of_session >= LEFT_BEHIND_MAX or len(self._threads) >= LEFT_BEHIND_TOTAL:
            left = of_session if of_session >= LEFT_BEHIND_MAX else len(self._threads)
            reason = f"{left} calls of {self._reference} have not come back: it is not called any more"
            raise ProviderError(Outcome.OVERLOAD, reason)


class Tasks:
    """Coroutines of the user's on the session's loop. One that is left behind is told so, and closed if it stays."""

    def __init__(self) -> None:
        self._left: set[asyncio.Task[Any]] = set()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        guarded = Guarded(coroutine)

        async def work() -> T:
            return await guarded

        task = asyncio.create_task(work())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:  # the grace is over: who waited goes on, whatever the coroutine does about it
            guarded.last = True
            task.cancel()
            self._left.add(task)
            task.add_done_callback(self._left.discard)
            asyncio.get_running_loop().call_later(TIDY_S, task.cancel)
            raise

    def close(self) -> None:
        for task in self._left:
            task.cancel()


class Process:
    """A process of a session, for the calls of one node; `memory_bytes` is all that it may have, 0 for no bound."""

    def __init__(self, reference: str, memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, reference, memory_bytes, list(sys.path)), daemon=True
        )
        self._process.start()
        self.is_gone = self._has_begun = False
        there.close()

    def call(self, node: Node, kernel_item: KernelItem, begin: Begin | None) -> Called:
        """Blocks until it has answered, or is gone. With the first call it gets what the node remembers."""
        try:
            self._here.send((node, tuple(kernel_item), None if self._has_begun else begin))
            self._has_begun = True
            emissions, reason, snapshot = self._here.recv()
        except (EOFError, OSError):
            self.is_gone = True
            return [], "its process is gone: it was killed, or left without memory", None
        return [Emission(*one) for one in emissions], reason, snapshot

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
        user = load(reference, "of a pipeline", may_remember=True)
    except NodeError as error:
        wrong = str(error)
    if memory_bytes:
        _bound(memory_bytes)
    scopes: Scopes | None = None
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            node, item, begin = there.recv()
            done: Called = [], wrong, None
            is_whole = True
            try:
                if user is not None:
                    scopes = scopes or begun(node, user, begin)
                    done = call(node, user, scopes, KernelItem(*item))
            except StateError as error:
                done = [], reason_of(error), None
            except MemoryError:
                done = [], f"MemoryError: it may have {memory_bytes} bytes", None
                is_whole = scopes is None
            there.send(([tuple(one) for one in done[0]], *done[1:]))
            if not is_whole:
                return  # what it remembers may be half changed: another process begins with what counts


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
