"""A node that raises, blocks, leaks, returns rubbish, emits after its cancel or floods hurts only its own session.

Three sessions in one process, on both kernels: the neighbours are well, and the one in the middle meets the fault. All
of them share one package, one `find` (a Python node outside of the kernel) and its workers. In virtual time a neighbour
must decide to the nanosecond what it decides when it is alone; in real time it must give every right answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi import Cause, Control, Signal
from rspp_runtime.abi.codes import Op
from rspp_runtime.cli.app import run_app
from rspp_runtime.evidence.live import Live
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.providers.contract import Cancelled, Invocation, Outcome
from rspp_runtime.session import host, virtual
from rspp_runtime.session.clock import MonotonicClock, VirtualClock
from rspp_runtime.session.outside import Outside, factory
from rspp_runtime.session.package import load
from rspp_runtime.session.workers import LEFT_BEHIND_MAX

TESTS = Path(__file__).parents[1]
PIPELINE = """pipeline neighbours {
  profile simple/v1
  budget { turn = 9s, llm = 1s }
  node ears   : vad
  node find   (question : text) -> (prompt : text) : python("neighbour_nodes:find") { timeout = 5s, place = thread }
  node polite (said : text) -> (politely : text) : python("neighbour_nodes:polite")
  node voice  : tts
  ingress.audio -> ears -> stt -> find -> llm -> polite -> voice -> egress.audio
  polite -> egress.text
  on ears.barge_in -> cancel turn
}
"""
NODES = """
import asyncio, threading, time

GATE = threading.Event()


def is_bad(item):
    return "13" in item.text


def find(item, emit):
    emit(item.text)

def raises(item, emit):
    if is_bad(item):
        raise ValueError("thirteen")
    emit(item.text)

def blocks(item, emit):
    if is_bad(item):
        GATE.wait(60)
    emit(item.text)

async def never_gives_up(item, emit):
    while is_bad(item) and not GATE.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
    emit(item.text)

def hoards(item, emit):
    emit(item.text if not is_bad(item) else str(len(bytearray(2_000_000_000))))

def returns(item, emit):
    emit(item.text)
    return item if is_bad(item) else None

def talks_nonsense(item, emit):
    emit(item.text if not is_bad(item) else object())

def floods(item, emit):
    for _ in range(1_000_000 if is_bad(item) else 1):
        emit(item.text)

def polite(item, emit):
    emit(item.text)
"""
FRAMES = {"left": 20, "bad": 13, "right": 25}
ANSWER = {name: f"You said {frames} frames." for name, frames in FRAMES.items()}
NEIGHBOURS = ("left", "right")
MS = 1_000_000


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With the user's module, which is on the path, and the built package."""
    root = tmp_path_factory.mktemp("neighbours")
    (root / "neighbour_nodes.py").write_text(NODES)
    (root / "neighbours.rspp").write_text(PIPELINE)
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "neighbours.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


class Street:
    """Sessions side by side. `find` and `polite` name functions of the user's module; `work` is what a provider of the
    session in the middle does."""

    def __init__(self, folder: Path, kernel: str, logs: Path) -> None:
        self.scripted = module_of("rspp_scripted", TESTS.parent / "runtime_base" / "tests" / "session" / "scripted.py")
        self.stage = module_of("rspp_stage", TESTS / "e2e" / "stage.py")
        self.built = folder / "out" / "neighbours"
        self.package = load(str(self.built))
        self.kernel, self.logs = kernel, logs
        self.users = self.stage.Stage(self.scripted, self.package, kernel, logs)
        self.node, self.edge = self.users.node, self.users.edge

    async def _says(self, call: Invocation) -> None:
        question = b"".join([item.payload async for item in call.inputs()])
        for index, word in enumerate((b"You said %b." % question).split()):
            await call.emit("delta", b" " + word if index else word)

    async def _live(self, name: str, user: Any, find: Outside, polite: str, work: dict[str, Any], clock: Any) -> Any:
        s = self.scripted
        usual = {"ears": s.listen, "stt": s.recognise, "llm": self._says, "voice": s.speak} | work
        bound = dict(self.package.plan.provider_bindings)
        providers = {node: [(bound[node], s.Fake("x", one))] for node, one in usual.items()}
        providers["find"] = [("python", find)]
        package = replace(self.package, handlers={"polite": f"neighbour_nodes:{polite}"})
        log = self.logs / f"{name}.log"
        options = host.Options(kernel=self.kernel, level="L2", log=log, session_id=name)
        watch, party, live = s.Watch(), s.Party(user), Live(package.plan)
        finished = await host.converse(package, providers, party, clock, options, [watch], live)
        return self.stage.Seen(watch, party, finished, live.records, log)

    def play(
        self,
        *names: str,
        find: str = "find",
        polite: str = "polite",
        place: str = "thread",
        asks: int = 2,
        times: int = 2,
        user: Any = None,
        is_virtual: bool = True,
        options: dict[str, Any] | None = None,
        **work: Any,
    ) -> dict[str, Any]:
        """`asks` is how often the session in the middle asks, or `user` what it does; the others ask `times`."""
        outside = factory(
            {"reference": f"neighbour_nodes:{find}", "place": place, "emissions": 4} | (options or {}), {}
        )

        async def all_of_them() -> dict[str, Any]:
            await outside.prepare()
            loop = asyncio.get_running_loop()
            sessions = []
            for name in names:
                is_bad = name == "bad"
                script = user if is_bad and user else self.users.asks(asks if is_bad else times, FRAMES[name])
                clock = VirtualClock(loop) if is_virtual else MonotonicClock()
                sessions.append(self._live(name, script, outside, polite, work if is_bad else {}, clock))
            seen = dict(zip(names, await asyncio.gather(*sessions), strict=True))
            await outside.close()
            return seen

        return virtual.run(all_of_them(), virtual=is_virtual)


