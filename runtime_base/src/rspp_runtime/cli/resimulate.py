"""`rspp replay --mode re_simulate_nodes`: the party's input again, with providers and users' nodes at work again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from rspp_runtime.evidence.entries import Level, Log
from rspp_runtime.evidence.facts import Conversation, Turn, read
from rspp_runtime.evidence.live import Live
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.package import Package, close_providers, make_providers
from rspp_runtime.session.virtual import run
from rspp_runtime.transports.recorded import RecordedParty

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """One turn as it was, and as it is now. `differs` names what of `compared` is not the same."""

    turn: int
    before: dict[str, Any]
    now: dict[str, Any]
    compared: tuple[str, ...]

    @property
    def differs(self) -> list[str]:
        return [name for name in self.compared if self.before.get(name) != self.now.get(name)]


def resimulate(log: Log, package: Package, kernel: str | None) -> list[Pair]:
    """Runs the session again in virtual time. Raises `PackageError`, `NodeError`."""
    before, now = read(package.plan, log.entries), run(_again(log, package, kernel), virtual=True)
    count = max(len(before.turns), len(now.turns))
    texts_kept = log.header.level != "L0" and not any(isinstance(entry, Level) for entry in log.entries)
    compared = ("outcome", "cause", *(("asked", "said", "shown") if texts_kept else ()))
    return [Pair(index + 1, _figures(before, index), _figures(now, index), compared) for index in range(count)]


async def _again(log: Log, package: Package, kernel: str | None) -> Conversation:
    providers = await make_providers(package)
    try:
        clock = VirtualClock(asyncio.get_running_loop())
        header = log.header
        options = Options(kernel=kernel, session_id=header.session_id, epoch=header.epoch, seed=header.seed)
        party, live = RecordedParty(package.plan, log.entries), Live(package.plan)
        await converse(package, providers, party, clock, options, live=live)
        return live.conversation
    finally:
        await close_providers(providers)


def _figures(conversation: Conversation, index: int) -> dict[str, Any]:
    """What a turn came to; texts only where the log kept them."""
    if index >= len(conversation.turns):
        return {}
    turn: Turn = conversation.turns[index]
    waited_ns = turn.playback_ns - turn.input_end_ns if turn.playback_ns >= 0 and turn.input_end_ns >= 0 else -1
    return {
        "outcome": turn.outcome,
        "cause": turn.cause,
        "asked": turn.asked,
        "said": turn.said.decode("utf-8", "replace").strip("\0 "),
        "shown": turn.shown.decode("utf-8", "replace").strip("\0 "),
        "first_output_ms": round(waited_ns / MS_NS, 3) if waited_ns >= 0 else None,
    }
