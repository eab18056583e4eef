"""Going on with a session that another process has left: what the new holder has of it (docs/replay.md, F8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rspp_runtime.abi.messages import Emission, Handler, Item
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.recover import Holder, take_over
from rspp_runtime.nodes.state import StateError
from rspp_runtime.session.clock import MS_NS
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.package import Package
from rspp_runtime.session.scopes import Scopes


def holder_of(package: Package, path: Path, kernel: str | None, held: Mapping[int, Scopes]) -> Holder:
    """The session of the log at `path`, built again, and its Python nodes with what is durable.

    Nothing is written yet. Raises `LogError`, `NodeError`, `PackageError`, `OSError`.
    """
    holder = take_over(
        path,
        package.plan,
        package.resolved,
        lambda session_id, epoch, handlers: package.open_session(session_id, epoch, handlers, kernel),
    )
    try:
        _remember(package.plan, holder, held)
    except NodeError:
        holder.close()
        raise
    return holder


def _remember(plan: Plan, holder: Holder, held: Mapping[int, Scopes]) -> None:
    for node, kept in holder.execution.durable.items():
        name = plan.nodes[node].name
        if node not in held:
            raise NodeError(f"node {name}: the session has durable state of it, and its class declares none")
        try:
            held[node].restore(kept)
        except StateError as error:
            raise NodeError(f"node {name}: its durable state cannot be had again: {error}") from None


def since_ns(holder: Holder, *, is_virtual: bool) -> int:
    """The session's time now: as long after its last record as the wall clock says, which may have been set back."""
    last_ns = holder.execution.now_ns
    if is_virtual:
        return last_ns
    return max(last_ns, time.time_ns() - holder.execution.log.header.started_ms * MS_NS)


def by_node(plan: Plan, handlers: Sequence[Handler | None]) -> Callable[[int, Item], Sequence[Emission] | None]:
    """The user's nodes for a session that was built from a log: it names the node that is called."""

    def called(node: int, item: Item) -> Sequence[Emission] | None:
        handler = handlers[plan.nodes[node].handler]
        assert handler is not None
        return handler(item)

    return called
