"""A session under asyncio: as a package runs it, or the driver with nobody who looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rspp_runtime.providers.contract import Provider
from rspp_runtime.session.clock import Clock, MonotonicClock
from rspp_runtime.session.driver import Driver
from rspp_runtime.session.handlers import Calls, make_handlers
from rspp_runtime.session.host import Options, converse
from rspp_runtime.transports.contract import Transport
from speed.peers.rspp.packages import package


async def converse_with(
    name: str,
    providers: Mapping[str, Provider],
    party: Transport,
    config: str = "default",
    options: Options | None = None,
    clock: Clock | None = None,
) -> None:
    """One session of that pipeline, to its end. `providers` by node.

    `config` is `default`: conversation, record of each turn and log as `rspp run` has them (`options` says where a log
    goes); or `lean`: the driver and the kernel, no observer.
    """
    made = package(name)
    bound = {node: [("fake", provider)] for node, provider in providers.items()}
    clock = clock or MonotonicClock()
    if config == "default":
        await converse(made, bound, party, clock, options or Options())
        return
    session = made.open_session("bench", 1, make_handlers(made.plan, made.handlers, clock, Calls()))
    driver = Driver(
        session, made.plan, clock=clock, epoch=1, providers=bound, transport=party, append=lambda turn: True
    )  # fmt: skip
    running = asyncio.create_task(driver.run())
    try:
        await party.run(driver)
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await party.close()
        session.close()
