"""What the tape makes is what the readable encoder makes, byte for byte; and what a segment gets is checksummed."""

from __future__ import annotations

import errno
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.abi.codes import In, Op, Signal
from rspp_runtime.abi.messages import Emission, Inbound, Output
from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.levels import LEVELS, Keeps
from rspp_runtime.evidence.log import LogFile
from rspp_runtime.evidence.recorder import LogRecorder, Recorder
from rspp_runtime.evidence.segment import HEADER_BYTES, SEGMENT_BYTES_MIN, path_of
from rspp_runtime.evidence.tape import Tape, checksum, store
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.session.observer import HandlerCall

HEADER = Header("p", "p", "1", "simple/v1", "ab" * 32, "cd", "s", 1, 0, "L2", "pure", 0)

EDGES = sorted({sign * (1 << bits) + by for bits in (0, 5, 7, 8, 15, 16, 31, 32, 62) for by in (-1, 0, 1)
                for sign in (1, -1)})  # fmt: skip
named = st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1))  # what may have a name is an int
numbers = st.one_of(named, st.booleans())
large = st.one_of(numbers, st.integers(2**63, 2**64 - 1))
small = st.integers(-1, 40)
payloads = st.one_of(st.binary(max_size=40), st.sampled_from([bytes(255), bytes(256), bytes(65_535), bytes(65_536)]))
texts = st.one_of(st.text(max_size=40), st.sampled_from(["x" * 31, "x" * 32, "x" * 255, "x" * 256, "é" * 40_000]))
inputs = st.builds(
    Inbound, st.sampled_from(In), small, small, large, numbers, large, large, numbers, numbers, numbers, payloads
)
outputs = st.builds(
    Output, st.sampled_from(Op), large, large, small, small, numbers, large,
    st.one_of(small, st.sampled_from(Signal)), named, numbers, numbers, payloads,
)  # fmt: skip
emissions = st.lists(st.builds(Emission, small, payloads, numbers, numbers, numbers), max_size=10)
calls = st.builds(
    HandlerCall, small, large, large, large, st.one_of(st.none(), emissions.map(tuple)), texts,
    st.one_of(st.none(), payloads),
)  # fmt: skip
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("on_input"), inputs, large, st.integers(0, 2)),
        st.tuples(st.just("on_step"), large, numbers, large, st.lists(outputs, max_size=6)),
        st.tuples(st.just("on_handler"), calls),
    ),
    max_size=6,
)


def framed(path: Path, make: Callable[[LogFile], Recorder], happened: list[Any]) -> bytes:
    """What is in the log behind its header's record, with the same id in every log."""
    log = LogFile(path, HEADER)
    log._seed = 7
    start = log._segment.used
    try:
        recorder = make(log)
        for name, *what in happened:
            getattr(recorder, name)(*what)
        recorder.flush()
        assert not recorder.failed
    finally:
        log.close()
    parts = [path.read_bytes()[start:]]
    while (part := path_of(path, len(parts))).exists():
        parts.append(part.read_bytes()[HEADER_BYTES:])
    return b"|".join(parts)


@settings(max_examples=300, deadline=None)
@given(level=st.sampled_from(LEVELS), happened=happenings)
def test_the_same_bytes(scripted: ModuleType, tmp_path_factory: Any, level: str, happened: list[Any]) -> None:
    folder, plan = tmp_path_factory.getbasetemp(), scripted.plan()
    slow = framed(folder / "slow.log", lambda log: Recorder(log.write, plan, level=level), happened)
    fast = framed(
        folder / "fast.log",
        lambda log: LogRecorder(LogWriter(log, threaded=False, keeps=Keeps(plan)), plan, level=level),
        happened,
    )
    assert len(slow) == len(fast)
    assert hashlib.sha256(slow).digest() == hashlib.sha256(fast).digest()  # and not a megabyte in an error


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_the_checksum_is_zlibs(data: bytes, before: int) -> None:
    assert checksum(data, before) == zlib.crc32(data, before)


def test_a_tape_is_bounded_and_asks_before_it_is_full() -> None:
    asked: list[int] = []

    def more(size: int) -> None:
        asked.append(size)
        if len(asked) > 2:
            raise OSError(errno.ENOBUFS, "no more")
        tape.take()
        tape.limit(2, 10_000)

    tape = Tape(1, 100, more, (), ())
    for _ in range(4):
        tape.record(b"12345")
    assert (len(asked), tape.records, tape.size) == (2, 2, 2 * 24)
    with pytest.raises(OSError, match="no more"):
        tape.record(b"12345")
    assert tape.records == 2
    tape.limit(9, 9_999)
    with pytest.raises(OSError, match="a record of 101 bytes is larger than the 100 that a log takes"):
        tape.record(bytes(101))
    assert tape.records == 2  # and nothing of it is left behind
    assert len(tape.take()) == 2 * 24
    assert (tape.records, tape.size) == (0, 0)


def test_what_does_not_fit_is_left_for_the_next_segment() -> None:
    tape = Tape(5, 100, lambda size: tape.limit(99, 9_999), (), ())
    for _ in range(3):
        tape.record(b"x" * 20)
    records, segment = tape.take(), bytearray(100)
    used, at, number, crc = store(segment, 10, records, 0, 3)
    assert (used, at, number) == (90, 80, 6)
    assert segment[10:14] == (20).to_bytes(4, "little")
    assert int.from_bytes(segment[54:58], "little") == crc
    assert store(segment, used, records, at, 3) == (used, at, 0, 0)


def test_a_log_of_many_segments_from_one_tape(scripted: ModuleType, tmp_path: Path) -> None:
    """Batches are larger than a segment here: records are divided where a segment ends, as one by one."""
    happened = [("on_input", Inbound(In.CHUNK, 1, payload=bytes(number % 50)), number, 0) for number in range(900)]
    plan, sizes = scripted.plan(), []
    for name, make in (
        ("slow", lambda log: Recorder(log.write, plan, level="L2")),
        ("fast", lambda log: LogRecorder(LogWriter(log, threaded=False, keeps=Keeps(plan)), plan, level="L2")),
    ):
        log = LogFile(tmp_path / name, HEADER, SEGMENT_BYTES_MIN)
        recorder = make(log)
        for what, *given_ in happened:
            getattr(recorder, what)(*given_)
        recorder.flush()
        log.close()
        sizes.append([path_of(tmp_path / name, index).stat().st_size for index in range(8)])
    assert sizes[0] == sizes[1]
    assert min(sizes[0]) > HEADER_BYTES
