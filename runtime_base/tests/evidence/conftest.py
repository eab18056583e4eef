"""The scripted pipeline of the driver tests, and a session of it with its log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.evidence.segment import SEGMENT_BYTES
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.virtual import run


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    return module_of("rspp_scripted", Path(__file__).parent.parent / "session" / "scripted.py")


@pytest.fixture
def record(scripted: ModuleType, tmp_path: Path) -> Callable[..., Path]:
    """Runs a conversation with an interruption and writes its log at a level; returns the file."""

    def make(
        level: str = "L0",
        plan: Any = None,
        segment_bytes: int = SEGMENT_BYTES,
        lag: Callable[[int], int] = lambda now_ns: 0,
        **work: Any,
    ) -> Path:
        plan = plan or scripted.plan()
        path = tmp_path / f"session-{level}.log"

        async def user(ears: Any, _: Any) -> None:
            await scripted.hush(ears, 3)
            await scripted.talk(ears, 15)
            await scripted.hush(ears, 25)
            await scripted.talk(ears, 10)
            await scripted.quiet(ears)

        async def whole() -> None:
            package = scripted.package(plan)
            usual = {
                "ears": scripted.listen,
                "stt": scripted.recognise,
                "llm": scripted.answer("One two three four. Five <six> & seven eight."),
                "voice": scripted.speak,
            }
            candidates = {n: w if isinstance(w, list) else [w] for n, w in (usual | work).items()}
            providers = {
                node: [(f"{node}-{at}" if at else node, _provider(scripted, one)) for at, one in enumerate(works)]
                for node, works in candidates.items()
            }
            clock = VirtualClock(asyncio.get_running_loop())
            options = Options(
                level=level,
                log=path,
                session_id="test",
                segment_bytes=segment_bytes,
                export_lag_ns=lambda: lag(clock.now_ns()),
            )
            await converse(package, providers, scripted.Party(user), clock, options)

        run(whole(), virtual=True)
        return path

    return make


def _provider(scripted: ModuleType, work: Any) -> Any:
    """A provider is one; a function becomes one."""
    return work if hasattr(work, "invoke") else scripted.Fake("x", work)