@pytest.fixture
def street(folder: Path, kernel_name: str, tmp_path: Path) -> Iterator[Street]:
    yield Street(folder, kernel_name, tmp_path)
    if (nodes := sys.modules.pop("neighbour_nodes", None)) is not None:
        nodes.GATE.set()  # whoever still waits


def outcomes(seen: Any) -> list[tuple[int, ...]]:
    return [(o.code, o.cause, o.turn, o.node, o.x, o.y, o.t_ns) for o in seen.signals()]


def written(seen: Any, turn: int) -> str:
    """What the party read of a turn."""
    return b"".join(o.payload for o in seen.ops(Op.SEND) if o.port == 1 and o.turn == turn).decode()


def ends(seen: Any) -> list[str]:
    return [Signal(o.code).name for o in seen.signals(Signal.COMMIT, Signal.ABORT)]


def causes(seen: Any, signal: Signal) -> set[int]:
    return {o.cause for o in seen.signals(signal)}


def reasons(seen: Any, node: int) -> list[str]:
    return [end.reason for end in seen.watch.ends if end.node == node and end.reason]


def hurts_nobody_else(street: Street, **how: Any) -> Any:
    """Plays it, holds the neighbours to what they owe and the log of the one in the middle to be whole; returns that
    one."""
    seen = street.play("left", "bad", "right", **how)
    turns = how.get("times", 2)
    for name in NEIGHBOURS:
        neighbour = seen[name]
        assert ends(neighbour) == ["COMMIT"] * turns, name
        assert [written(neighbour, turn + 1) for turn in range(turns)] == [ANSWER[name]] * turns
        assert neighbour.played(1)
        wrong = [Signal.PROVIDER_ERROR, Signal.LATE_AFTER_CANCEL, Signal.BUDGET_EXHAUSTED]
        wrong += [Signal.DROP_NOTICE] * how.get("is_virtual", True)  # in real time a busy machine is late for everybody
        assert [Signal(o.code).name for o in neighbour.signals(*wrong)] == []
    if how.get("is_virtual", True):
        alone = street.play(
            *NEIGHBOURS, **{key: how[key] for key in how.keys() & {"find", "polite", "place", "options", "times"}}
        )
        for name in NEIGHBOURS:
            assert outcomes(seen[name]) == outcomes(alone[name]), f"{name} decides otherwise beside a bad one"
    bad = seen["bad"]
    opened = [o.turn for o in bad.signals(Signal.TURN_OPEN)]
    for closing in ((Signal.COMMIT, Signal.ABORT), (Signal.CLOSE,)):
        assert [o.turn for o in bad.signals(*closing)] == opened
    assert sorted(bad.records) == opened
    assert [missing_fields(record) for record in bad.records.values()] == [[]] * len(opened)
    if how.get("is_virtual", True):
        with pytest.raises(SystemExit) as left:
            run_app(["replay", str(bad.log), "--package", str(street.built)])
        assert left.value.code == 0
    return bad


# ---- raises


