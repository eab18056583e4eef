"""What a Python node outside of the kernel remembers: by the same words and rules as in it (`scopes.py`).

The session keeps it (`Driver.kept`), packed, as it was after the last call that came back; whoever calls the node, a
task, a thread or a process, begins with that and gives back what it is after a call. A call that is left behind changes
its own copy, which nobody reads any more: so it has not been.
"""

from __future__ import annotations

import inspect

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node
from rspp_runtime.nodes.state import StateError, fields_of
from rspp_runtime.session.handlers import NodeError, UserNode, perform, perform_async, reason_of, resolve
from rspp_runtime.session.scopes import Scopes, Snapshot, hold, is_stateful

Called = tuple[list[Emission], str, Snapshot | None]
"""What a call emitted, why it failed ("" if it did not), and what is remembered after it, if that is anything."""

Begin = tuple[str, Snapshot]
"""The seed of the node's chance, and what it remembers."""


def declared(reference: str, node: Node) -> Scopes | None:
    """What the session keeps of the node; None if its class declares nothing. Raises `NodeError`."""
    kind = resolve(reference, node.name)
    if not (inspect.isclass(kind) and is_stateful(kind)):
        return None
    try:
        return Scopes(node, fields_of(kind))
    except StateError as error:
        raise NodeError(f"node {node.name}: {error}") from None


def begun(node: Node, user: UserNode, begin: Begin | None) -> Scopes | None:
    """A caller's own copy of it, in `user`. Raises `StateError`."""
    scopes = hold(node, user) if begin is not None else None
    if scopes is not None and begin is not None:
        scopes.seed = begin[0]
        scopes.adopt(begin[1])
    return scopes


def call(node: Node, user: UserNode, scopes: Scopes | None, item: KernelItem) -> Called:
    """One call of a plain `def`."""
    if scopes is not None:
        scopes.enter(item)
    return _left(scopes, *perform(node, user, item))


async def call_async(node: Node, user: UserNode, scopes: Scopes | None, item: KernelItem) -> Called:
    """One call of an `async def`."""
    if scopes is not None:
        scopes.enter(item)
    return _left(scopes, *await perform_async(node, user, item))


def _left(scopes: Scopes | None, emissions: list[Emission], reason: str) -> Called:
    if scopes is None:
        return emissions, reason, None
    try:
        scopes.leave(failed=bool(reason))
    except StateError as error:
        return [], reason_of(error), None
    return emissions, reason, None if reason else scopes.snapshot
