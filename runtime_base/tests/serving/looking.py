"""A session in virtual time, with a feed and a log: what tests of looking on have in common."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loading import module_of
from rspp_runtime.abi.version import ABI_HASH
from rspp_runtime.evidence.entries import Header
from rspp_runtime.serving.feed import Feed
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.virtual import run

SCRIPTED = module_of("rspp_scripted_looking", Path(__file__).parent.parent / "session" / "scripted.py")
ANSWER = "One two three four. Five <six> & seven eight."


def header(plan: Any, session_id: str = "test") -> Header:
    return Header(
        package="scripted", pipeline=plan.pipeline, pipeline_version=plan.pipeline_version, profile=plan.profile,
        template_hash=plan.template_hash, abi_hash=ABI_HASH, session_id=session_id, epoch=1, seed=0, level="L0",
        kernel="pure", started_ms=1_000,
    )  # fmt: skip


async def user(ears: Any, _: Any) -> None:
    """Asks, and talks into the answer."""
    await SCRIPTED.hush(ears, 3)
    await SCRIPTED.talk(ears, 15)
    await SCRIPTED.hush(ears, 25)
    await SCRIPTED.talk(ears, 10)
    await SCRIPTED.quiet(ears)


def held(
    *,
    reveals: bool,
    log: Path | None = None,
    level: str = "L1",
    session_id: str = "test",
    watching: Callable[[Feed], Any] | None = None,
) -> tuple[Feed, list[dict[str, Any]]]:
    """Holds the conversation. `watching(feed)` is a coroutine that looks on; by default one that takes everything.

    Returns the feed, and the messages that were taken.
    """  # fmt: skip
    taken: list[dict[str, Any]] = []
    feeds: list[Feed] = []

    async def take(feed: Feed) -> None:
        async for text in feed.watch():
            taken.append(json.loads(text))

    async def whole() -> None:
        plan = SCRIPTED.plan()
        clock = VirtualClock(asyncio.get_running_loop())
        feed = Feed(plan, header(plan, session_id), clock, reveals=reveals)
        feeds.append(feed)
        works = {
            "ears": SCRIPTED.listen, "stt": SCRIPTED.recognise, "llm": SCRIPTED.answer(ANSWER),
            "voice": SCRIPTED.speak,
        }  # fmt: skip
        providers = {node: [(node, SCRIPTED.Fake("x", work))] for node, work in works.items()}
        looking = asyncio.create_task((watching or take)(feed))
        options = Options(level=level, log=log, session_id=session_id)
        await converse(SCRIPTED.package(plan), providers, SCRIPTED.Party(user), clock, options, (feed,))
        feed.end()
        await asyncio.wait_for(looking, 60)

    run(whole(), virtual=True)
    return feeds[0], taken


def events_of(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for message in messages if message["type"] == "events" for event in message["events"]]
