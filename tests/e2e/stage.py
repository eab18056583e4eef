"""A session of the shipped package with providers written in the test: every answer known, in virtual time.

The package is compiled from its source and runs on both kernels; only recogniser, model and voice are the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.evidence.live import Live
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.package import Package
from rspp_runtime.session.virtual import run

MS = 1_000_000
EGRESS_AUDIO = 0  # the port of egress

Work = Callable[..., Awaitable[None]]


@dataclass
class Seen:
    """What one session left behind."""

    watch: Any  # its inputs, outputs and invocations, in order
    party: Any  # the user's side: what was played and flushed
    finished: Finished
    records: dict[int, dict[str, Any]]  # OR-02, by turn
    log: Path

    @property
    def outputs(self) -> list[Output]:
        outputs: list[Output] = self.watch.outputs
        return outputs

    def signals(self, *codes: Signal) -> list[Output]:
        signals: list[Output] = self.watch.signals(*codes)
        return signals

    def ops(self, op: Op, node: int = -1) -> list[Output]:
        return [o for o in self.outputs if o.op == op and node in (-1, o.node)]

    def played(self, turn: int) -> list[Output]:
        return [o for o in self.ops(Op.SEND) if o.port == EGRESS_AUDIO and o.turn == turn]


class Stage:
    """Runs sessions of one package on one kernel."""

    def __init__(self, scripted: ModuleType, package: Package, kernel: str, folder: Path) -> None:
        self.scripted = scripted
        self.package = package
        self.kernel = kernel
        self._folder = folder
        self._ids = {node.name: node.id for node in package.plan.nodes}
        self._edges = {edge.name: edge for edge in package.plan.edges}

    def node(self, name: str) -> int:
        return self._ids[name]

    def edge(self, source: str, target: str) -> Any:
        """The edge whose name begins and ends so."""
        (found,) = [e for name, e in self._edges.items() if name.startswith(source) and name.endswith(target)]
        return found

    async def perform(self, user: Work, session_id: str = "s", **work: Work) -> Seen:
        """One session in the running loop; `work` replaces a node's provider."""
        s = self.scripted
        usual = {"ears": s.listen, "stt": s.recognise, "llm": s.answer("It is four. Good bye."), "voice": s.speak}
        bound = dict(self.package.plan.provider_bindings)
        providers = {name: [(bound[name], s.Fake("x", function))] for name, function in (usual | work).items()}
        watch, party = s.Watch(), s.Party(user)
        log = self._folder / f"{session_id}.log"
        options = Options(kernel=self.kernel, level="L2", log=log, session_id=session_id)
        clock = VirtualClock(asyncio.get_running_loop())
        live = Live(self.package.plan)
        finished = await converse(self.package, providers, party, clock, options, [watch], live)
        return Seen(watch, party, finished, live.records, log)

    def play(self, user: Work, **work: Work) -> Seen:
        return run(self.perform(user, **work), virtual=True)

    def play_both(self, one: tuple[Work, dict[str, Work]], other: tuple[Work, dict[str, Work]]) -> tuple[Seen, Seen]:
        """Two sessions of the same process, at the same time."""

        async def both() -> tuple[Seen, Seen]:
            return await asyncio.gather(
                self.perform(one[0], "one", **one[1]), self.perform(other[0], "other", **other[1])
            )

        return run(both(), virtual=True)

    # ---- users

    def asks(self, times: int = 1, frames: int = 15) -> Work:
        """Says something, waits for the answer; so many times."""
        s = self.scripted

        async def user(ears: Any, _: Any) -> None:
            for _ in range(times):
                await s.hush(ears, 3)
                await s.talk(ears, frames)
                await s.quiet(ears)

        return user

    def interrupts(self, after_frames: int = 40, frames: int = 10) -> Work:
        """Says something, and talks over the answer."""
        s = self.scripted

        async def user(ears: Any, _: Any) -> None:
            await s.hush(ears, 3)
            await s.talk(ears, 15)
            await s.hush(ears, after_frames)
            await s.talk(ears, frames)
            await s.quiet(ears)

        return user
