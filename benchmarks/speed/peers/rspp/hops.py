"""A hop: texts of a model through Python nodes to the user; by hand, and under asyncio."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from rspp_runtime.abi.codes import Op, Result
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.transports.contract import Ears
from speed.clocks import TEXT, Stopwatch, now_ns, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Party, Playing, typed
from speed.peers.rspp.packages import Machine

PAYLOAD = TEXT.encode()
WARM_UP = 20


def hop(command: dict[str, Any]) -> dict[str, Any]:
    """ns a hop without a driver: as many texts as the first edge takes, then one `advance`, again and again.

    `advance_ns` is the time of the steps alone (the median of them, so that one which another process interrupted does
    not count); `wall_ns` and `cpu_ns` are those of everything: ingest, advance, drain.
    """
    machine = Machine(command["package"])
    stages, count = command["stages"], command["count"]
    machine.open_turn()
    text = machine.chunk("llm", "delta", PAYLOAD, b=1)
    batch = _room(machine)
    session, now = machine.session, machine.now_ns
    steps_ns: list[int] = []
    sent = 0

    def flood(batches: int) -> None:
        nonlocal sent
        for _ in range(batches):
            for _ in range(batch):
                if session.ingest(text, now) != Result.ACCEPTED:
                    raise RuntimeError("the first edge has no room")
            began_ns = now_ns()
            session.advance(now)
            steps_ns.append(now_ns() - began_ns)
            sent += sum(output.op == Op.SEND for output in session.drain())

    flood(WARM_UP)
    batches = max(1, count // batch)
    steps_ns.clear()
    sent = 0
    with Stopwatch() as watch:
        flood(batches)
    machine.close()
    if sent != batches * batch:
        raise RuntimeError(f"{sent} of {batches * batch} texts came out")
    return watch.each(sent * stages) | {"advance_ns": statistics.median(steps_ns) / batch / stages}


def _room(machine: Machine) -> int:
    """Half of what the narrowest edge holds: a batch that nobody has to stop for."""
    return max(1, min(edge.items_max for edge in machine.plan.edges) // 2)


def hop_asyncio(command: dict[str, Any]) -> dict[str, Any]:
    """ns a hop from a provider's `emit` to the transport's `send`: one at a time (`paced`) or all at once."""
    stages, count, paced = command["stages"], command["count"], command["paced"]
    watches: list[Stopwatch] = []
    over = asyncio.Event()
    news = asyncio.Event()
    seen = wanted = 0

    def on_send(port: str, _: int) -> None:
        nonlocal seen
        seen += 1
        if seen == wanted:
            news.set()

    async def through(call: Invocation, items: int) -> None:
        nonlocal seen, wanted
        with Stopwatch() as watch:
            if paced:
                for _ in range(items):
                    seen, wanted = 0, 1
                    news.clear()
                    await call.emit("delta", PAYLOAD)
                    await news.wait()
            else:
                seen, wanted = 0, items
                news.clear()
                for _ in range(items):
                    await call.emit("delta", PAYLOAD)
                await news.wait()
        watches.append(watch)

    async def play(call: Invocation) -> None:
        await through(call, min(200, count))
        await through(call, count)
        over.set()

    async def script(ears: Ears) -> None:
        await typed(ears, b"go")
        await over.wait()

    async def main() -> None:
        party = Party(script)
        party.on_send = on_send
        await converse_with(command["package"], {"llm": Playing("llm", play)}, party, command["config"])

    run_loop(main(), command.get("loop", "asyncio"))
    return watches[-1].each(count * stages)
