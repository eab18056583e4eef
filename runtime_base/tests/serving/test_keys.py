"""Keys and buttons of a party, over rspp/1, on a pipeline that listens for them (F-089)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Control, In

STUB = str(Path(__file__).parents[1] / "stub")


@pytest.fixture
def keypad(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The hand-made plan in which a collector makes turns of keys, three at a time."""
    monkeypatch.syspath_prepend(STUB)
    import plan_keypad

    yield plan_keypad
    for name in [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(STUB)]:
        del sys.modules[name]


@pytest.mark.feature("F-089", "emitted", "reaction")
def test_keys_become_events_and_a_turn_is_made_of_them(
    parties: ModuleType, scripted: ModuleType, keypad: ModuleType
) -> None:
    prompts: list[bytes] = []

    async def answer(call: Any) -> None:
        async for item in call.inputs():
            prompts.append(item.payload)
        await call.emit("delta", b"Thank you.")

    async def user(line: Any) -> None:
        await line.come()
        await line.wait(600)
        for key in "12#":
            line.say(type="control", signal="dtmf", key=key)
        line.say(type="control", seq=2, signal="dtmf", key="9")  # said again: not pressed twice
        await line.until(signal="turn_open", turn_id="s-1/2")
        await line.wait(30)
        line.say(type="control", signal="button_down")
        line.say(type="control", signal="button_up")
        await line.wait(50)

    seen = parties.play(user, plan=keypad.keypad(), llm=answer)
    keys = [one for _, one, _ in seen.media() if one.op == In.MEDIA]
    port = keypad.keypad().nodes[keypad.INGRESS].outputs
    assert [(port[one.port].name, one.payload) for one in keys] == [("dtmf", b"1"), ("dtmf", b"2"), ("dtmf", b"#")]
    assert seen.controls == [Control.CONNECTED, Control.BUTTON_DOWN, Control.BUTTON_UP, Control.ENDED]
    assert seen.tally.duplicates == 1
    assert prompts == [b"12"]
