"""What performs a tool (`python("module:function")`): one call an invocation (docs/tools.md).

The kernel decides that a call may run, and for how long. Here the arguments are checked, the function is called, and
for a tool with `once` the journal is kept. Whatever the function does hurts its own call.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import queue
from collections.abc import Callable, Mapping
from typing import Any

from rspp_runtime.providers.contract import Cancelled, Invocation, Outcome, ProviderError
from rspp_runtime.session.guard import Guarded
from rspp_runtime.session.handlers import NodeError, is_async, load, reason_of
from rspp_runtime.session.invocation import Call
from rspp_runtime.session.workers import LeftBehind, Thread
from rspp_runtime.tools.journal import Journal
from rspp_runtime.tools.offer import NotDone, Offer, canonical

log = logging.getLogger(__name__)

KEY = "idempotency_key"
Outcomes = dict[str, Any]


class Runner:
    """One tool in this process, for all sessions."""

    modality = "tool"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.reference, self.name = str(options["reference"]), str(options["name"])
        self._params = tuple((str(name), str(type)) for name, type in options.get("params", ()))
        self._once = bool(options.get("once", False))
        self._soft = bool(options.get("soft", False))
        self.offer = Offer(self.name, params=self._params)
        self._function: Callable[..., Any] | None = None
        self._takes_key = False
        self._idle: list[Thread] = []
        self._left_behind = LeftBehind(self.reference)

    async def prepare(self) -> None:
        """Raises `ProviderError` if there is nothing of that name, or it takes other arguments."""
        try:
            function: Any = load(self.reference, self.name, may_wait=True, what="tool")
        except NodeError as error:
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, str(error)) from None
        self._function = function
        names = [name for name, _ in self._params]
        wrong, optional, self._takes_key = _fits(function, names)
        if wrong:
            message = f"{self.reference} {wrong}; the pipeline declares ({', '.join(names)})"
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, message)
        self.offer = Offer(self.name, params=self._params, optional=optional)

    async def close(self) -> None:
        for thread in self._idle:
            thread.shutdown()

    async def invoke(self, call: Invocation) -> None:
        """Takes the arguments, calls, answers. Raises `ProviderError` where the function failed."""
        assert isinstance(call, Call)  # the driver's own: it knows the session's journal
        items = [item async for item in call.inputs()]
        arguments = _read(b"".join(item.payload for item in items))
        wrong = self.offer.wrong(arguments)
        if wrong:
            await self._answer(call, arguments, {"error": wrong})
            if not any(item.media_ns for item in items):  # a reaction called: nobody reads the answer
                raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, wrong)
            return  # the model's mistake, and nobody else's
        outcome = await self._called(call, arguments)
        await self._answer(call, arguments, outcome)
        if "failed" in outcome:
            log.warning("tool %s failed: %s", self.name, outcome["failed"])
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, outcome["failed"])

    async def _answer(self, call: Call, arguments: Any, outcome: Outcomes) -> None:
        most = call.row.outputs[0].item_bytes_max
        said = {"tool": self.name, "arguments": arguments}
        kept = {name: value for name, value in outcome.items() if name in ("result", "error")}
        text = canonical(said | kept).encode()
        if len(text) > most:
            what = f"the answer has {len(text)} bytes: at most {most}"
            outcome.setdefault("failed", what)
            text = canonical({"tool": self.name, "error": what}).encode()
            kept = {"error": what}
        await call.emit("result", text, failed="error" in kept)

    async def _called(self, call: Call, arguments: dict[str, Any]) -> Outcomes:
        """Runs the function, unless a journal knows that it ran. A cancel stops it, unless the tool is soft."""
        function, loop = self._function, asyncio.get_running_loop()
        assert function is not None  # prepared
        run = _Run(self.name, function, arguments, call.door.journal, once=self._once, takes_key=self._takes_key)
        if is_async(function):
            guarded = Guarded(run.waiting(loop))
            guarded.last = True  # it hears of the cancel once; forced after its grace, it is closed
            work: asyncio.Future[Outcomes] = loop.create_task(_awaited(guarded))
            return await self._guarded(call, work)
        thread = self._thread(call)
        try:
            outcome = await self._guarded(call, loop.run_in_executor(thread, run.blocking))
        except queue.Full:
            raise ProviderError(Outcome.OVERLOAD, f"too many calls of {self.reference} wait") from None
        except (Cancelled, asyncio.CancelledError):
            thread.shutdown()
            self._left_behind.add(call.door, thread)
            raise
        self._idle.append(thread)
        return outcome

    async def _guarded(self, call: Call, work: asyncio.Future[Outcomes]) -> Outcomes:
        if not self._soft:
            call.on_cancel = work.cancel
        try:
            return await work
        except asyncio.CancelledError:
            if call.cancelled and not call.forced:
                raise Cancelled from None
            raise
        finally:
            call.on_cancel = None

    def _thread(self, call: Call) -> Thread:
        self._left_behind.check(call.door)
        return self._idle.pop() if self._idle else Thread(self.name)


async def _awaited(guarded: Guarded[Outcomes]) -> Outcomes:
    return await guarded


class _Run:
    """One call of a function, and what the journal is told."""

    def __init__(
        self, tool: str, function: Callable[..., Any], arguments: dict[str, Any], journal: Journal, *, once: bool,
        takes_key: bool,
    ) -> None:  # fmt: skip
        self._tool, self._function, self._arguments, self._journal = tool, function, arguments, journal
        self._once = once
        self._key = journal.key(tool, arguments)
        self._with = arguments | ({KEY: self._key} if takes_key else {})

    def blocking(self) -> Outcomes:
        """In a thread."""
        known = self._begin()
        if known is not None:
            return known
        try:
            outcome = _returned(self._function(**self._with))
        except BaseException as error:  # whatever it raises is the call's
            outcome = _raised(error)
        return self._end(outcome)

    async def waiting(self, loop: asyncio.AbstractEventLoop) -> Outcomes:
        """On the session's event loop; the journal's disk is waited for elsewhere."""
        known = await loop.run_in_executor(None, self._begin) if self._once else None
        if known is not None:
            return known
        try:
            outcome = _returned(await self._function(**self._with))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            outcome = _raised(error)
        return await asyncio.shield(loop.run_in_executor(None, self._end, outcome)) if self._once else outcome

    def _begin(self) -> Outcomes | None:
        if not self._once:
            return None
        try:
            return self._journal.begin(self._key, self._tool, self._arguments)
        except OSError as error:
            what = f"its journal cannot be written, so it was not called: {error}"
            return {"error": what, "failed": what}

    def _end(self, outcome: Outcomes) -> Outcomes:
        if self._once:
            kept = {name: value for name, value in outcome.items() if name != "failed"}
            try:
                self._journal.end(self._key, kept)
            except OSError as error:
                log.error("tool %s: the result cannot be journaled: %s", self._tool, error)
        return outcome


def _returned(value: Any) -> Outcomes:
    try:
        canonical(value)
    except ValueError as error:
        what = f"it returned what JSON cannot say: {error}"
        return {"error": what, "failed": what}
    return {"result": value}


def _raised(error: BaseException) -> Outcomes:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, NotDone):
        return {"undone": text, "error": text, "failed": reason_of(error)}
    return {"error": f"{type(error).__name__}: {text}", "failed": reason_of(error)}


def _read(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _fits(function: Callable[..., Any], names: list[str]) -> tuple[str, frozenset[str], bool]:
    """Why a function does not take these arguments ("" if it does), which may be left out, whether it takes a key."""
    try:
        params = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a builtin
        return "", frozenset(), False
    by_name = {
        name: param for name, param in params.items() if param.kind in (param.POSITIONAL_OR_KEYWORD, param.KEYWORD_ONLY)
    }
    takes_any = any(param.kind == param.VAR_KEYWORD for param in params.values())
    missing = [name for name in names if name not in by_name]
    if missing and not takes_any:
        return f"has no argument {missing[0]!r}", frozenset(), False
    takes_key = KEY in by_name and KEY not in names
    needed = [
        name for name, param in params.items()
        if param.default is param.empty and param.kind not in (param.VAR_KEYWORD, param.VAR_POSITIONAL)
        and name not in names and not (takes_key and name == KEY)
    ]  # fmt: skip
    if needed:
        return f"needs the argument {needed[0]!r}", frozenset(), False
    optional = frozenset(name for name in names if name in by_name and by_name[name].default is not inspect._empty)
    return "", optional, takes_key


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Runner:
    """The provider `tool` of a generated package."""
    return Runner(options)
