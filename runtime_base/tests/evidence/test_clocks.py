"""Clocks: each has one mapping to session time; jitter is no skew, and a skew beyond its bound is told once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.evidence.clocks import SKEW_NS_MAX, Clocks, Mapping
from rspp_runtime.evidence.entries import Clock, Evidence, Input
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.records import records
from rspp_runtime.evidence.replay import replay
from rspp_runtime.reference import Session

MS, SECOND = 1_000_000, 1_000_000_000
Record = Callable[..., Path]


def play(mapping: Mapping, seconds: int, media: Callable[[int], int], late: Callable[[int], int]) -> list[Clock]:
    """A frame each 20 ms of real time: what its media time is then, and how late it comes."""
    told = []
    for now in range(0, seconds * SECOND, 20 * MS):
        reading = mapping.observe(media(now), now + late(now))
        if reading is not None:
            told.append(reading)
    return told


@pytest.mark.feature("NF-018", "skew")
def test_jitter_is_no_skew() -> None:
    dice = random.Random(1)
    mapping = Mapping("ingress.audio", SKEW_NS_MAX)
    told = play(mapping, 60, lambda now: now, lambda _: dice.randrange(300) * MS)
    assert {reading.beyond for reading in told} == {0}
    assert max(abs(reading.skew_ns) for reading in told) <= 60 * MS  # of fifty a second one is nearly in time
    assert len(told) == 6  # at first, then every ten seconds


@pytest.mark.parametrize(("ppm", "sign"), [(5_000, 1), (-5_000, -1)])
def test_drift_is_measured(ppm: int, sign: int) -> None:
    """A microphone whose crystal is 0.5 % slow is 200 ms behind after forty seconds."""
    mapping = Mapping("ingress.audio", SKEW_NS_MAX)
    told = play(mapping, 60, lambda now: now - now * ppm // 1_000_000, lambda _: 30 * MS)
    beyond = [reading for reading in told if reading.beyond]
    assert sign * beyond[0].skew_ns > SKEW_NS_MAX
    assert 38 * SECOND < beyond[0].now_ns < 44 * SECOND
    assert abs(told[-1].drift_ppm - ppm) < abs(ppm) // 20
    assert [reading.beyond for reading in told] == sorted(reading.beyond for reading in told)  # it is told once


@pytest.mark.feature("NF-018", "injected")
def test_a_clock_that_jumps_and_comes_back_is_told_both_times(caplog: pytest.LogCaptureFixture) -> None:
    mapping = Mapping("ingress.audio", SKEW_NS_MAX)
    told = play(mapping, 30, lambda now: now - (500 * MS if 10 * SECOND < now < 20 * SECOND else 0), lambda _: 20 * MS)
    changes = [now for now, before in zip(told[1:], told, strict=False) if now.beyond != before.beyond]
    assert [reading.beyond for reading in changes] == [1, 0]
    assert 10 * SECOND < changes[0].now_ns < 13 * SECOND
    assert changes[0].skew_ns == 500 * MS
    assert "the clock of ingress.audio is 500 ms behind: more than its bound of 200 ms" in caplog.text
    assert "within its bound again" in caplog.text


def test_what_was_refused_says_nothing(scripted: ModuleType) -> None:
    told: list[Clock] = []
    clocks = Clocks(scripted.plan(), told.append, None)
    item = Inbound(In.MEDIA, node=0, port=0, media_ns=0)
    clocks.on_input(item, 0, 2)
    clocks.on_step(0, -1, 0, ())
    assert told == []
    clocks.on_input(item, 0, 0)
    assert told == [Clock(0, "ingress.audio", 0, 0, 0, 0)]


def test_the_wall_clock_is_read_once_a_second(scripted: ModuleType) -> None:
    told: list[Clock] = []
    reads = []
    now = 0

    def wall() -> int:
        reads.append(now)
        return 10**18 + now + (3_600 * SECOND if now > 20 * SECOND else 0)

    clocks = Clocks(scripted.plan(), told.append, wall)
    while now < 30 * SECOND:
        clocks.on_step(now, -1, now, ())
        now += 10 * MS
    assert len(reads) == 30
    assert [reading.beyond for reading in told][-1] == 1
    assert told[-1].skew_ns == -3_600 * SECOND  # it was set forward


def test_a_log_has_them_and_replays(scripted: ModuleType, record: Record) -> None:
    path = record("L0")
    log, plan = read(path), scripted.plan()
    readings = [entry for entry in log.entries if isinstance(entry, Clock)]
    assert readings[0].name == "ingress.audio"
    first = next(entry for entry in log.entries if isinstance(entry, Input) and entry.op == In.MEDIA)
    assert (readings[0].now_ns, readings[0].its_ns) == (first.now_ns, first.media_ns)
    report = replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))
    assert report.identical
    newest: dict[int, Any] = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert all("ingress.audio" in one["clock_skew_ms"] for one in newest.values())


def test_stamps_follow_the_wall_clock(scripted: ModuleType, record: Record) -> None:
    log, plan = read(record("L0")), scripted.plan()
    before = [one["wall_clock_timestamp_ms"] for one in records(log, plan)]
    start_ns = log.header.started_ms * MS
    log.entries.insert(0, Clock(0, "wall", start_ns + 7 * SECOND, -7 * SECOND, 0, 1))
    assert [one["wall_clock_timestamp_ms"] for one in records(log, plan)] == [stamp + 7_000 for stamp in before]
