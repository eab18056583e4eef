"""A Python node outside of the kernel (`place = loop | thread | process`), as the provider of its own effect.

The kernel decides how long a call may take: it gives the item, and expects it to be done with within the node's
deadline (docs/kernel.md, Python nodes outside). What is emitted comes back as input and is recorded, so that a replay
runs no user code. A call that raises, returns something, emits what its port does not take or too much of it fails the
node; one that does not come back is left behind, and its session gets another worker for the next item.
"""

from __future__ import annotations

import queue
import weakref
from asyncio import CancelledError, Lock, get_running_loop
from collections.abc import Mapping
from typing import Any

from rspp_runtime.abi.codes import Attribute, Flag
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node
from rspp_runtime.providers.contract import Input, Invocation, Outcome, ProviderError
from rspp_runtime.session.gateway import InputError, find_port, text_mark
from rspp_runtime.session.handlers import NodeError, UserNode, is_async, load
from rspp_runtime.session.invocation import SECOND_NS, Call, Door
from rspp_runtime.session.pool import Pool
from rspp_runtime.session.remembering import Begin, Called, begun, call, call_async, declared
from rspp_runtime.session.scopes import Scopes, Snapshot
from rspp_runtime.session.workers import LeftBehind, Process, Tasks, Thread

CONCURRENT = 16  # calls of one node at once, over all sessions, where nothing is written
WAITING = 64  # that wait for each key
PATIENCE_S = 1.0  # how much longer than the node's deadline a call waits, if the kernel does not end it


class Outside:
    """One node in this process; `places` has what each session calls."""

    modality = "python"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.reference, self.place = str(options["reference"]), str(options["place"])
        self.memory_bytes = int(options.get("memory_bytes", 0))
        concurrency, waiting = int(options.get("concurrency", CONCURRENT)), int(options.get("waiting", WAITING))
        self._pool = Pool(self.reference, concurrency, waiting)
        self._fairness = Attribute[options["fairness"].upper()] if "fairness" in options else None
        self._places: weakref.WeakKeyDictionary[Any, _Place] = weakref.WeakKeyDictionary()
        self._left_behind = LeftBehind(self.reference)
        self._tasks = Tasks()
        self._spare: Process | None = None  # for the first session: a process takes a while to begin

    async def prepare(self) -> None:
        """Raises `ProviderError` if there is nothing of that name."""
        try:
            load(self.reference, "of a pipeline", may_wait=self.place == "loop", may_remember=True)
        except NodeError as error:
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, str(error)) from None
        if self.place == "process":
            self._spare = Process(self.reference, self.memory_bytes)

    def declared(self, row: Node) -> Scopes | None:
        """What a session keeps of it; None if it remembers nothing. Raises `NodeError`."""
        return declared(self.reference, row)

    def process(self) -> Process:
        """A process that nobody uses."""
        spare, self._spare = self._spare, None
        return spare or Process(self.reference, self.memory_bytes)

    async def invoke(self, call: Invocation) -> None:
        """One item after the other."""
        assert isinstance(call, Call)  # the driver's own: it knows the node's row of the plan
        place = self._place_of(call)
        async for item in call.inputs():
            await self._pool.take(
                call.door.key(self._fairness), call, call.row.first_output_ns / SECOND_NS + PATIENCE_S
            )
            try:
                emissions, reason, snapshot = await self._called(place, call, _kernel_item(call, item))
            finally:
                self._pool.give_back()
            if snapshot is not None:
                place.remember(call, snapshot)
            if reason:
                raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, reason)
            for one in emissions:
                await call.emit(
                    call.row.outputs[one.port].name, one.payload,
                    media_ns=item.media_ns, final=bool(one.flags & Flag.FINAL),
                )  # fmt: skip

    def session_over(self, door: Door) -> None:
        """Its worker goes with it; a call that has not come back is not waited for."""
        place = self._places.pop(door, None)
        if place is not None:
            place.close()

    async def close(self) -> None:
        self._tasks.close()
        for place in self._places.values():
            place.close()
        if self._spare is not None:
            self._spare.kill()

    def _place_of(self, call: Call) -> _Place:
        place = self._places.get(call.door)
        if place is None:
            try:
                place = _Place(self, call.row, call.door.kept(call.row))
            except NodeError as error:
                raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, str(error)) from None
            self._places[call.door] = place
        return place

    async def _called(self, place: _Place, call: Call, item: KernelItem) -> Called:
        self._left_behind.check(call.door)
        async with place.one_at_a_time:  # a cancelled one may still have its grace
            try:
                return await place.call(item, self._tasks)
            except queue.Full:
                raise ProviderError(Outcome.OVERLOAD, f"too many calls of {self.reference} wait") from None
            except CancelledError:  # the grace is over
                left = place.leave()
                if left is not None:
                    self._left_behind.add(call.door, left)
                raise


