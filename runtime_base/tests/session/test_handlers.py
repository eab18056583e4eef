"""A user's node as the kernel calls it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import Node, Port
from rspp_runtime.nodes import Emit, Item, ItemGoneError
from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.handlers import NodeError, load, wrap
from rspp_runtime.session.observer import HandlerCall, Observer


def _node(**changes: Any) -> Node:
    fields: dict[str, Any] = {
        "id": 4, "name": "shout", "kind": "python", "execution": "kernel", "scope": "turn", "line": 9,
        "inputs": (Port("text", "text", 4096),), "outputs": (Port("text", "text", 64),), "handler": 0,
        "emissions_max": 2,
    }  # fmt: skip
    return Node(**(fields | changes))


class _Calls(Observer):
    def __init__(self) -> None:
        self.calls: list[HandlerCall] = []

    def on_handler(self, call: HandlerCall) -> None:
        self.calls.append(call)


def _item(text: str) -> KernelItem:
    return KernelItem(0, 3, 17, 0, 1, 0, 2, text.encode())


def test_emissions_are_measured_and_told() -> None:
    def shout(item: Item, emit: Emit) -> None:
        assert (item.text, item.port, item.turn, item.final, item.words) == ("well done.", "text", 3, True, 2)
        emit(item.text.upper(), final=True)
        emit("again")

    calls = _Calls()
    handler = wrap(_node(), shout, MonotonicClock(), [calls])
    expected = (Emission(0, b"WELL DONE.", 1, 10, 2), Emission(0, b"again", 0, 0, 1))
    assert handler(_item("well done.")) == expected
    call = calls.calls[0]
    assert (call.node, call.seq, call.emissions, call.reason) == (4, 17, expected, "")
    assert call.start_ns <= call.end_ns


def test_an_item_dies_with_its_call() -> None:
    kept: list[Item] = []
    wrap(_node(), lambda item, emit: kept.append(item), MonotonicClock(), [])(_item("x"))
    with pytest.raises(ItemGoneError, match="lives only as long as the call"):
        _ = kept[0].text


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
    calls = _Calls()
    assert wrap(_node(), fault, MonotonicClock(), [calls])(_item("x")) is None
    assert calls.calls[0].emissions is None
    assert said in calls.calls[0].reason


def test_the_place_is_the_users_line() -> None:
    calls = _Calls()

    def faulty(item: Item, emit: Emit) -> None:
        raise KeyError("price")

    wrap(_node(), faulty, MonotonicClock(), [calls])(_item("x"))
    line = faulty.__code__.co_firstlineno + 1
    assert calls.calls[0].reason == f"KeyError: 'price' ({__file__}:{line})"


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
