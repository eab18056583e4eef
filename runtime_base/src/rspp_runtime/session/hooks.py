"""Hooks of Python nodes: `init`, `start`, `stop`, `on_cancel`, `on_barge_in`, `on_budget_exhausted`, each with a limit.

    init, start    in the order of the plan, before the session's first input; one that fails or is too slow ends it
    stop           in the opposite order, after its last; of every node whose `init` was called, whatever happened since
    on_…           when that is decided for a turn; the session does not wait for them

A hook runs in a thread of its own, so that it may wait and its limit holds. One that is too slow is left alone with its
thread, and its node's hooks of that name are not called again. Hooks give nothing back: no decision depends on them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from rspp_runtime.abi.codes import Op, Scope, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import TURN, Hook, Node, Plan
from rspp_runtime.session.clock import SECOND_NS
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.observer import Observer

log = logging.getLogger(__name__)

_ON = {Signal.CANCEL: "on_cancel", Signal.BARGE_IN: "on_barge_in", Signal.BUDGET_EXHAUSTED: "on_budget_exhausted"}


class Hooks(Observer):
    """Those of one session. `users` are its Python nodes by node id, as they were loaded."""

    QUIET_STEPS = MOVES = False

    def __init__(self, plan: Plan, users: Mapping[int, object]) -> None:
        """Raises `NodeError` for a hook that the pipeline declares and the node does not have."""
        self._nodes = [node for node in plan.nodes if node.hooks]
        self._calls: dict[tuple[int, str], Callable[[], object]] = {}
        for node in self._nodes:
            for hook in node.hooks:
                method = getattr(users.get(node.id), hook.name, None)
                if not callable(method):
                    raise NodeError(
                        f"node {node.name}: the pipeline says how long its hook {hook.name} may take, and it has none: "
                        f"write a class with a method `def {hook.name}(self)`, or take `{hook.name}` out of `hooks`"
                    )
                self._calls[node.id, hook.name] = method
        self._opened: list[Node] = []
        self._running: set[asyncio.Task[bool]] = set()
        self._threads = _Threads()

    async def open(self) -> None:
        """`init` of every node, then `start`. Raises `NodeError` when one fails or is too slow."""
        for node in self._nodes:
            self._opened.append(node)
            await self._must(node, "init")
        for node in self._nodes:
            await self._must(node, "start")

    async def close(self) -> None:
        """What still runs has its limit; then `stop` of every node, the last one first. What goes wrong is logged."""
        if self._running:
            await asyncio.wait(self._running)
        while self._opened:
            node = self._opened.pop()
            if hook := _hook(node, "stop"):
                await self._call(node, hook)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op == Op.DECISION and output.code in _ON and self._nodes:
                self._decided(output, _ON[Signal(output.code)])

    def _decided(self, output: Output, name: str) -> None:
        """A node of a turn is told while there is one; a node's own cancel, and a node's budget, are none of theirs."""
        is_cancel = output.code == Signal.CANCEL
        of_session = is_cancel and output.x == Scope.SESSION
        if output.x == Scope.NODE if is_cancel else output.code == Signal.BUDGET_EXHAUSTED and output.y >= 0:
            return
        for node in self._nodes:
            hook = _hook(node, name)
            if hook is not None and (of_session or node.scope == TURN or output.turn):
                task = asyncio.get_running_loop().create_task(self._call(node, hook))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _must(self, node: Node, name: str) -> None:
        hook = _hook(node, name)
        if hook is not None and not await self._call(node, hook):
            raise NodeError(
                f"node {node.name}: its hook {name} did not succeed within {hook.timeout_ns / SECOND_NS:g} s"
            )

    async def _call(self, node: Node, hook: Hook) -> bool:
        """Whether it came back in time, and well."""
        method = self._calls.get((node.id, hook.name))
        if method is None:
            return False  # it hung before
        try:
            done = asyncio.get_running_loop().run_in_executor(self._threads, method)
            await asyncio.wait_for(asyncio.shield(done), hook.timeout_ns / SECOND_NS)
        except TimeoutError:
            del self._calls[node.id, hook.name]
            done.add_done_callback(lambda future: future.cancelled() or future.exception())  # nobody waits for it
            log.error("node %s: hook %s takes longer than %g s", node.name, hook.name, hook.timeout_ns / SECOND_NS)
            return False
        except (Exception, SystemExit) as error:  # user code: whatever it raises is told in one line
            log.error("node %s: hook %s failed: %s: %s", node.name, hook.name, type(error).__name__, error)
            return False
        return True


class _Threads(Executor):
    """A daemon thread for each call: one that hangs keeps neither the session nor the process from ending."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, name="rspp-hook", daemon=True).start()
        return future


def _hook(node: Node, name: str) -> Hook | None:
    return next((hook for hook in node.hooks if hook.name == name), None)
