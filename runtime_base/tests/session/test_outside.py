"""Python nodes outside of the kernel: what goes wrong in a call hurts only its own session (docs/nodes.md)."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi import Plan, Signal
from rspp_runtime.abi.codes import Cause
from rspp_runtime.providers.contract import Outcome, ProviderError
from rspp_runtime.session import host, virtual
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.outside import Outside, factory
from rspp_runtime.session.workers import LEFT_BEHIND_MAX

scripted: Any = module_of("rspp_scripted", Path(__file__).with_name("scripted.py"))
MS, Party, Watch = scripted.MS, scripted.Party, Any

USER_CODE = """
import asyncio, os, threading, time

GATE = threading.Event()
made = []

def shout(item, emit):
    assert item.turn > 0 and item.words > 0
    emit(item.text.upper())

async def ask(item, emit):
    await asyncio.sleep(0.05)
    emit("It is four.")

async def ask_for_ever(item, emit):
    await asyncio.sleep(3600)

def raises(item, emit):
    raise ValueError("no such thing")

def leaves(item, emit):
    raise SystemExit(3)

def returns(item, emit):
    return item.text

def floods(item, emit):
    for _ in range(100000):
        emit("again")

def oversized(item, emit):
    emit("x" * 5000)

def blocks(item, emit):
    GATE.wait(20)
    emit("far too late")

def dies(item, emit):
    os._exit(1)

def hoards(item, emit):
    emit(str(len(bytearray(400_000_000))))

class Counts:
    def __init__(self):
        made.append(self)
        self.count = 0

    def __call__(self, item, emit):
        self.count += 1
        emit(f"call {self.count}.")
"""


@pytest.fixture(autouse=True)
def user_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The user's module, on the path of this process and of those that it starts."""
    (tmp_path / "outside_code.py").write_text(USER_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import outside_code  # type: ignore[import-not-found]

    yield outside_code
    outside_code.GATE.set()
    del sys.modules["outside_code"]


def plan(first_output_ms: int = 300) -> Plan:
    """The scripted pipeline, with a Python node where it has a model, and no hurry."""
    made = scripted.plan(turn_ns=60_000 * MS, turn_warning_ns=50_000 * MS)
    nodes = list(made.nodes)
    nodes[scripted.LLM] = replace(
        nodes[scripted.LLM],
        name="llm",
        kind="python",
        outputs=nodes[scripted.LLM].outputs[:1],
        first_output_ns=first_output_ms * MS,
        chunk_ns=0,
        emissions_max=3,
    )
    return replace(made, nodes=tuple(nodes))


def node(name: str, place: str = "thread", **options: Any) -> Outside:
    return factory({"reference": f"outside_code:{name}", "place": place, "emissions": 3, **options}, {})


async def _question(ears: Any, party: Any) -> None:
    await scripted.talk(ears, 20)
    await scripted.hush(ears, 10)
    await scripted.quiet(ears)


def run(outside: Outside, *, questions: int = 1, first_output_ms: int = 300) -> Watch:
    """A call in virtual time, but for a process, which takes its own: so many questions, each answered or not."""

    async def script(ears: Any, party: Any) -> None:
        for _ in range(questions):
            await _question(ears, party)

    async def main() -> Watch:
        await outside.prepare()
        _, watch, _ = await scripted.converse(Party(script), the_plan=plan(first_output_ms), llm=outside.invoke)
        await outside.close()
        return watch

    return virtual.run(main(), virtual=outside.place != "process")


def said(watch: Watch) -> list[bytes]:
    """What the node emitted and the kernel took."""
    return [event.payload for _, event, result in watch.inputs if event.op == 2 and event.node == 3 and result == 0]


def ends(watch: Watch) -> list[str]:
    return [Signal(one.code).name for one in watch.signals(Signal.COMMIT, Signal.ABORT)]


def reasons(watch: Watch) -> list[str]:
    return [end.reason for end in watch.ends if end.node == scripted.LLM]


@pytest.mark.feature("F-122", "boundary")
@pytest.mark.feature("F-011", "runs")
@pytest.mark.parametrize("place", ["thread", "loop", "process"])
def test_it_emits_and_the_turn_goes_on(place: str) -> None:
    watch = run(node("shout", place), first_output_ms=30_000)
    assert (said(watch), ends(watch)) == ([b"20 FRAMES"], ["COMMIT"])


def test_a_coroutine_may_wait_in_the_loop() -> None:
    assert said(run(node("ask", "loop"))) == [b"It is four."]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "ValueError: no such thing"),
        ("leaves", "SystemExit: 3"),
        ("returns", "TypeError: it returned str: what is to go on must be given to emit"),
        ("floods", "ValueError: llm emits more than 3 items in one call"),
        ("oversized", "ValueError: 5000 bytes are too many"),
    ],
)
def test_what_goes_wrong_in_a_call_is_an_error_of_the_node(name: str, reason: str) -> None:
    watch = run(node(name))
    assert reason in reasons(watch)[0]
    assert said(watch) == []
    abort = watch.signals(Signal.ABORT)
    assert [one.cause for one in abort] == [Cause.PROVIDER_FAILURE]