@pytest.mark.feature("F-134", "caught", "unaffected")
def test_one_that_raises_in_the_kernel(street: Street) -> None:
    bad = hurts_nobody_else(street, polite="raises")
    assert ends(bad) == ["ABORT"] * 2
    assert causes(bad, Signal.ABORT) == {Cause.NODE_TIMEOUT_OR_FAILURE}


@pytest.mark.parametrize("place", ["thread", "loop"])
def test_one_that_raises_outside(street: Street, place: str) -> None:
    bad = hurts_nobody_else(street, find="raises", place=place)
    assert ends(bad) == ["ABORT"] * 2
    assert all("ValueError: thirteen (" in reason for reason in reasons(bad, street.node("find")))
    assert [o.x for o in bad.signals(Signal.PROVIDER_ERROR)] == [Outcome.INFRASTRUCTURE_FAILURE] * 2


@pytest.mark.parametrize("node", ["ears", "stt", "llm", "voice"])
def test_a_provider_that_raises(street: Street, node: str) -> None:
    async def raises(call: Invocation) -> None:
        async for _ in call.inputs():
            break
        raise ZeroDivisionError("nothing")

    bad = hurts_nobody_else(street, **{node: raises})
    assert bad.signals(Signal.PROVIDER_ERROR)
    assert "ZeroDivisionError: nothing" in reasons(bad, street.node(node))


# ---- blocks


@pytest.mark.feature("F-134", "caught", "unaffected")
def test_one_that_blocks_its_thread(street: Street) -> None:
    bad = hurts_nobody_else(street, find="blocks", asks=1, is_virtual=False)
    assert ends(bad) == ["ABORT"]
    (failed,) = bad.signals(Signal.PROVIDER_ERROR)
    assert (failed.node, failed.cause) == (street.node("find"), Cause.NODE_TIMEOUT)


@pytest.mark.feature("F-122", "cancel")
def test_one_that_blocks_its_process(street: Street) -> None:
    bad = hurts_nobody_else(street, find="blocks", place="process", asks=1, is_virtual=False)
    assert ends(bad) == ["ABORT"]


def test_one_that_blocks_again_and_again_is_not_called_any_more_and_the_others_are(street: Street) -> None:
    """Each call is cancelled and left after its grace, until the session has no more threads: the others have."""
    s = street.scripted
    begun = threading.active_count()

    async def impatient(ears: Any, _: Any) -> None:
        for _ in range(LEFT_BEHIND_MAX + 3):
            await s.talk(ears, FRAMES["bad"])
            await s.hush(ears, 6)
            await ears.control(Control.CANCEL_TURN)
            await s.hush(ears, 6)

    bad = hurts_nobody_else(street, find="blocks", user=impatient, times=4, is_virtual=False)
    assert threading.active_count() - begun <= LEFT_BEHIND_MAX + 4
    assert "COMMIT" not in ends(bad)
    refused = [reason for reason in reasons(bad, street.node("find")) if "not called any more" in reason]
    assert len(refused) >= 2


def test_one_that_never_gives_up_keeps_nobody_from_being_called(street: Street) -> None:
    """A coroutine that catches each cancel, where two calls may run at once: it keeps no slot."""
    bad = hurts_nobody_else(street, find="never_gives_up", place="loop", asks=4, times=6, options={"concurrency": 2})
    assert ends(bad) == ["ABORT"] * 4
    assert causes(bad, Signal.PROVIDER_ERROR) == {Cause.NODE_TIMEOUT}


def test_a_provider_that_waits_for_ever(street: Street) -> None:
    async def waits(call: Invocation) -> None:
        await asyncio.sleep(10_000)

    bad = hurts_nobody_else(street, llm=waits)
    assert ends(bad) == ["ABORT"] * 2
    assert causes(bad, Signal.PROVIDER_ERROR) == {Cause.NODE_TIMEOUT}


# ---- leaks


def test_a_provider_whose_invocations_never_end(street: Street) -> None:
    """It catches its cancel: the kernel forces it after the grace and has its end; nothing of it is counted as open."""
    alive: list[int] = []

    async def stays(call: Invocation) -> None:
        alive.append(call.id)
        try:
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(50)
        finally:
            alive.remove(call.id)

    bad = hurts_nobody_else(street, llm=stays, asks=4)
    assert alive == []
    assert ends(bad) == ["ABORT"] * 4
    forced = bad.ops(Op.FORCE, street.node("llm"))
    assert len(forced) == 4
    assert reasons(bad, street.node("llm")) == ["forced after the grace"] * 4


