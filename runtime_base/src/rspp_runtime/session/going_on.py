"""Going on with a session that another process has left: what the new holder has of it (docs/replay.md, F8).

All of it reads and executes logs, which takes as long as they are: `in_thread` keeps it away from those who speak.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import Control, In, Result
from rspp_runtime.abi.messages import Emission, Handler, Inbound, Item, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.abi.version import ABI_HASH
from rspp_runtime.evidence.entries import Follows, Header, LogError
from rspp_runtime.evidence.following import ANOTHER, follow, left_in, newest, path_of_record
from rspp_runtime.evidence.log import header_of, read_to_end
from rspp_runtime.evidence.recover import Holder, take_over
from rspp_runtime.evidence.segment import BusyError
from rspp_runtime.nodes.state import StateError
from rspp_runtime.session.clock import MS_NS, Clock
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Package
from rspp_runtime.session.scopes import Scopes

if TYPE_CHECKING:
    from rspp_runtime.session.host import Options

AT_ONCE = 2  # sessions that are built again, of a process
LEAVE_TRIES = 3  # until the outputs that were waiting have made room
TAKE_S_MAX = 20.0  # from when it was asked for: its party would not wait longer

_threads: ThreadPoolExecutor | None = None


async def in_thread(work: Callable[[], Holder]) -> Holder:
    """Does it beside the loop, `AT_ONCE` at a time; whoever is cancelled meanwhile leaves nothing open."""
    global _threads
    if _threads is None:
        _threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="going-on")
    doing = _threads.submit(work)
    try:
        return await asyncio.wrap_future(doing)
    except asyncio.CancelledError:
        doing.add_done_callback(_close)
        raise


def _close(done: Future[Holder]) -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().close()


def holder_of(package: Package, options: Options, held: Mapping[int, Scopes], until_s: float | None = None) -> Holder:
    """The session of the log of `options`, built again, and its Python nodes with what is durable.

    With `options.followed`, the log is the first of its session, of which the newest goes on; and one of another
    template is followed by a new one. Nothing else is written yet. Raises `LogError` (also when it is not done
    `until_s`, of `time.monotonic`), `NodeError`, `PackageError`, `BusyError` (it is somebody else's), `OSError`.
    """
    path = options.log
    assert path is not None
    if options.followed is not None:
        path = _record(package, options, path, options.followed, held)
    holder = take_over(
        path,
        package.plan,
        package.resolved,
        lambda session_id, epoch, handlers: package.open_session(session_id, epoch, handlers, options.kernel),
        until_s=until_s,
    )
    try:
        if options.followed is not None and newest(options.log or path)[0] != path:
            raise BusyError(ANOTHER)  # it has followed this log before we had it
        _remember(package.plan, holder, held)
    except (NodeError, OSError):
        holder.close()
        raise
    return holder


def _record(
    package: Package, options: Options, first: Path, followed: Callable[[Follows], None], held: Mapping[int, Scopes]
) -> Path:
    """The log to go on with: the newest of the session, or one behind it if that is of another template."""
    plan = package.plan
    path, number = newest(first)
    if header_of(path).template_hash == plan.template_hash:
        return path
    log, last = read_to_end(path)
    old, left = log.header, left_in(log)
    if old.pipeline != plan.pipeline:
        raise LogError(f"it is of the pipeline {old.pipeline}, and this is {plan.pipeline}")
    stayed = []
    for name, packed in left.durable.items():
        node = next((node for node in plan.nodes if node.name == name and node.id in held), None)
        stayed += held[node.id].restore_what_fits(packed) if node is not None else [f"what {name} remembers"]
    session = package.open_session(old.session_id, left.epoch, [None] * len(package.handlers), options.kernel)
    try:
        header = replace(
            header_for(package, options, package.kernel_of(session), old.started_ms, held),
            session_id=old.session_id,
            epoch=left.epoch,
            seed=old.seed,
            tenant=old.tenant,
        )
        durable = {node: scopes.durable for node, scopes in held.items() if plan.nodes[node].name in left.durable}
        behind = path_of_record(first, number + 1)
        followed(follow(path, behind, header, plan, session, (log, last), left, durable, stayed))
    finally:
        session.close()
    return behind


def header_for(package: Package, options: Options, kernel: str, started_ms: int, held: Mapping[int, Scopes]) -> Header:
    """The header of a log that begins now."""
    plan = package.plan
    return Header(
        package=package.name,
        pipeline=plan.pipeline,
        pipeline_version=plan.pipeline_version,
        profile=plan.profile,
        template_hash=plan.template_hash,
        abi_hash=ABI_HASH,
        session_id=options.session_id,
        epoch=options.epoch,
        seed=options.seed,
        level=options.level,
        kernel=kernel,
        started_ms=started_ms,
        tenant=options.tenant,
        remembers={plan.nodes[node].name: node for node in sorted(held) if _is_durable(plan, node)},
    )


def _is_durable(plan: Plan, node: int) -> bool:
    room = plan.nodes[node].state
    return room is not None and room.durable_bytes > 0


def leave(session: Session, epoch: int, clock: Clock, evidence: Observer) -> None:
    """The last thing that happens in a session that is left: it says what is known, for a holder that cannot execute
    its log. `evidence` has it recorded."""
    event = Inbound(In.CONTROL, port=Control.LEAVE, epoch=epoch)
    for _ in range(LEAVE_TRIES):
        now_ns = clock.now_ns()
        answer = session.ingest(event, now_ns)
        evidence.on_input(event, now_ns, answer)
        deadline_ns = session.advance(now_ns)
        evidence.on_step(now_ns, deadline_ns, clock.now_ns(), session.drain())
        if answer != Result.FULL:
            return


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
