"""A session put together: package, providers, transport, evidence, driver; run from its first input to its end."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rspp_runtime.abi.codes import Attribute, Control, text_id
from rspp_runtime.abi.lookup import asked
from rspp_runtime.abi.plan import EFFECT, Plan
from rspp_runtime.evidence.clocks import Clocks
from rspp_runtime.evidence.entries import Clock as ClockReading
from rspp_runtime.evidence.entries import End, Entry, Follows, Header
from rspp_runtime.evidence.levels import Change, Keeps
from rspp_runtime.evidence.live import Live, work_limits
from rspp_runtime.evidence.log import LogFile
from rspp_runtime.evidence.or02 import Or02
from rspp_runtime.evidence.recorder import LogRecorder
from rspp_runtime.evidence.recover import Holder
from rspp_runtime.evidence.segment import SEGMENT_BYTES
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.session.clock import Clock, LaterClock, VirtualClock
from rspp_runtime.session.driver import Driver
from rspp_runtime.session.going_on import TAKE_S_MAX, by_node, header_for, holder_of, in_thread, leave, since_ns
from rspp_runtime.session.handlers import Calls, make_handlers
from rspp_runtime.session.hooks import Hooks
from rspp_runtime.session.later import Desk, Later
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.outside import Outside
from rspp_runtime.session.package import Bound, Package
from rspp_runtime.session.scopes import Scopes
from rspp_runtime.tools.journal import SUFFIX, Journal
from rspp_runtime.transports.contract import HandedOver, Transport


@dataclass(frozen=True, slots=True)
class Options:
    """How a session is run."""

    kernel: str | None = None  # compiled, pure; None: the best there is
    level: str = "L0"  # of the log, at most
    log: Path | None = None  # without one, evidence lives as long as the process
    segment_bytes: int = SEGMENT_BYTES  # of the log
    export_lag_ns: Callable[[], int] | None = None  # how late the log's export is; None: nothing is exported
    session_id: str = field(default_factory=lambda: f"s-{uuid.uuid4().hex[:12]}")
    epoch: int = 1
    seed: int = 0
    tenant: str = ""  # whose session it is
    resume: bool = False  # go on with the session of `log`, which another process has left
    followed: Callable[[Follows], None] | None = None  # also if that is of another template, whose log is followed then
    attributes: Mapping[Attribute, str] = field(default_factory=dict)  # what is known of the session; `ID` is its id


@dataclass(frozen=True, slots=True)
class Finished:
    """What is left of a session, beside its log. `handed_over`: its log has no end, and is to be gone on with."""

    header: Header
    stats: Mapping[str, int]
    handed_over: bool = False


async def converse(
    package: Package,
    providers: Bound,
    transport: Transport,
    clock: Clock,
    options: Options,
    observers: Sequence[Observer] = (),
    live: Live | None = None,
) -> Finished:
    """Runs one session to its end. `providers` are prepared and stay the caller's. `live` is for whoever shows the
    conversation: it is told of all of it, and has all of it at the end. `observers` are told at once; evidence, and
    those of them that say so, a little later (`session.later`).

    Raises `PackageError`, `NodeError`, `LogError` (of the log that is gone on with), `OSError` (the log), and whatever
    the transport raises.
    """
    plan = package.plan
    calls = Calls(limits_ns=work_limits(plan))
    users: dict[int, object] = {}
    held: dict[int, Scopes] = {}
    is_virtual = isinstance(clock, VirtualClock)
    going_on = LaterClock(clock) if options.resume else None
    clock = going_on or clock
    handlers = make_handlers(plan, package.handlers, clock, calls, users, held)
    held |= _outside(plan, providers)
    hooks = Hooks(plan, users)
    holder: Holder | None = None
    if options.resume:
        if is_virtual:
            holder = holder_of(package, options, held)
        else:
            until_s = time.monotonic() + TAKE_S_MAX
            holder = await in_thread(partial(holder_of, package, options, held, until_s))
        was = holder.execution.log.header
        options = replace(options, session_id=was.session_id, seed=was.seed, epoch=holder.epoch, level=holder.level)
    for scopes in held.values():
        scopes.seed = f"{options.seed}/{options.session_id}"
    if holder is not None:
        session = holder.session
    else:
        session = package.open_session(options.session_id, options.epoch, handlers, options.kernel)
    log: LogWriter | None = None
    journal: Journal | None = None
    desk = Desk.enter(asyncio.get_running_loop(), is_virtual=is_virtual)
    try:
        await hooks.open()
        recorder: LogRecorder | None = None

        def put(entry: Entry) -> None:
            if live is not None:
                live.add(entry)
            if recorder is not None:
                recorder.put(entry)

        file: LogFile | None = None
        if holder is not None:
            holder.go_on()
            assert going_on is not None
            going_on.go_on(since_ns(holder, is_virtual=is_virtual))
            for observer in observers:
                observer.on_step(holder.execution.now_ns, -1, holder.execution.now_ns, holder.decided)
            if live is not None:
                for entry in (*holder.execution.log.entries, *holder.written):
                    live.add(entry)
            header, or02, file = holder.execution.log.header, holder.or02, holder.file
            holder.execution.missing = by_node(plan, handlers)
            or02.put = put
        else:
            started_ms = time.time_ns() // 1_000_000 - clock.now_ns() // 1_000_000
            header = header_for(package, options, package.kernel_of(session), started_ms, held)
            or02 = _or02(package, options, header, put)
            if options.log is not None:
                file = LogFile(options.log, header, options.segment_bytes)
        if file is not None:
            log = LogWriter(file, threaded=not is_virtual, keeps=Keeps(plan))
            recorder = _recorder(log, package, options, lambda change: or02.level_changed(change.level))

        def clock_read(reading: ClockReading) -> None:
            put(reading)
            or02.clock_read(reading)

        evidence: list[Observer] = [one for one in (live, recorder, or02) if one is not None]
        evidence += [one for one in observers if one.LATER]
        later = Later(evidence, desk) if recorder is None else Later(evidence, desk, recorder.caught_up, recorder.flush)
        clocks = Clocks(plan, partial(later.then, clock_read), None if is_virtual else time.time_ns)
        inner = [later, clocks, *([hooks] if users else ()), *(one for one in observers if not one.LATER)]

        def append(turn: int) -> asyncio.Future[bool] | bool:
            later.catch_up()
            known = or02.baseline(turn)
            if recorder is not None and recorder.failed:
                return False
            return log.durable() if log is not None and known else known

        journal = Journal(options.session_id, _journal_path(package, options))
        driver = Driver(
            session,
            plan,
            clock=clock,
            epoch=options.epoch,
            providers=providers,
            transport=transport,
            append=append,
            observers=inner,
            calls=calls,
            journal=journal,
            sequence=holder.sequence if holder else 0,
            kept=held,
            attributes=_known(options),
        )
        handed_over = False
        try:
            await _together(driver, transport, options)
        except HandedOver:
            handed_over = True
            if log is not None:
                leave(session, driver.epoch, clock, later)
        finally:
            for provider in {id(one): one for row in providers.values() for _, one in row}.values():
                if isinstance(provider, Outside):
                    provider.session_over(driver)
            await transport.close()
            later.catch_up()
            if not handed_over:
                put(End(clock.now_ns(), session.stats()))
        return Finished(header, session.stats(), handed_over)
    finally:
        for one in observers:
            one.on_over(clock.now_ns())
        desk.leave()
        await hooks.close()
        if journal is not None:
            journal.close()
        if log is not None:
            log.close()
        if holder is not None:
            holder.close()
        session.close()


def _outside(plan: Plan, providers: Bound) -> dict[int, Scopes]:
    """What Python nodes outside of the kernel remember, by node id. Raises `NodeError`."""
    found: dict[int, Scopes] = {}
    for node in plan.nodes:
        if node.kind == "python" and node.execution == EFFECT:
            provider = providers[node.name][0][1]
            scopes = provider.declared(node) if isinstance(provider, Outside) else None
            if scopes is not None:
                found[node.id] = scopes
    return found


def _journal_path(package: Package, options: Options) -> Path | None:
    """Beside the log, where a tool must not run twice."""
    if options.log is None or not any(node.tool and node.tool.once for node in package.plan.nodes):
        return None
    return options.log.with_name(options.log.name + SUFFIX)


def _recorder(log: LogWriter, package: Package, options: Options, changed: Callable[[Change], None]) -> LogRecorder:
    """The one that writes the log, at a level that follows the queue and the export."""
    lag_ns = options.export_lag_ns or (lambda: 0)
    pressure = (lambda: (log.fill, lag_ns())) if options.level > "L0" else None  # L0 has nothing to give up
    return LogRecorder(log, package.plan, level=options.level, pressure=pressure, changed=changed)


def _or02(package: Package, options: Options, header: Header, put: Callable[[Entry], None]) -> Or02:
    return Or02(
        package.plan,
        package.resolved,
        session_id=options.session_id,
        epoch=options.epoch,
        seed=options.seed,
        level=options.level,
        started_ms=header.started_ms,
        put=put,
    )


def _known(options: Options) -> dict[Attribute, str]:
    return {Attribute.ID: options.session_id, **options.attributes}


async def _introduced(driver: Driver, transport: Transport, options: Options) -> None:
    """Says what conditions of the pipeline ask of the session, before anything else comes in."""
    known, wanted = _known(options), asked(driver.plan)
    for attribute in Attribute:
        if attribute in known and attribute.name.lower() in wanted:
            await driver.control(Control.ATTRIBUTE, attribute, text_id(known[attribute]))
    await transport.run(driver)


async def _together(driver: Driver, transport: Transport, options: Options) -> None:
    """Driver and transport side by side: whichever fails ends both, in order."""
    driving = asyncio.create_task(driver.run(), name="driver")
    carrying = asyncio.create_task(_introduced(driver, transport, options), name="transport")
    try:
        await asyncio.wait({driving, carrying}, return_when=asyncio.FIRST_COMPLETED)
        if carrying.done() and not driving.done():
            failure = carrying.exception()
            if failure is not None and not isinstance(failure, HandedOver):
                await driver.control(Control.ENDED)
            if not isinstance(failure, HandedOver):
                await driving
    finally:
        carrying.cancel()
        driving.cancel()
        done = await asyncio.gather(driving, carrying, return_exceptions=True)
    for failure in done:
        if isinstance(failure, Exception):
            raise failure
