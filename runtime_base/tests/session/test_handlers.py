"""A user's node as the kernel calls it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node, Port
from rspp_runtime.nodes import Emit, Item, ItemGoneError, Stage
from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.handlers import Calls, NodeError, load, wrap


def _node(**changes: Any) -> Node:
    fields: dict[str, Any] = {
        "id": 4, "name": "shout", "kind": "python", "execution": "kernel", "scope": "turn", "line": 9,
        "inputs": (Port("text", "text", 4096),), "outputs": (Port("text", "text", 64),), "handler": 0,
        "emissions_max": 2,
    }  # fmt: skip
    return Node(**(fields | changes))


def _item(text: str) -> KernelItem:
    return KernelItem(0, 3, 17, 0, 1, 0, 2, text.encode())


def test_emissions_are_measured_and_told() -> None:
    def shout(item: Item, emit: Emit) -> None:
        assert (item.text, item.port, item.turn, item.final, item.words) == ("well done.", "text", 3, True, 2)
        emit(item.text.upper(), final=True)
        emit("again")

    calls = Calls(every=True)
    handler = wrap(_node(), shout, MonotonicClock(), calls)
    expected = (Emission(0, b"WELL DONE.", 1, 10, 2), Emission(0, b"again", 0, 0, 1))
    assert handler(_item("well done.")) == expected
    call = calls.rows[0]
    assert (call.node, call.seq, call.emissions, call.reason) == (4, 17, expected, "")
    assert call.start_ns <= call.end_ns


def test_an_item_dies_with_its_call() -> None:
    kept: list[Item] = []
    wrap(_node(), lambda item, emit: kept.append(item), MonotonicClock(), Calls())(_item("x"))
    with pytest.raises(ItemGoneError, match="lives only as long as the call"):
        _ = kept[0].text


def test_what_is_kept_of_a_call_stays_dead_in_the_next_one() -> None:
    """The view is used again only where nobody has it; and emitting belongs to a call too."""
    kept: list[tuple[Item, Emit]] = []

    def keeps(item: Item, emit: Emit) -> None:
        for old, _ in kept:
            with pytest.raises(ItemGoneError):
                _ = old.media_ns
        kept.append((item, emit))
        emit(item.text)

    handler = wrap(_node(), keeps, MonotonicClock(), Calls())
    assert [handler(_item(text)) for text in ("one", "two")] == [
        (Emission(0, b"one", 0, 0, 1),), (Emission(0, b"two", 0, 0, 1),)
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="during a call of the node, and nowhere else"):
        kept[0][1]("late")


def test_one_view_serves_all_calls_of_a_node_that_keeps_nothing() -> None:
    seen: set[int] = set()
    handler = wrap(_node(), lambda item, emit: seen.add(id(item)), MonotonicClock(), Calls())
    for _ in range(5):
        assert handler(_item("x")) == ()
    assert len(seen) == 1


def test_a_coroutine_is_resumed_with_each_item() -> None:
    async def counts(stage: Stage) -> None:
        count = 0
        while True:
            item = await stage.item()
            count += 1
            stage.emit(f"{count} {item.text}")

    handler = wrap(_node(), counts, MonotonicClock(), Calls())
    emitted = [handler(_item(text)) for text in ("one", "two", "three")]
    assert [made[0].payload for made in emitted if made] == [b"1 one", b"2 two", b"3 three"]


def test_a_coroutine_that_fails_begins_anew() -> None:
    async def waits(stage: Stage) -> None:
        item = await stage.item()
        while True:
            old = item
            stage.emit(item.text)
            item = await stage.item()
            if item.text == "ends":
                return
            if item.text == "sleeps":
                await asyncio.sleep(1)
            if item.text == "yields":
                await asyncio.sleep(0)
            if item.text == "fails":
                _ = 1 // 0
            with pytest.raises(ItemGoneError):
                _ = old.text

    calls = Calls()
    handler = wrap(_node(), waits, MonotonicClock(), calls)
    for text, said in {
        "fails": "ZeroDivisionError",
        "ends": "it has ended: a node that is a coroutine awaits one item after the other",
        "yields": "it awaits something else than its next item",
        "sleeps": "no running event loop",
    }.items():
        assert handler(_item("good")) == (Emission(0, b"good", 0, 0, 1),)
        assert handler(_item(text)) is None
        assert said in calls.rows[-1].reason
    assert handler(_item("good")) is not None


def test_calls_are_timed_and_only_told_one_by_one_where_somebody_listens() -> None:
    class Ticks:
        now = 0

        def now_ns(self) -> int:
            self.now += 10
            return self.now

    def sometimes(item: Item, emit: Emit) -> None:
        if item.text == "fail":
            raise ValueError("asked for")

    calls = Calls(limits_ns={4: 10})
    handler = wrap(_node(), sometimes, Ticks(), calls)
    handler(_item("x"))
    handler(_item("fail"))
    assert calls.taken() == {4: 20}
    assert calls.taken() == {}
    assert [(call.start_ns, call.end_ns, call.emissions) for call in calls.rows] == [(30, 40, None)]
    strict = Calls(limits_ns={4: 9})
    wrap(_node(), sometimes, Ticks(), strict)(_item("x"))
    assert strict.rows[-1].emissions == ()  # it took longer than it should


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda item, emit: 1 // 0, "ZeroDivisionError"),
        (lambda item, emit: emit("x" * 65), "65 bytes are too many for shout.text: at most 64"),
        (lambda item, emit: [emit("x") for _ in range(3)], "emits more than 2 items"),
        (lambda item, emit: emit("x", "sound"), "has no output 'sound'"),
        (lambda item, emit: emit(b"\xff"), "not UTF-8"),
        (lambda item, emit: emit(5), "emit takes str or bytes, not int"),
        (lambda item, emit: "hello", r"it returned str: what is to go on must be given to emit"),
        (lambda item, emit: sys.exit(3), "SystemExit: 3"),
    ],
)
def test_a_fault_is_a_failure_with_its_place(fault: Any, said: str) -> None:
    calls = Calls(every=True)
    assert wrap(_node(), fault, MonotonicClock(), calls)(_item("x")) is None
    assert calls.rows[0].emissions is None
    assert said in calls.rows[0].reason


def test_the_place_is_the_users_line() -> None:
    calls = Calls(every=True)

    def faulty(item: Item, emit: Emit) -> None:
        raise KeyError("price")

    wrap(_node(), faulty, MonotonicClock(), calls)(_item("x"))
    line = faulty.__code__.co_firstlineno + 1
    assert calls.rows[0].reason == f"KeyError: 'price' ({__file__}:{line})"


def test_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_nodes.py").write_text(
        "class Count:\n"
        "    def __init__(self): self.n = 0\n"
        "    def __call__(self, item, emit): self.n += 1; emit(str(self.n))\n"
        "async def slow(item, emit): ...\n"
        "NUMBER = 5\n"
        "class Needy:\n"
        "    def __init__(self, key): ...\n"
    )
    (tmp_path / "half.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "needs.py").write_text("import no_such_thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    first, second = load("my_nodes:Count", "count"), load("my_nodes:Count", "count")
    assert first is not second  # a class is made once a session
    for reference, said in {
        "my_nodes:Cuont": r"my_nodes has no Cuont \(did you mean Count\?\)",
        "my_nodes:Needy": r"Needy\(\) is made without arguments, and failed: .*missing 1 required",
        "no_such_module:f": "there is no module no_such_module here; start in the folder that holds it",
        "half:f": r"SyntaxError: .*half\.py, line 1",
        "leaves:f": r"SystemExit: 3 \(.*leaves\.py:2\)",
        "needs:f": r"No module named 'no_such_thing' \(.*needs\.py:1\)",
        "my_nodes:slow": "is async",
        "my_nodes:NUMBER": "is not callable",
    }.items():
        with pytest.raises(NodeError, match=said):
            load(reference, "count")
    sys.modules.pop("my_nodes")
