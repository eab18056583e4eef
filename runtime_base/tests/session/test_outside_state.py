"""What a Python node outside of the kernel remembers: each thing for as long as it declares, wherever it is called."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import pytest

from loading import module_of
from rspp_runtime.abi.codes import Op
from rspp_runtime.abi.plan import Plan, State
from rspp_runtime.session import virtual
from rspp_runtime.session.handlers import NodeError, load
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.outside import factory

scripted: Any = module_of("rspp_scripted", Path(__file__).with_name("scripted.py"))
outside: Any = module_of("rspp_test_outside", Path(__file__).with_name("test_outside.py"))

USER_CODE = """
import asyncio, os, threading

from rspp_runtime.nodes import state

GATE = threading.Event()
FRAMES = "20 frames"


class Keeps:
    now = state.turn(int)
    here = state.session(int)
    ever = state.durable(int)
    names = state.durable(list[str])
    dice = state.chance()

    def __call__(self, item, emit):
        self.now += 1
        self.here += 1
        self.ever += 1
        self.now += 1
        emit(f"{self.now // 2} {self.here} {self.ever} {self.dice.randrange(1000)}")
        self.wrong(item)

    def wrong(self, item):
        pass

class Waits(Keeps):
    async def __call__(self, item, emit):
        await asyncio.sleep(0.01)
        super().__call__(item, emit)
        await self.wrong_later(item)

    async def wrong_later(self, item):
        pass

class Raises(Keeps):
    def wrong(self, item):
        if item.text != FRAMES:
            raise ValueError("not these")

class Blocks(Keeps):
    def wrong(self, item):
        if item.text != FRAMES:
            GATE.wait(20)
            self.ever += 100

class BlocksInTheLoop(Waits):
    async def wrong_later(self, item):
        while item.text != FRAMES:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.ever += 100

class Dies(Keeps):
    def wrong(self, item):
        if item.text != FRAMES:
            os._exit(1)

class TooMuch(Keeps):
    def wrong(self, item):
        if item.text != FRAMES:
            self.names.append("x" * 2000)

class Leaks(Keeps):
    def wrong(self, item):
        if item.text != FRAMES:
            self.secret = 1
"""


@pytest.fixture(autouse=True)
def user_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "keeping_code.py").write_text(USER_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import keeping_code  # type: ignore[import-not-found]

    yield keeping_code
    keeping_code.GATE.set()
    del sys.modules["keeping_code"]


class Told(Observer):
    def __init__(self) -> None:
        self.durable: list[dict[str, Any]] = []

    def on_state(self, node: int, seq: int, durable: bytes) -> None:
        assert (node, seq > 0) == (scripted.LLM, True)
        self.durable.append(msgpack.unpackb(durable))


def plan(room: State | None, first_output_ms: int) -> Plan:
    made = outside.plan(first_output_ms)
    nodes = list(made.nodes)
    nodes[scripted.LLM] = replace(nodes[scripted.LLM], state=room)
    return replace(made, nodes=tuple(nodes))


ROOM = State(100, 100, 1000)


def run(
    name: str, place: str, frames: tuple[int, ...] = (20, 20), room: State | None = ROOM, first_output_ms: int = 10_000,
    sessions: int = 1,
) -> tuple[Any, Told]:  # fmt: skip
    """One question of so many frames each, one a turn; the last session's part. Processes take their own time."""
    node = factory({"reference": f"keeping_code:{name}", "place": place}, {})
    told = Told()

    async def script(ears: Any, party: Any) -> None:
        for count in frames:
            await scripted.talk(ears, count)
            await scripted.hush(ears, 10)
            await scripted.quiet(ears)

    async def main() -> Any:
        await node.prepare()
        for _ in range(sessions):
            the_plan = plan(room, first_output_ms)
            _, watch, _ = await scripted.converse(
                scripted.Party(script), the_plan=the_plan, llm=node.invoke, observers=[told]
            )
        await node.close()
        return watch

    is_virtual = place != "process" and name != "Blocks"
    return virtual.run(main(), virtual=is_virtual), told


def said(watch: Any) -> list[str]:
    """The counts, without what was drawn."""
    return [payload.decode().rpartition(" ")[0] for payload in outside.said(watch)]


def drawn(watch: Any) -> list[str]:
    return [payload.decode().rpartition(" ")[2] for payload in outside.said(watch)]


PLACES = [("Keeps", "thread"), ("Keeps", "process"), ("Waits", "loop"), ("Keeps", "loop")]


@pytest.mark.feature("F-014", "reset")
@pytest.mark.parametrize(("name", "place"), PLACES)
def test_each_scope_has_its_end(name: str, place: str) -> None:
    watch, told = run(name, place)
    assert said(watch) == ["1 1 1", "1 2 2"]  # the turn's part began anew
    assert [one["ever"] for one in told.durable] == [1, 2]
    assert len(set(drawn(watch))) == 2


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_chance_is_seeded_by_session_node_and_item(name: str, place: str) -> None:
    """As in the kernel, wherever it is called."""
    watch, _ = run(name, place)
    fed = [one.seq for one in watch.outputs if one.op == Op.FEED and one.node == scripted.LLM]
    assert drawn(watch) == [str(Random(f"/llm/{seq}").randrange(1000)) for seq in fed]


@pytest.mark.parametrize(("name", "place"), PLACES[:3])
def test_another_session_begins_anew(name: str, place: str) -> None:
    watch, _ = run(name, place, frames=(20,), sessions=2)
    assert said(watch) == ["1 1 1"]


@pytest.mark.parametrize("place", ["thread", "process"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Raises", "ValueError: not these"),
        ("TooMuch", "in `durable`, and the pipeline has room for 1,000: forget some"),
        ("Leaks", "llm.secret would be remembered in the next turn"),
    ],
)
def test_a_call_that_fails_has_remembered_nothing(name: str, place: str, reason: str) -> None:
    watch, told = run(name, place, frames=(20, 21, 20))
    assert reason in outside.reasons(watch)[1]
    assert said(watch) == ["1 1 1", "1 2 2"]
    assert [one["ever"] for one in told.durable] == [1, 2]


@pytest.mark.parametrize(
    ("name", "place"), [("Blocks", "thread"), ("BlocksInTheLoop", "loop"), ("Blocks", "process"), ("Dies", "process")]
)
def test_a_call_that_does_not_come_back_has_not_been(name: str, place: str, user_code: Any) -> None:
    """And whoever takes over from its worker begins with what counts."""
    watch, told = run(name, place, frames=(20, 21, 20), first_output_ms=4000 if place == "process" else 400)
    assert outside.ends(watch) == ["COMMIT", "ABORT", "COMMIT"]
    assert said(watch) == ["1 1 1", "1 2 2"]
    user_code.GATE.set()  # the thread changes its own copy, and nobody reads that
    assert [one["ever"] for one in told.durable] == [1, 2]


@pytest.mark.parametrize("place", ["thread", "process"])
def test_a_scope_without_room_is_refused_by_name(place: str) -> None:
    node = factory({"reference": "keeping_code:Keeps", "place": place}, {})
    row = plan(State(100, 100, 0), 400).nodes[scripted.LLM]
    with pytest.raises(NodeError, match=r"node llm: llm\.ever has no room: write `state = \{ durable = 4kB \}`"):
        node.declared(row)


def test_a_tool_remembers_nothing() -> None:
    with pytest.raises(NodeError, match="only a node of a pipeline can: a tool belongs to all sessions"):
        load("keeping_code:Keeps", "find", what="tool")
