"""A log that holds what a party reported: recorded, recovered and replayed, each on either kernel with the same end."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kernels import compiled, plan_of, pure

from loading import module_of
from rspp_runtime.abi import Control, Handler, In, Op, Result, Session, Signal
from rspp_runtime.abi.codes import Basis, Cause
from rspp_runtime.evidence.entries import Evidence, Input, Log, Out, Recovered
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.recover import recover
from rspp_runtime.evidence.replay import replay
from rspp_runtime.session.clock import VirtualClock, sleep_until
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.package import Package
from rspp_runtime.session.virtual import run

STUB = "stub_assistant"
MS = 1_000_000
FRAME_MS, LATE_MS, INTERVAL_MS = 20, 60, 40
KERNELS = {"compiled": compiled, "pure": pure}


@pytest.fixture(scope="module")
def scripted() -> ModuleType:
    runtime = Path(__file__).parents[2] / "runtime_base" / "tests"
    return module_of("rspp_scripted", runtime / "session" / "scripted.py")


def opener(kernel: Callable[[str], Any]) -> Callable[[str, int, Sequence[Handler | None]], Session]:
    return lambda session_id, epoch, handlers: kernel(STUB)(plan_of(STUB), session_id, epoch, handlers)


async def reports(ears: Any, party: Any) -> None:
    """Says every 40 ms what has been played, 60 ms after it was meant to be; once more than was sent."""
    while True:
        await sleep_until(ears.clock, ears.clock.now_ns() + INTERVAL_MS * MS)
        now = ears.clock.now_ns()
        ends = [at + FRAME_MS * MS for at, port, _ in party.sent if port == "audio"]
        if party.turns and (due := [end for end in ends if end + LATE_MS * MS <= now]):
            await ears.control(Control.PLAYED, party.turns[-1], due[-1])
        if len(party.turns) > 1 and not party.lied:
            party.lied = True
            await ears.control(Control.PLAYED, party.turns[-1], now + 3_600_000 * MS)


def recorded(scripted: ModuleType, kernel: Callable[[str], Any], path: Path) -> Log:
    """A greeting, a question, and an answer that is interrupted; the client reports."""

    class Client(scripted.Party):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(None)
            self.turns: list[int] = []
            self.lied = False

        def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
            super().send(port, turn, payload, play_at_ns)
            self.turns += [turn] if port == "audio" and turn not in self.turns else []

        async def run(self, ears: Any) -> None:
            await ears.control(Control.CONNECTED, Basis.ACKED, INTERVAL_MS * MS)
            tells = asyncio.create_task(reports(ears, self))
            await scripted.quiet(ears)
            await scripted.talk(ears, 15)
            await scripted.hush(ears, 40)
            await scripted.talk(ears, 10)
            await scripted.quiet(ears)
            tells.cancel()
            await ears.control(Control.ENDED)

    async def whole() -> None:
        plan = plan_of(STUB)
        opens = opener(kernel)
        package = Package(
            "stub", plan, plan.template_hash, {}, {}, {}, scripted.RESOLVED,
            lambda session_id, epoch, handlers, kernel=None: opens(session_id, epoch, handlers),
        )  # fmt: skip
        work = {"ears": scripted.listen, "stt": scripted.recognise, "voice": scripted.speak,
                "llm": scripted.answer("One two three four. Five six seven eight.")}  # fmt: skip
        bound = dict(plan.provider_bindings)
        providers = {name: [(bound[name], scripted.Fake("x", does))] for name, does in work.items()}
        clock = VirtualClock(asyncio.get_running_loop())
        await converse(package, providers, Client(), clock, Options(level="L2", log=path, session_id="reported"))

    run(whole(), virtual=True)
    return read(path)


def decisions(log: Log, *signals: Signal) -> list[Out]:
    return [e for e in log.entries if isinstance(e, Out) and e.op == Op.DECISION and e.code in signals]


def told(log: Log) -> list[Input]:
    return [e for e in log.entries if isinstance(e, Input) and e.op == In.CONTROL and e.port == Control.PLAYED]


def check_replays(log: Log) -> None:
    for other in KERNELS.values():
        report = replay(log, plan_of(STUB), opener(other))
        assert report.identical, report.differences[0]


def test_it_replays_on_both_kernels(scripted: ModuleType, kernel: Callable[[str], Any], tmp_path: Path) -> None:
    log = recorded(scripted, kernel, tmp_path / "reported.log")
    assert sum(entry.result == Result.ACCEPTED for entry in told(log)) > 10
    assert [out.cause for out in decisions(log, Signal.REPORT_REFUSED)].count(Cause.IMPOSSIBLE_REPORT) == 1
    (cut,) = decisions(log, Signal.PLAYBACK_CANCELLED)
    assert cut.port == Basis.ACKED
    assert 0 < cut.invocation <= INTERVAL_MS + LATE_MS + 2 * FRAME_MS
    assert cut.x > 0
    assert all(out.port == Basis.ACKED for out in decisions(log, Signal.PLAYBACK_COMPLETED))
    records = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert {turn: missing_fields(record) for turn, record in records.items()} == {turn: [] for turn in records}
    assert {record["heard_basis"] for record in records.values() if "heard_basis" in record} == {"acked"}
    assert sum(record.get("reports_refused_count", 0) for record in records.values()) >= 1
    check_replays(log)


def test_both_kernels_record_the_same(scripted: ModuleType, tmp_path: Path) -> None:
    one, other = (recorded(scripted, kernel, tmp_path / f"{name}.log") for name, kernel in KERNELS.items())
    assert told(one) == told(other)
    assert decisions(one, *Signal) == decisions(other, *Signal)


def test_it_is_recovered_wherever_it_ends(scripted: ModuleType, kernel: Callable[[str], Any], tmp_path: Path) -> None:
    """A log that breaks off behind a report, in the middle of what is played."""
    log = recorded(scripted, kernel, tmp_path / "whole.log")
    behind = [index + 1 for index, entry in enumerate(log.entries) if entry in told(log)]
    for keep in itertools.islice(behind, 3, None, 20):
        path, living = tmp_path / "cut.log", tmp_path / "living.log"
        file = LogFile(living, log.header)
        for entry in log.entries[:keep]:
            file.write(entry)
        shutil.copy(living, path)
        file.close()
        for other in KERNELS.values():
            again = shutil.copy(path, tmp_path / "again.log")
            assert recover(again, plan_of(STUB), scripted.RESOLVED, opener(other)) is not None
            mended = read(again)
            assert mended.entries[:keep] == log.entries[:keep]
            assert any(isinstance(entry, Recovered) for entry in mended.entries)
            check_replays(mended)
            for out in decisions(mended, Signal.PLAYBACK_CANCELLED):
                assert out.port == Basis.ACKED
