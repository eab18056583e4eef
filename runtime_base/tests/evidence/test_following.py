"""A session goes on with another template: what crosses is in the new log, which needs no other to be replayed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Control, In, Op, Signal
from rspp_runtime.evidence.entries import End, Evidence, Follows, Input, Log, LogError, Out, from_json, to_json
from rspp_runtime.evidence.following import left_in, newest, path_of_record
from rspp_runtime.evidence.log import LogFile, header_of, read, read_to_end
from rspp_runtime.evidence.modes import Mode, check_served, replay_decisions
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.replay import replay
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.reference import Session
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.virtual import run
from rspp_runtime.transports.contract import HandedOver

VERSIONS = {"1": "ab" * 32, "2": "cd" * 32}


def plan_of(scripted: ModuleType, version: str, **changes: Any) -> Any:
    return scripted.plan(pipeline_version=version, template_hash=VERSIONS[version], **changes)


class Leaves:
    """A transport that is left instead of hung up. Says `text`, with a key, and waits for the answer."""

    def __init__(self, scripted: ModuleType, text: str, key: str, *, ends: bool = False) -> None:
        self._scripted, self._text, self._key, self._ends = scripted, text, key, ends
        self.answers: list[int] = []

    async def run(self, ears: Any) -> None:
        await ears.control(Control.CONNECTED)
        for key in (self._key, f"{self._key} again"):
            self.answers.append(await ears.media("text", self._text.encode(), ears.clock.now_ns(), key=key))
            await self._scripted.quiet(ears)
        if not self._ends:
            raise HandedOver
        await ears.control(Control.ENDED)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None: ...

    def flush(self, turn: int, now_ns: int) -> None: ...

    async def close(self) -> None: ...


def hold(
    scripted: ModuleType, plan: Any, transport: Leaves, options: Options
) -> tuple[Finished, list[list[tuple[Any, str]]]]:
    """One holder of the session; also what its model was told of the conversation, once for each turn."""
    told: list[list[tuple[Any, str]]] = []

    async def think(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        told.append([(str(message.role), message.text) for message in call.messages])
        await call.emit("delta", f"Answer of {plan.pipeline_version}. ".encode())

    async def whole() -> Finished:
        work = {"ears": scripted.listen, "stt": scripted.recognise, "llm": think, "voice": scripted.speak}
        providers = {name: [(name, scripted.Fake("x", does))] for name, does in work.items()}
        clock = VirtualClock(asyncio.get_running_loop())
        return await converse(scripted.package(plan), providers, transport, clock, options)

    return run(whole(), virtual=True), told


def check(path: Path, plan: Any) -> Log:
    """A whole log that replays by itself, and whose turns have their evidence."""
    log = read(path)
    assert isinstance(log.entries[-1], End)
    report = replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))
    assert report.identical, report.differences[0]
    legal = replay_decisions(log, plan)
    assert legal.identical, legal.differences[0]
    newest_of = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert newest_of
    assert all(not missing_fields(record) for record in newest_of.values())
    return log


@pytest.mark.feature("F-157", "identity", "markers")
@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_forth_and_back_again(scripted: ModuleType, tmp_path: Path, level: str) -> None:
    """Version 1, then 2, then 1: one session, whose turns, times and words go on."""
    first = tmp_path / "s.rspplog"
    begun = Options(log=first, level=level, session_id="s", tenant="acme", seed=7)
    one, two = plan_of(scripted, "1"), plan_of(scripted, "2")
    hold(scripted, one, Leaves(scripted, "hello", "text/1"), begun)
    moved: list[Follows] = []
    again = Options(log=first, level=level, session_id="s", resume=True, followed=moved.append)
    _, told = hold(scripted, two, Leaves(scripted, "who are you", "text/2"), again)
    knows = [text for _, text in told[0]]
    said = ["hello", "Answer of 1. "] * 2
    assert knows == (said if level != "L0" else [])
    _, told = hold(scripted, one, Leaves(scripted, "bye", "text/3", ends=True), again)
    assert any("Answer of 2." in text for _, text in told[-1]) is (level != "L0")

    paths = [path_of_record(first, number) for number in (1, 2, 3)]
    assert [path.name for path in paths] == ["s.rspplog", "s+2.rspplog", "s+3.rspplog"]
    assert newest(first) == (paths[2], 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths), (
        "nothing is left over"
    )
    log = check(paths[2], one)
    second = read(paths[1])
    report = replay(second, two, lambda sid, epoch, handlers: Session(two, sid, epoch, handlers))
    assert report.identical, report.differences[0]

    assert [(record.pipeline_version, record.template_hash) for record in moved] == [("1", "ab" * 32), ("2", "cd" * 32)]
    for before, after, record in zip(paths[:2], paths[1:], moved, strict=True):
        _, last = read_to_end(before)
        assert read(after).entries[0] == record
        assert (record.log_id, record.records, record.checksum) == (last.log_id, last.record, last.checksum)
        assert from_json(to_json(record)) == record
    messages = 0 if level == "L0" else 4
    assert [record.crossed["messages"] for record in moved] == [messages, 2 * messages]
    assert any("conversation" in why for why in moved[0].stayed) is (level == "L0")
    headers = [header_of(path) for path in paths]
    assert {(one.session_id, one.tenant, one.seed, one.started_ms) for one in headers} == {
        ("s", "acme", 7, headers[0].started_ms)
    }
    decided = [[row for row in read(path).entries if isinstance(row, Out) and row.op == Op.DECISION] for path in paths]
    turns = [[row.turn for row in rows if row.code == Signal.TURN_OPEN] for rows in decided]
    assert turns == [[1, 2], [3, 4], [5, 6]]
    sequences = [row.seq for rows in decided for row in rows]
    assert sequences == sorted(set(sequences)), "no number of the session is given twice"
    epochs = [row.x for rows in decided for row in rows if row.code == Signal.SESSION_HANDOFF]
    assert epochs == [2, 3]
    assert {record["lease_epoch_at_turn_open"] for record in _records(log)} == {3}
    assert {len(record["migrations"]) for record in _records(log)} == {1}
    times = [row.now_ns for path in paths for row in read(path).entries if isinstance(row, Input)]
    assert times == sorted(times)


def test_the_partys_input_alone_is_not_all_of_it(scripted: ModuleType, tmp_path: Path) -> None:
    first = tmp_path / "s.rspplog"
    hold(scripted, plan_of(scripted, "1"), Leaves(scripted, "hello", "text/1"), Options(log=first, level="L2"))
    options = Options(log=first, level="L2", resume=True, followed=lambda _: None)
    hold(scripted, plan_of(scripted, "2"), Leaves(scripted, "hello", "text/2"), options)
    check_served(read(first), Mode.RE_SIMULATE)
    with pytest.raises(LogError, match="began in the log of another template"):
        check_served(read(newest(first)[0]), Mode.RE_SIMULATE)


def _records(log: Log) -> list[dict[str, Any]]:
    return [entry.or02 for entry in log.entries if isinstance(entry, Evidence)]


def test_what_was_said_before_is_known_by_its_key(scripted: ModuleType, tmp_path: Path) -> None:
    """The client says again what was not acknowledged: what the version before took is not taken again."""
    first = tmp_path / "s.rspplog"
    hold(scripted, plan_of(scripted, "1"), Leaves(scripted, "hello", "text/1"), Options(log=first, level="L1"))
    again = Leaves(scripted, "hello", "text/1", ends=True)
    options = Options(log=first, level="L1", resume=True, followed=lambda _: None)
    _, told = hold(scripted, plan_of(scripted, "2"), again, options)
    assert again.answers == [2, 2], "refused, as are both keys of the first holder"
    assert told == []


def test_a_holder_that_was_killed_left_no_conversation(scripted: ModuleType, tmp_path: Path) -> None:
    """It goes on all the same, from any record, and says what is not known any more."""
    first = tmp_path / "s.rspplog"
    hold(scripted, plan_of(scripted, "1"), Leaves(scripted, "hello", "text/1"), Options(log=first, level="L2"))
    log = read(first)
    two = plan_of(scripted, "2")
    for keep in range(0, len(log.entries), 41):
        path = tmp_path / f"cut-{keep}.rspplog"
        file = LogFile(path, log.header)
        for entry in log.entries[:keep]:
            file.write(entry)
        file.close()
        moved: list[Follows] = []
        options = Options(log=path, level="L2", resume=True, followed=moved.append)
        hold(scripted, two, Leaves(scripted, "and now", "text/9", ends=True), options)
        after = check(newest(path)[0], two)
        assert any("stopped before it could leave it" in why for why in moved[0].stayed)
        assert moved[0].crossed["messages"] == 0
        opened = [row.turn for row in log.entries[:keep] if isinstance(row, Out) and row.code == Signal.TURN_OPEN]
        turns = [row.turn for row in after.entries if isinstance(row, Out) and row.code == Signal.TURN_OPEN]
        assert turns[0] == max(opened, default=0) + 1


def test_a_smaller_context_keeps_the_newest(scripted: ModuleType, tmp_path: Path) -> None:
    first = tmp_path / "s.rspplog"
    hold(scripted, plan_of(scripted, "1"), Leaves(scripted, "hello", "text/1"), Options(log=first, level="L1"))
    moved: list[Follows] = []
    options = Options(log=first, level="L1", resume=True, followed=moved.append)
    two = plan_of(scripted, "2", context_items_max=2)
    _, told = hold(scripted, two, Leaves(scripted, "next", "text/9", ends=True), options)
    assert [text for _, text in told[0]] == ["Answer of 1. "], "the oldest made room for what is asked now"
    assert moved[0].crossed["messages"] == 2
    check(newest(first)[0], two)


def test_what_is_refused(scripted: ModuleType, tmp_path: Path) -> None:
    one, two = plan_of(scripted, "1"), plan_of(scripted, "2")
    first = tmp_path / "s.rspplog"
    hold(scripted, one, Leaves(scripted, "hello", "text/1"), Options(log=first, level="L1"))
    asks = Options(log=first, level="L1", resume=True, followed=lambda _: None)
    other = plan_of(scripted, "2", pipeline="another")
    with pytest.raises(LogError, match="of the pipeline"):
        hold(scripted, other, Leaves(scripted, "x", "y"), asks)
    with pytest.raises(LogError, match="and the package has"):  # who did not ask for it, `rspp run --resume`
        hold(scripted, two, Leaves(scripted, "x", "y"), Options(log=first, level="L1", resume=True))
    busy, _ = LogFile.go_on(first)
    with pytest.raises(OSError, match="another process is writing this log"):
        hold(scripted, two, Leaves(scripted, "x", "y"), asks)
    busy.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s.rspplog"]
    hold(scripted, two, Leaves(scripted, "x", "y", ends=True), asks)
    with pytest.raises(LogError, match="its session has ended"):
        hold(scripted, one, Leaves(scripted, "x", "y"), asks)


def test_what_a_log_leaves(scripted: ModuleType, tmp_path: Path) -> None:
    first = tmp_path / "s.rspplog"
    hold(scripted, plan_of(scripted, "1"), Leaves(scripted, "hello", "text/1"), Options(log=first, level="L1"))
    log = read(first)
    left = left_in(log)
    assert (left.turn, left.epoch, len(left.keys), left.unknown) == (2, 1, 2, "")
    assert left.messages == [(0, b"hello"), (1, b"Answer of 1. "), (0, b"hello"), (1, b"Answer of 1. ")]
    assert [event.port for event in left.inputs][:1] == [Control.GO_ON_FROM]
    assert {event.op for event in left.inputs} == {In.CONTROL}
    report = replay(log, plan_of(scripted, "1"), lambda sid, epoch, h: Session(plan_of(scripted, "1"), sid, epoch, h))
    assert report.identical, "what was left is proved by the log of whoever left it"
