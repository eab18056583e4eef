"""The scripted pipeline of the driver tests, and a session of it with its log."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.evidence.segment import SEGMENT_BYTES
from rspp_runtime.reference import Session
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.package import Package
from rspp_runtime.session.virtual import run


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    path = Path(__file__).parent.parent / "session" / "scripted.py"
    spec = importlib.util.spec_from_file_location("rspp_scripted", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rspp_scripted"] = module
    spec.loader.exec_module(module)
    return module


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
            package = Package(
                "scripted", plan, plan.template_hash, {}, {}, {}, RESOLVED,
                lambda session_id, epoch, handlers, kernel=None: Session(plan, session_id, epoch, handlers),
            )  # fmt: skip
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


RESOLVED = {
    "snapshot_provenance": {"policy_resolution_snapshot": "policy/v1", "routing_view_snapshot": "routing/v1"},
    "determinism": {
        "merge_rule_id": "arrival", "merge_rule_version": "v1.0.0",
        "ordering_markers": ["runtime_sequence"], "nondeterministic_inputs": [],
    },
}  # fmt: skip
