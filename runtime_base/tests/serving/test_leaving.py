"""A process that stops: its sessions are left in their logs, each turn with its end, and another process goes on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp.wire import Close
from rspp_runtime.abi.codes import Control, In, Op, Signal
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.log import read

LONG = "One two three four five six seven eight nine ten eleven and so on to twenty and to thirty one."


def decided(path: Path) -> list[tuple[int, str]]:
    """Turn and name of the log's decisions about turns, in order."""
    ends = (Signal.TURN_OPEN, Signal.COMMIT, Signal.ABORT, Signal.CLOSE)
    outs = [row for row in read(path).entries if isinstance(row, entries.Out) and row.op == Op.DECISION]
    return [(row.turn, Signal(row.code).name.lower()) for row in outs if row.code in ends]


def ended(path: Path) -> bool:
    return isinstance(read(path).entries[-1], entries.End)


def evidence(path: Path) -> set[int]:
    """Turns whose terminal evidence was written."""
    return {row.turn for row in read(path).entries if isinstance(row, entries.Evidence) and row.stage != "baseline"}


@pytest.mark.feature("F-106", "drains", "no_loss")
def test_a_running_turn_is_finished_before_the_session_is_left(
    parties: ModuleType, scripted: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "s.log"

    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.party.drain()
        await line.until(type="goodbye")

    seen = parties.play(user, llm=scripted.answer("It is four o'clock."), log=path)
    assert seen.over == "handed_over"
    assert seen.controls == [Control.CONNECTED], "no hang-up"
    assert decided(path) == [(1, "turn_open"), (1, "commit"), (1, "close")]
    assert evidence(path) == {1}
    assert not ended(path)
    goodbye = seen.line.messages[-1]
    assert (goodbye["code"], goodbye["resume"]["token"], goodbye["after_ms"]) == (Close.DRAINING, "token", 100)
    assert seen.line.socket.closed is not None
    assert seen.line.socket.closed[0] == Close.DRAINING


def test_a_session_in_which_nothing_goes_on_is_left_at_once(parties: ModuleType, tmp_path: Path) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.party.drain()
        await line.wait(1)
        assert line.party.is_over

    assert parties.play(user, log=tmp_path / "s.log").over == "handed_over"


def test_who_is_away_is_not_waited_for(parties: ModuleType, tmp_path: Path) -> None:
    async def user(line: Any) -> None:
        await line.come()
        await line.talk(10)  # and is cut off while speaking: the detector will never say that it has ended
        line.cut()
        await line.wait(3_000)
        line.party.drain()
        await line.wait(1)
        assert line.party.is_over

    assert parties.play(user, log=tmp_path / "s.log").over == "handed_over"


@pytest.mark.feature("F-106", "no_loss")
def test_after_the_grace_a_turn_ends_with_its_evidence(
    parties: ModuleType, scripted: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "s.log"

    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.party.drain()
        await line.wait(300)
        line.party.cut()
        await line.until(type="goodbye")

    seen = parties.play(user, llm=scripted.answer(LONG), log=path)
    assert seen.over == "handed_over"
    assert decided(path) == [(1, "turn_open"), (1, "abort"), (1, "close")]
    assert evidence(path) == {1}
    assert {one["type"] for one in seen.line.messages[-4:-1]} == {"signal", "flush"}
    assert seen.line.messages[-1]["type"] == "goodbye"


def test_without_a_log_the_session_ends_and_says_why(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.party.drain()
        await line.until(type="goodbye")

    seen = parties.play(user)
    assert seen.over == "ended"
    assert seen.line.messages[-1]["resume"] is None
    assert "no log" in seen.line.messages[-1]["reason"]


def test_a_session_that_has_lasted_long_enough_ends_after_its_turn(parties: ModuleType) -> None:
    async def user(line: Any) -> None:
        await line.come()
        line.say(type="text", text="hello")
        await line.until(signal="playback_started")
        line.party.finish("too old")
        await line.wait(200)
        assert not line.party.is_over
        await line.until(signal="close")
        line.party.finish("too old")
        await line.until(type="goodbye")

    seen = parties.play(user)
    assert seen.line.messages[-1]["reason"] == "too old"
    assert "commit" in [one.get("signal") for one in seen.line.messages]


@pytest.mark.feature("F-106", "no_loss")
@pytest.mark.parametrize("received_all", [True, False])
def test_another_process_goes_on_and_nothing_is_taken_or_heard_twice(
    parties: ModuleType, scripted: ModuleType, tmp_path: Path, received_all: bool
) -> None:
    path = tmp_path / "s.log"

    async def first(line: Any) -> None:
        await line.come()
        line.say(type="text", text="one")
        await line.until(signal="close")
        line.say(type="text", text="two")
        await line.until(signal="playback_started", turn_id="s-1/2")
        line.party.cut()
        await line.until(type="goodbye")

    before = parties.play(first, llm=scripted.answer(LONG), log=path)
    received = before.line.received if received_all else before.line.received - 2

    async def second(line: Any) -> None:
        welcome = await line.back(received)
        assert welcome["authority_epoch"] == 2
        assert welcome["resumed"] is True
        for number, text in ((1, "one"), (2, "two"), (3, "three")):
            line.say(type="text", seq=number, text=text)  # not acknowledged: said again
        await line.until(signal="close", turn_id="s-1/3")

    after = parties.play(second, log=path, resume=True, sequence=received)
    messages = after.line.messages
    assert next(one["seq"] for one in messages if "seq" in one) == received + 1
    assert {one["turn_id"] for one in messages if one["type"] in ("audio", "text")} == {"s-1/3"}
    taken = [row for row in read(path).entries if isinstance(row, entries.Input) and row.op == In.MEDIA]
    assert [row.result for row in taken] == [0, 0, 2, 2, 0], "one and two were refused by their keys"
    assert decided(path) == [
        (1, "turn_open"), (1, "commit"), (1, "close"), (2, "turn_open"), (2, "abort"), (2, "close"),
        (3, "turn_open"), (3, "commit"), (3, "close"),
    ]  # fmt: skip
    assert evidence(path) == {1, 2, 3}
    assert ended(path)


def test_a_turn_that_was_open_when_a_process_died_is_told_to_be_over(
    parties: ModuleType, scripted: ModuleType, tmp_path: Path
) -> None:
    from rspp_runtime.evidence.log import LogFile

    whole = tmp_path / "whole.log"

    async def first(line: Any) -> None:
        await line.come()
        line.say(type="text", text="one")
        await line.until(signal="close")

    parties.play(first, log=whole)
    log = read(whole)
    started = next(
        index
        for index, row in enumerate(log.entries)
        if isinstance(row, entries.Out) and row.code == Signal.PLAYBACK_STARTED
    )
    file = LogFile(tmp_path / "s.log", log.header)  # what a kill leaves
    for entry in log.entries[: started + 1]:
        file.write(entry)
    file.close()

    async def second(line: Any) -> None:
        await line.back(7)
        await line.until(signal="abort", reason="authority_loss")
        line.say(type="text", seq=2, text="two")
        await line.until(signal="commit", turn_id="s-1/2")

    messages = parties.play(second, log=tmp_path / "s.log", resume=True, sequence=7).line.messages
    assert messages[0]["type"] == "welcome"
    told = [(one["seq"], one["signal"]) for one in messages if one["type"] == "signal"][:4]
    assert [seq for seq, _ in told] == [8, 9, 10, 11]
    assert {"abort", "close"} <= {name for _, name in told}