def test_a_place_in_the_user_s_file_is_named() -> None:
    assert "outside_code.py:" in reasons(run(node("raises")))[0]


def test_a_process_that_dies_is_an_error_of_the_node() -> None:
    assert reasons(run(node("dies", "process"), first_output_ms=30_000)) == [
        "its process is gone: it was killed, or left without memory"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process so")
def test_a_process_gets_no_more_memory_than_was_written() -> None:
    watch = run(node("hoards", "process", memory_bytes=64_000_000), first_output_ms=30_000)
    assert "MemoryError" in reasons(watch)[0]


def real(outside: Outside, sessions: int, first_output_ms: int) -> list[Watch]:
    """Several sessions side by side in real time: one question each."""

    async def main() -> list[Watch]:
        await outside.prepare()
        talks = [
            scripted.converse(Party(_question), the_plan=plan(first_output_ms), llm=outside.invoke)
            for _ in range(sessions)
        ]
        watches = [watch for _, watch, _ in await asyncio.gather(*talks)]
        await outside.close()
        return watches

    return asyncio.run(main())


@pytest.mark.feature("F-123", "enforced")
def test_a_call_that_blocks_times_out_and_nobody_waits_for_its_thread(user_code: Any) -> None:
    begun = time.monotonic()
    before = threading.active_count()
    (watch,) = real(node("blocks"), 1, 150)
    assert time.monotonic() - begun < 15  # it blocks for 20 s
    failed = watch.signals(Signal.PROVIDER_ERROR)
    assert [(one.node, one.cause) for one in failed] == [(scripted.LLM, Cause.NODE_TIMEOUT)]
    assert ends(watch) == ["ABORT"]
    user_code.GATE.set()  # what it emits now comes to nobody
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.02)
    assert threading.active_count() <= before
    assert said(watch) == []


def test_a_session_that_blocks_does_not_hold_up_another(user_code: Any) -> None:
    """Two sessions of one node: what blocks the first one's thread is nothing to the second."""
    calls: list[int] = []

    def sometimes(item: Any, emit: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            user_code.GATE.wait(20)
        emit("It is four.")

    user_code.sometimes = sometimes
    watches = real(node("sometimes"), 2, 1000)
    assert sorted(ends(watch)[0] for watch in watches) == ["ABORT", "COMMIT"]


def test_a_node_that_left_too_many_threads_behind_is_not_called_any_more(user_code: Any) -> None:
    watches = real(node("blocks"), LEFT_BEHIND_MAX, 100)
    assert {ends(watch)[0] for watch in watches} == {"ABORT"}


def test_a_class_is_made_once_a_session(user_code: Any) -> None:
    watch = run(node("Counts"), questions=2)
    assert said(watch) == [b"call 1.", b"call 2."]


@pytest.mark.feature("F-109", "limit")
@pytest.mark.feature("F-123", "enforced")
def test_calls_at_once_are_bounded_over_all_sessions(user_code: Any) -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def slow(item: Any, emit: Any) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1
        emit("It is four.")

    user_code.slow = slow
    watches = real(node("slow", concurrency=2), 5, 5000)
    assert [ends(watch) for watch in watches] == [["COMMIT"]] * 5
    assert most[0] <= 2


@pytest.mark.parametrize("place", ["thread", "process"])
def test_a_session_that_is_over_leaves_no_worker_behind(place: str) -> None:
    """Although the node goes on to serve others."""
    outside = node("shout", place)

    async def main() -> None:
        await outside.prepare()
        before, children = threading.active_count(), len(multiprocessing.active_children())
        usual = {"ears": scripted.listen, "stt": scripted.recognise, "voice": scripted.speak, "llm": outside.invoke}
        for _ in range(3):
            providers: Any = {name: [(name, scripted.Fake("x", work))] for name, work in usual.items()}
            providers["llm"] = [("llm", outside)]
            clock, watch = VirtualClock(asyncio.get_running_loop()), scripted.Watch()
            made = scripted.package(plan(30_000))
            await host.converse(made, providers, Party(_question), clock, host.Options(), [watch])
            assert ends(watch) == ["COMMIT"]
        for _ in range(200):
            if threading.active_count() <= before and len(multiprocessing.active_children()) <= children:
                break
            time.sleep(0.02)
        assert threading.active_count() <= before
        assert len(multiprocessing.active_children()) <= children
        await outside.close()

    virtual.run(main(), virtual=place != "process")


@pytest.mark.parametrize("name", ["nothing_of_that_name", "GATE"])
def test_a_name_that_is_nothing_is_told_before_the_first_session(name: str) -> None:
    with pytest.raises(ProviderError, match=name) as raised:
        asyncio.run(node(name).prepare())
    assert raised.value.outcome == Outcome.INFRASTRUCTURE_FAILURE


def test_a_coroutine_belongs_into_the_loop() -> None:
    with pytest.raises(ProviderError, match="is async"):
        asyncio.run(node("ask", "thread").prepare())
