"""The user's Python nodes as the kernel calls them (`abi.messages.Handler`).

Each call is stamped on both sides, its emissions are measured where they enter, an exception becomes a failure with a
line that names the place in the user's file, and the outcome is told to the observers, so that a replay need not run
user code. A node that declares nothing to remember is called by `kernel.user_nodes.NodeCall`, which does all of that in
the kernel's own language; one that does is called from here.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rspp_runtime.abi.codes import Flag
from rspp_runtime.abi.messages import Emission, Handler
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node, Plan, Port
from rspp_runtime.kernel.user_nodes import NodeCall
from rspp_runtime.nodes import packing, state
from rspp_runtime.nodes.item import Item, ItemGoneError
from rspp_runtime.nodes.state import StateError
from rspp_runtime.session import scopes as keeping
from rspp_runtime.session.audience import Audience
from rspp_runtime.session.clock import Clock, MonotonicClock
from rspp_runtime.session.gateway import check_audio, find_port, text_mark
from rspp_runtime.session.observer import HandlerCall
from rspp_runtime.session.scopes import Scopes, guarded, hold, is_stateful
from rspp_runtime.session.stepper import Called

log = logging.getLogger(__name__)

_OURS = (__file__, importlib.__file__, state.__file__, packing.__file__, keeping.__file__)
_KERNEL = "user_nodes.pyx"
_NEVER_NS = 1 << 62
UserNode = Callable[[Item, Any], object]


class NodeError(Exception):
    """A Python node cannot be loaded; the message names the node and the reference."""


def find_nodes_here() -> None:
    """Python nodes may lie in the folder that the command is started in, as with `python -m`."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def resolve(reference: str, node: str, *, what: str = "node") -> Any:
    """Imports "module:Name", and returns what has that name. Raises `NodeError`."""
    module_name, _, name = reference.partition(":")
    cannot = f"{what} {node}: {reference} cannot be loaded"
    try:
        made: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise NodeError(f"{cannot}: {reason_of(error)}") from error
        raise NodeError(
            f"{cannot}: there is no module {error.name} here; start in the folder that holds it, name that folder in "
            "PYTHONPATH, or install it"
        ) from None
    except (Exception, SystemExit) as error:  # user code runs at import: whatever it raises is told in one line
        raise NodeError(f"{cannot}: {reason_of(error)}") from error
    for part in name.split("."):
        if not hasattr(made, part):
            near = difflib.get_close_matches(part, [other for other in dir(made) if not other.startswith("_")], n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise NodeError(f"{cannot}: {module_name} has no {name}{hint}")
        made = getattr(made, part)
    return made


def load(
    reference: str, node: str, *, may_wait: bool = False, may_remember: bool = False, what: str = "node"
) -> UserNode:
    """Imports "module:Callable"; a class is instantiated, once a session. Raises `NodeError`, for an `async def` too
    unless it `may_wait`, and for a class that declares what it remembers unless it `may_remember`.
    """
    made = resolve(reference, node, what=what)
    name = reference.partition(":")[2]
    if inspect.isclass(made):
        try:
            if is_stateful(made) and not may_remember:
                raise NodeError(
                    f"{what} {node}: {reference} declares what it remembers, and only a node of a pipeline can: a "
                    f"{what} belongs to all sessions of the process; let a node remember it"
                )
            made = guarded(made)() if is_stateful(made) else made()
        except NodeError:
            raise
        except (Exception, SystemExit) as error:
            raise NodeError(
                f"{what} {node}: {reference} cannot be loaded: {name}() is made without arguments, and failed: "
                f"{reason_of(error)}"
            ) from error
    if not callable(made):
        raise NodeError(f"{what} {node}: {reference} is not callable; write a function or a class with __call__")
    if is_async(made) and not may_wait and not (goes_on(made) and not is_stateful(type(made))):
        raise NodeError(
            f"node {node}: {reference} is async; a Python node runs inside the kernel's step and may not wait: "
            "write a plain `def`, or give the node a `timeout`, and it runs outside of the kernel"
        )
    called: UserNode = made
    return called


def is_async(user: object) -> bool:
    """Whether a call of it has to be awaited."""
    return inspect.iscoroutinefunction(user) or inspect.iscoroutinefunction(type(user).__call__)


class Calls(Called):
    """The calls of Python nodes within a step, until the driver tells of them: each where somebody listens to each,
    those that failed anyway, and how long each node took."""

    __slots__ = ("every", "limits_ns", "nodes", "rows")

    def __init__(self, *, every: bool = False, limits_ns: Mapping[int, int] | None = None) -> None:
        """`limits_ns`, by node: a call that takes longer is told of, too."""
        self.every = every
        self.limits_ns = limits_ns or {}
        self.rows: list[HandlerCall] = []
        self.nodes: list[NodeCall] = []
        self.took_ns, self.touched = {}, []

    def want(self, *, every: bool) -> None:
        """From now on each call is told of, or not."""
        self.every = every
        for node in self.nodes:
            node.every = every

    def add(
        self, node: int, seq: int, start_ns: int, end_ns: int, emissions: Sequence[Emission] | None, reason: str = "",
        durable: bytes | None = None,
    ) -> None:  # fmt: skip
        """One call has come back; `emissions` None: it failed."""
        took_ns = self.took_ns
        took_ns[node] = took_ns.get(node, 0) + end_ns - start_ns
        if self.every or emissions is None or end_ns - start_ns > self.limits_ns.get(node, _NEVER_NS):
            kept = None if emissions is None else tuple(emissions)
            self.rows.append(HandlerCall(node, seq, start_ns, end_ns, kept, reason, durable))

    def taken(self) -> dict[int, int]:
        """How long the calls of each node took since this was asked last, in ns."""
        took_ns, self.took_ns = self.took_ns, {}
        while self.touched:
            node, ns = self.touched.pop().taken()
            took_ns[node] = took_ns.get(node, 0) + ns
        return took_ns

    def tell(self, audience: Audience) -> None:
        """The step is over: who wants to know of its calls is told, before it hears of the step."""
        took_ns = self.taken()
        if self.rows:
            rows, self.rows = self.rows, []
            for call in rows:
                for tell in audience.handlers:
                    tell(call)
        for told in audience.calls:
            told(took_ns)


def goes_on(user: Any) -> bool:
    """Whether it is a coroutine that awaits one item after the other: `async def node(stage)`."""
    if not is_async(user):
        return False
    try:
        return len(inspect.signature(user).parameters) == 1
    except (TypeError, ValueError):
        return False


def make_handlers(
    plan: Plan,
    references: Mapping[str, str],
    clock: Clock,
    calls: Calls,
    users: dict[int, object] | None = None,
    held: dict[int, Scopes] | None = None,
) -> list[Handler | None]:
    """One handler for each Python node of the plan, by `Node.handler`. Raises `NodeError`.

    `users` gets what was loaded, by node id, and `held` what it remembers, of those that do.
    """
    nodes = [node for node in plan.nodes if node.handler >= 0]
    handlers: list[Handler | None] = [None] * (1 + max((node.handler for node in nodes), default=-1))
    for node in nodes:
        if node.name not in references:
            raise NodeError(f"node {node.name}: the package names no handler for it")
        user = load(references[node.name], node.name, may_remember=True)
        if users is not None:
            users[node.id] = user
        try:
            scopes = hold(node, user)
        except StateError as error:
            raise NodeError(f"node {node.name}: {error}") from None
        if scopes is not None and held is not None:
            held[node.id] = scopes
        handlers[node.handler] = wrap(node, user, clock, calls, scopes)
    return handlers


def wrap(node: Node, user: UserNode, clock: Clock, calls: Calls, scopes: Scopes | None = None) -> Handler:
    """`user` as the kernel calls it; `calls` is told of each call. `scopes` is what it remembers."""
    if scopes is None:
        return _native(node, user, clock, calls)

    def handler(kernel_item: KernelItem) -> Sequence[Emission] | None:
        start_ns = clock.now_ns()
        scopes.enter(kernel_item)
        emissions, reason = perform(node, user, kernel_item)
        durable = None
        try:
            durable = scopes.leave(failed=bool(reason))
        except StateError as error:
            reason = reason_of(error)
        if reason:
            log.warning("node %s failed: %s", node.name, reason)
        made = None if reason else tuple(emissions)
        calls.add(node.id, kernel_item.seq, start_ns, clock.now_ns(), made, reason, durable)
        return made

    return handler


def _native(node: Node, user: UserNode, clock: Clock, calls: Calls) -> Handler:
    """A node that remembers nothing of which a call could be taken back: called without a detour."""

    def failed(error: BaseException) -> str:
        reason = reason_of(error)
        log.warning("node %s failed: %s", node.name, reason)
        return reason

    outputs = node.outputs
    made = NodeCall(
        user,
        clock.now_ns,
        clock.start_ns if type(clock) is MonotonicClock else -1,
        calls,
        partial(_measured, node),
        failed,
        ItemGoneError,
        node.id,
        tuple(port.name for port in node.inputs),
        tuple(_measure(port) for port in outputs),
        tuple(port.item_bytes_max for port in outputs),
        node.emissions_max,
        calls.limits_ns.get(node.id, _NEVER_NS),
        goes_on(user),
    )
    calls.nodes.append(made)
    return made


def _measure(port: Port) -> str:
    """How what is emitted there is measured (`kernel.user_nodes`)."""
    if port.type == "text":
        return "sentence" if port.mark == "sentence" else "text"
    return "audio" if port.type == "audio" else "plain"


def perform(node: Node, user: UserNode, kernel_item: KernelItem) -> tuple[list[Emission], str]:
    """One call of a plain `def`: what it emitted, and why it failed ("" if it did not)."""
    emissions: list[Emission] = []
    item = Item(kernel_item, node.inputs[kernel_item.port].name)
    try:
        _nothing(user(item, _Emitter(node, emissions)))
    except (Exception, SystemExit) as error:  # a node's failure is an event of the pipeline, never the process' end
        return [], reason_of(error)
    finally:
        item.close()
    return emissions, ""


async def perform_async(node: Node, user: UserNode, kernel_item: KernelItem) -> tuple[list[Emission], str]:
    """The same of an `async def`."""
    emissions: list[Emission] = []
    item = Item(kernel_item, node.inputs[kernel_item.port].name)
    called: Any = user
    try:
        _nothing(await called(item, _Emitter(node, emissions)))
    except (Exception, SystemExit) as error:
        return [], reason_of(error)
    finally:
        item.close()
    return emissions, ""


def _nothing(returned: object) -> None:
    if returned is not None:
        raise TypeError(f"it returned {type(returned).__name__}: what is to go on must be given to emit(…)")


class _Emitter:
    """`nodes.Emit` for one call."""

    def __init__(self, node: Node, emissions: list[Emission]) -> None:
        self._node = node
        self._emissions = emissions

    def __call__(self, payload: str | bytes, port: str | None = None, *, final: bool = False) -> None:
        self._emissions.append(_measured(self._node, len(self._emissions), payload, port, final))


def _measured(node: Node, count: int, payload: str | bytes, port: str | None, final: bool) -> Emission:
    """What is emitted behind `count` others of the same call, measured. Raises `TypeError`, `ValueError`."""
    names = ", ".join(p.name for p in node.outputs) or "none"
    if port is None:
        if len(node.outputs) != 1:
            raise ValueError(f"emit needs a port: {node.name} has {names}")
        index = 0
    else:
        index = find_port(node.outputs, port)
        if index < 0:
            raise ValueError(f"{node.name} has no output {port!r} (it has: {names})")
    out = node.outputs[index]
    if not isinstance(payload, str | bytes):
        raise TypeError(f"emit takes str or bytes, not {type(payload).__name__}")
    data = payload.encode() if isinstance(payload, str) else payload
    if len(data) > out.item_bytes_max:
        raise ValueError(f"{len(data)} bytes are too many for {node.name}.{out.name}: at most {out.item_bytes_max}")
    if count >= node.emissions_max:
        raise ValueError(f"{node.name} emits more than {node.emissions_max} items in one call")
    a = b = 0
    if out.type == "audio":
        check_audio(data, f"{node.name}.{out.name}")
    elif out.type == "text":
        a, b = text_mark(data, out.mark)
    return Emission(index, data, int(Flag.FINAL) if final else 0, a, b)


def reason_of(error: BaseException) -> str:
    """What went wrong in user code, and where, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{_place(error)}" if text else f"{type(error).__name__}{_place(error)}"


def _place(error: BaseException) -> str:
    """Where in the user's code it was raised: the innermost frame that is neither ours nor of the import system."""
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename not in _OURS and not f.filename.startswith("<frozen") and not f.filename.endswith(_KERNEL)
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
