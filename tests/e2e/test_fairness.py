"""Two tenants and one worker: a pipeline whose `fairness` says so, built, and run by many sessions of one process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi.codes import Attribute, Op, Signal
from rspp_runtime.session import host, virtual
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.package import Package, close_providers, load, make_providers

NODES = """
import asyncio

CALLS = []


async def find(item, emit):
    CALLS.append(item.text)
    await asyncio.sleep(0.1)
    emit(item.text.upper())
"""
PIPELINE = """pipeline shared {
  profile simple/v1
  budget { turn = 30s }
  node find (question : text) -> (answer : text) : python("shared_nodes:find") {
    place = loop, timeout = 20s, limit = { concurrency = 1 }
  }
  ingress.text -> find { fairness = session.tenant } -> egress.text
}
"""
LARGE, QUESTIONS = 8, 12  # sessions of the large tenant, and what each of both asks
S = 1_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("shared")
    (root / "shared_nodes.py").write_text(NODES)
    (root / "shared.rspp").write_text(PIPELINE)
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "shared.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


def run(package: Package, kernel: str) -> tuple[list[str], dict[str, Any]]:
    """All sessions at once, as fast as each is answered: who was called, in order, and what each session saw."""
    scripted = module_of("rspp_scripted", Path(__file__).parents[2] / "runtime_base/tests/session/scripted.py")
    sys.modules.pop("shared_nodes", None)

    async def one(name: str, tenant: str, providers: Any) -> Any:
        async def user(ears: Any, _: Any) -> None:
            for number in range(QUESTIONS):
                closed = ears.activity.turns_closed
                await ears.media("text", f"{name} {number}".encode(), ears.clock.now_ns())
                while ears.activity.turns_closed == closed:
                    await asyncio.sleep(0.005)

        watch, clock = scripted.Watch(), VirtualClock(asyncio.get_running_loop())
        options = host.Options(kernel=kernel, session_id=name, attributes={Attribute.TENANT: tenant})
        await host.converse(package, providers, scripted.Party(user), clock, options, [watch])
        return watch

    async def all_of_them() -> dict[str, Any]:
        providers = await make_providers(package)
        names = [(f"large-{number}", "large") for number in range(LARGE)] + [("small", "small")]
        seen = await asyncio.gather(*(one(name, tenant, providers) for name, tenant in names))
        await close_providers(providers)
        return {name: watch for (name, _), watch in zip(names, seen, strict=True)}

    seen = virtual.run(all_of_them(), virtual=True)
    return [call.partition(" ")[0] for call in sys.modules["shared_nodes"].CALLS], seen


def contended(calls: list[str]) -> list[str]:
    """As long as the small tenant had anything to ask."""
    first, last = calls.index("small"), len(calls) - 1 - calls[::-1].index("small")
    return calls[first : last + 1]


def longest_s(watch: Any) -> float:
    """From a question to its answer."""
    opened = {o.turn: o.t_ns for o in watch.signals(Signal.TURN_OPEN)}
    return max(float((o.t_ns - opened[o.turn]) / S) for o in watch.outputs if o.op == Op.SEND)


@pytest.mark.feature("F-174", "no_starvation")
def test_a_small_tenant_is_served_as_often_as_a_large_one(folder: Path, kernel: str) -> None:
    package = load(str(folder / "out" / "shared"))
    assert package.resolved["node_execution_policies"] == {
        "find": {"concurrency_limit": 1, "fairness_key": "session.tenant"}
    }
    calls, seen = run(package, kernel)
    window = contended(calls)
    assert window.count("small") == QUESTIONS
    assert len(window) <= 2 * QUESTIONS + 1  # every other call, against eight sessions of the large one
    assert longest_s(seen["small"]) <= 0.35
    for name, watch in seen.items():
        assert [Signal(o.code).name for o in watch.signals(Signal.COMMIT, Signal.ABORT)] == ["COMMIT"] * QUESTIONS
        sent = [o.payload.decode() for o in watch.outputs if o.op == Op.SEND]
        assert sent == [f"{name} {number}".upper() for number in range(QUESTIONS)]
    of_large = [calls.count(f"large-{number}") for number in range(LARGE)]
    assert of_large == [QUESTIONS] * LARGE


def test_without_it_each_session_is_its_own(folder: Path, kernel: str) -> None:
    """So a tenant with eight sessions is called eight times as often as one with one: it is the plan that decides."""
    package = load(str(folder / "out" / "shared"))
    ((name, options),) = package.providers["find"]
    assert options["fairness"] == "tenant"
    without = {key: value for key, value in options.items() if key != "fairness"}
    calls, _ = run(replace(package, providers={**package.providers, "find": [(name, without)]}), kernel)
    window = contended(calls)
    assert len(window) >= (LARGE + 1) * (QUESTIONS - 1)
    counts = [window.count(f"large-{number}") for number in range(LARGE)]
    assert max(counts) - min(counts) <= 1, (counts, calls[:40])
