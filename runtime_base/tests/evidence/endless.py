"""A session without end, to be killed: `python endless.py LOG LEVEL SEGMENT_BYTES fast|real`. It says `talking`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from rspp_runtime.session.clock import MonotonicClock, VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.virtual import run

SESSION = Path(__file__).parent.parent / "session"
sys.path.insert(0, str(SESSION))

import scripted  # noqa: E402


async def session(log: Path, level: str, segment_bytes: int, *, fast: bool) -> None:
    async def user(ears: Any, _: Any) -> None:
        print("talking", flush=True)
        while True:
            await scripted.talk(ears, 15)
            await scripted.hush(ears, 40)

    work = {
        "ears": scripted.listen,
        "stt": scripted.recognise,
        "llm": scripted.answer("One two three four. Five six seven eight."),
        "voice": scripted.speak,
    }
    providers = {name: [(name, scripted.Fake("x", does))] for name, does in work.items()}
    clock = VirtualClock(asyncio.get_running_loop()) if fast else MonotonicClock()
    options = Options(level=level, log=log, session_id="killed", segment_bytes=segment_bytes)
    await converse(scripted.package(scripted.plan()), providers, scripted.Party(user), clock, options)


if __name__ == "__main__":
    path, level, size, pace = sys.argv[1:]
    fast = pace == "fast"
    run(session(Path(path), level, int(size), fast=fast), virtual=fast)