class _Place:
    """What one session calls, and where. A class is made once a session, and again when its worker was left behind.
    `kept` is what the session keeps of it."""

    def __init__(self, node: Outside, row: Node, kept: Scopes | None) -> None:
        self.one_at_a_time = Lock()
        self._node, self._row = node, row
        self._kept = kept if kept is not None else node.declared(row)
        self._scopes: Scopes | None = None  # of the object that is called here
        self._user: UserNode | None = None
        self._thread: Thread | None = None
        self._process: Process | None = None
        self._make()

    @property
    def _begin(self) -> Begin | None:
        return (self._kept.seed, self._kept.snapshot) if self._kept is not None else None

    def _make(self) -> None:
        """An object of its own, with what is remembered; a process makes its own."""
        if self._node.place != "process":
            is_loop = self._node.place == "loop"
            self._user = load(self._node.reference, self._row.name, may_wait=is_loop, may_remember=True)
            self._scopes = begun(self._row, self._user, self._begin)

    def remember(self, called: Call, snapshot: Snapshot) -> None:
        """A call has come back: what it remembers counts, whatever becomes of its turn."""
        assert self._kept is not None
        durable = self._kept.adopt(snapshot)
        if durable is not None:
            called.door.remembered(self._row, called.seq, durable)

    async def call(self, item: KernelItem, tasks: Tasks) -> Called:
        if self._user is not None and is_async(self._user):
            return await tasks.run(call_async(self._row, self._user, self._scopes, item))
        if self._thread is None:
            self._thread = Thread(f"{self._row.name}")
        return await get_running_loop().run_in_executor(self._thread, self._perform, item)

    def _perform(self, item: KernelItem) -> Called:
        """In the thread."""
        if self._user is not None:
            return call(self._row, self._user, self._scopes, item)
        if self._process is None:
            self._process = self._node.process()
        performed = self._process.call(self._row, item, self._begin)
        if self._process.is_gone:
            self._process.kill()
            self._process = None  # the next call has another one
        return performed

    def leave(self) -> Thread | None:
        """A call does not come back: the next one gets another worker. Returns a thread that is stuck."""
        thread, self._thread = self._thread, None
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._make()
        if thread is None:
            return None
        thread.shutdown()
        return thread if self._user is not None else None  # it waited for the process, which is gone

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if self._process is not None:
            self._process.kill()


def _kernel_item(call: Call, item: Input) -> KernelItem:
    """The item as a node in the kernel would get it, measured again: an effect is told no more than its text."""
    port = find_port(call.row.inputs, item.port)
    a = b = 0
    if call.row.inputs[port].type == "text":
        try:
            a, b = text_mark(item.payload)
        except InputError:
            a = b = 0
    return KernelItem(port, call.turn, call.seq, item.media_ns, int(item.final), a, b, item.payload)


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Outside:
    """The provider `python` of a generated package."""
    return Outside(options)
