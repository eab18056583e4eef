"""A session without end, to be killed: `python endless.py LOG LEVEL SEGMENT_BYTES fast|real`. It says `talking`."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

from rspp_runtime.reference import Session
from rspp_runtime.session.clock import MonotonicClock, VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.package import Package
from rspp_runtime.session.virtual import run

SCRIPTED = Path(__file__).parent.parent / "session" / "scripted.py"

RESOLVED = {
    "snapshot_provenance": {"policy_resolution_snapshot": "policy/v1", "routing_view_snapshot": "routing/v1"},
    "determinism": {
        "merge_rule_id": "arrival", "merge_rule_version": "v1.0.0",
        "ordering_markers": ["runtime_sequence"], "nondeterministic_inputs": [],
    },
}  # fmt: skip


def load() -> Any:
    spec = importlib.util.spec_from_file_location("rspp_scripted_child", SCRIPTED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rspp_scripted_child"] = module
    spec.loader.exec_module(module)
    return module


async def session(log: Path, level: str, segment_bytes: int, *, fast: bool) -> None:
    scripted = load()
    plan = scripted.plan()

    async def user(ears: Any, _: Any) -> None:
        print("talking", flush=True)
        while True:
            await scripted.talk(ears, 15)
            await scripted.hush(ears, 40)

    package = Package(
        "scripted", plan, plan.template_hash, {}, {}, {}, RESOLVED,
        lambda session_id, epoch, handlers, kernel=None: Session(plan, session_id, epoch, handlers),
    )  # fmt: skip
    work = {
        "ears": scripted.listen,
        "stt": scripted.recognise,
        "llm": scripted.answer("One two three four. Five six seven eight."),
        "voice": scripted.speak,
    }
    providers = {name: [(name, scripted.Fake("x", does))] for name, does in work.items()}
    clock = VirtualClock(asyncio.get_running_loop()) if fast else MonotonicClock()
    options = Options(level=level, log=log, session_id="killed", segment_bytes=segment_bytes)
    await converse(package, providers, scripted.Party(user), clock, options)


if __name__ == "__main__":
    path, level, size, pace = sys.argv[1:]
    fast = pace == "fast"
    run(session(Path(path), level, int(size), fast=fast), virtual=fast)