@pytest.mark.feature("F-134", "caught", "unaffected")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process so")
def test_one_that_takes_more_memory_than_it_may(street: Street) -> None:
    limit = {"memory_bytes": 200_000_000}
    bad = hurts_nobody_else(street, find="hoards", place="process", options=limit, is_virtual=False)
    assert ends(bad) == ["ABORT"] * 2
    assert all("MemoryError" in reason for reason in reasons(bad, street.node("find")))


# ---- returns rubbish


@pytest.mark.parametrize("name", ["returns", "talks_nonsense"])
def test_one_that_returns_rubbish(street: Street, name: str) -> None:
    bad = hurts_nobody_else(street, find=name)
    assert ends(bad) == ["ABORT"] * 2
    assert all(reason.startswith("TypeError: ") for reason in reasons(bad, street.node("find")))
    bad = hurts_nobody_else(street, polite=name)
    assert ends(bad) == ["ABORT"] * 2


@pytest.mark.parametrize(
    "rubbish", [("delta", b"\xff\xfe"), ("delta", b"x" * 100_000), ("nothing", b""), ("delta", None)]
)
def test_a_provider_that_returns_rubbish(street: Street, rubbish: tuple[str, Any]) -> None:
    async def answers(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        await call.emit(*rubbish)

    bad = hurts_nobody_else(street, llm=answers)
    assert bad.signals(Signal.PROVIDER_ERROR)


# ---- emits after cancel


def test_a_provider_that_emits_after_its_cancel(street: Street) -> None:
    """It talks on and on, whoever interrupts it: each late piece is refused and recorded, and none leaves."""

    async def talks_on(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for _ in range(400):
            with contextlib.suppress(Cancelled):
                await call.emit("delta", b" and")
            await asyncio.sleep(0.01)

    bad = hurts_nobody_else(street, llm=talks_on, user=street.users.interrupts(after_frames=60, frames=13))
    late = bad.signals(Signal.LATE_AFTER_CANCEL)
    nodes = {o.node for o in late}
    assert street.node("llm") in nodes <= {street.node(name) for name in ("llm", "voice", "egress")}
    assert {o.cause for o in late} == {Cause.CANCELLED}
    abort = bad.signals(Signal.ABORT)[0]
    assert not [o for o in bad.outputs[bad.outputs.index(abort) :] if o.op == Op.SEND and o.turn == abort.turn]


# ---- floods


def test_one_that_floods(street: Street) -> None:
    bad = hurts_nobody_else(street, find="floods")
    assert all("emits more than" in reason for reason in reasons(bad, street.node("find")))
    assert ends(bad) == ["ABORT"] * 2
    bad = hurts_nobody_else(street, polite="floods")
    assert ends(bad) == ["ABORT"] * 2
    assert causes(bad, Signal.ABORT) == {Cause.NODE_TIMEOUT_OR_FAILURE}


def test_a_model_that_floods_waits_for_room_until_its_turn_is_over(street: Street) -> None:
    async def floods(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        while True:
            await call.emit("delta", b" and")

    bad = hurts_nobody_else(street, llm=floods, user=street.users.interrupts(after_frames=150, frames=13))
    assert ends(bad)[0] == "ABORT"
    stats = bad.finished.stats
    for edge in street.package.plan.edges:
        assert stats[f"edge.{edge.id}.high"] <= edge.items_max


def test_ears_that_flood_lose_by_name_what_has_no_room(street: Street) -> None:
    s = street.scripted

    async def floods(call: Invocation) -> None:
        told = False
        async for item in call.inputs():
            if any(item.payload) and not told:
                told = True
                await call.emit("speech_start", media_ns=item.media_ns)
                for _ in range(3000):
                    await call.emit("speech", s.FRAME, media_ns=item.media_ns)
                await call.emit("speech_end", media_ns=item.media_ns)

    async def slow(call: Invocation) -> None:
        await asyncio.sleep(0.5)
        await s.recognise(call)

    bad = hurts_nobody_else(street, ears=floods, stt=slow, asks=1)
    edge = street.edge("ears.speech", "stt.audio")
    lost = [o for o in bad.signals(Signal.DROP_NOTICE) if o.node == edge.id]
    assert sum(o.y - o.x + 1 for o in lost) >= bad.finished.stats[f"edge.{edge.id}.dropped"] > 2500
