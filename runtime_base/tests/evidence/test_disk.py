"""The log on disk: segments, what a killed writer leaves, and what damage does."""

from __future__ import annotations

import errno
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.evidence.entries import End, Entry, Evidence, Header, Log, LogError, Step, to_json
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.replay import replay
from rspp_runtime.evidence.segment import FRAME, HEADER_BYTES, SEGMENT_BYTES_MIN, Head, Segment, path_of
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.reference import Session

HEADER = Header("p", "p", "1", "simple/v1", "ab" * 32, "cd", "s", 1, 0, "L2", "pure", 0)
ENDLESS = Path(__file__).parent / "endless.py"


def entry(number: int) -> Entry:
    """One that can be told from all others, of changing size."""
    return Evidence(number, "n" * (number * 7 % 23 + 1), {"n": number})


def write(path: Path, count: int, *, close: bool = True) -> list[Entry]:
    """A log of `count` entries in small segments; not closed, it is as a killed writer leaves it."""
    log = LogFile(path, HEADER, SEGMENT_BYTES_MIN)
    entries = [entry(number) for number in range(count)]
    if close:
        entries.append(End(count, {"records": count}))
    for one in entries:
        log.write(one)
    if close:
        log.close()
    return entries


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Entry]]:
    """Three segments, the last of them half full and as a killed writer leaves it."""
    path = tmp_path_factory.mktemp("sample") / "s.log"
    entries = write(path, 240, close=False)
    assert path_of(path, 2).exists()
    assert not path_of(path, 3).exists()
    assert read(path).entries == entries
    return path, entries


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hurt")


def copy(sample: Path, folder: Path) -> Path:
    for old in folder.iterdir():
        old.unlink()
    for index in range(3):
        shutil.copy(path_of(sample, index), folder)
    return folder / sample.name


def test_segments_are_bounded_and_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    entries = write(path, 500)
    sizes = [one.stat().st_size for one in sorted(tmp_path.iterdir())]
    assert len(sizes) > 5
    assert max(sizes) <= SEGMENT_BYTES_MIN
    log = read(path)
    assert (log.header, log.entries, log.torn) == (HEADER, entries, "")
    assert path_of(path, 2).name == "s.log.0002"


def test_space_is_taken_before_it_is_used(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "s.log", HEADER, 1 << 20)
    status = (tmp_path / "s.log").stat()
    assert status.st_size == 1 << 20
    assert status.st_blocks * 512 >= 1 << 20  # real blocks: no write to the map can meet a full disk
    log.close()
    assert (tmp_path / "s.log").stat().st_size < 1 << 10


def test_an_older_log_of_the_name_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    write(path, 500)
    entries = write(path, 3)
    assert read(path).entries == entries
    assert [one.name for one in tmp_path.iterdir()] == ["s.log"]


def test_what_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    path_of(path, 1).write_text("somebody's notes")
    with pytest.raises(FileExistsError, match="in the way of the next segment"):
        write(path, 500)
    assert path_of(path, 1).read_text() == "somebody's notes"


def test_a_record_that_no_segment_holds(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "s.log", HEADER, SEGMENT_BYTES_MIN)
    with pytest.raises(OSError, match="larger than the 4016") as caught:
        log.write(End(0, {"x" * 5000: 0}))
    assert caught.value.errno == errno.EFBIG
    log.write(entry(1))
    log.close()
    assert read(tmp_path / "s.log").entries == [entry(1)]


def test_segments_are_of_one_log(sample: tuple[Path, list[Entry]], place: Path) -> None:
    path = copy(sample[0], place)
    write(place / "other.log", 200)
    path_of(place / "other.log", 1).replace(path_of(path, 1))
    with pytest.raises(LogError, match=r"segment s.log.0001: damaged at byte 24: it is a segment of another log"):
        read(path)
    path_of(path, 1).unlink()
    with pytest.raises(LogError, match=r"segment s.log.0001 is missing or empty, and s.log.0002 is there"):
        read(path)
    with pytest.raises(LogError, match="this is segment 2 of a log; name the first one"):
        read(path_of(path, 2))


# ---- a writer that is stopped in the middle of a write


@settings(max_examples=150, deadline=None)
@given(stored=st.integers(0, 400), frame_bytes=st.integers(0, FRAME.size - 1))
def test_a_store_that_was_not_finished(place: Path, stored: int, frame_bytes: int) -> None:
    """The record's body comes first, then its frame: whatever part of both is there, all before it is whole."""
    path = place / "half.log"
    log = LogFile(path, HEADER, SEGMENT_BYTES_MIN)
    entries = [entry(number) for number in range(5)]
    for one in entries:
        log.write(one)
    whole = Evidence(5, "payload" * 50, {"n": 5})
    at, half = log._segment.used, log.frame(whole)
    body = half[FRAME.size : FRAME.size + stored]
    data = bytearray(path.read_bytes())
    log.close()
    data[at + FRAME.size : at + FRAME.size + len(body)] = body
    if FRAME.size + stored >= len(half):
        data[at : at + frame_bytes] = half[:frame_bytes]
        if not half[frame_bytes : FRAME.size].strip(b"\0"):
            entries.append(whole)  # what of the frame is missing is zero anyway
    path.write_bytes(data)
    found = read(path)
    assert found.entries == entries
    left = len(entries) == 5 and bytes(data[at:]).strip(b"\0")
    assert found.torn.endswith("is torn" if left else "the writer was stopped between two records")


@settings(max_examples=60, deadline=None)
@given(header_bytes=st.integers(0, HEADER_BYTES - 1))
def test_a_segment_that_was_being_made(sample: tuple[Path, list[Entry]], place: Path, header_bytes: int) -> None:
    path = copy(sample[0], place)
    begun = Head(3, 1, 2, bytes(16)).pack()[:header_bytes] + bytes(SEGMENT_BYTES_MIN - header_bytes)
    path_of(path, 3).write_bytes(begun)
    found = read(path)
    assert found.entries == sample[1]
    assert found.torn == "segment s.log.0003 was being made"
    log, found = LogFile.go_on(path, SEGMENT_BYTES_MIN)
    more = [entry(number) for number in range(240, 340)]
    for one in more:
        log.write(one)
    log.close()
    assert read(path).entries == sample[1] + more


# ---- cut anywhere, changed anywhere


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_cut_anywhere(sample: tuple[Path, list[Entry]], place: Path, data: st.DataObject) -> None:
    """The last segment cut: a beginning of the entries. One before it cut: refused, with its place."""
    path, entries = copy(sample[0], place), sample[1]
    index = data.draw(st.integers(0, 2), label="segment")
    one = path_of(path, index)
    size = data.draw(st.integers(0, len(one.read_bytes()) - 1), label="bytes")
    with one.open("r+b") as file:
        file.truncate(size)
    if index < 2:
        with pytest.raises(LogError, match=r"byte \d+|is empty|is missing|not a log"):
            read(path)
        return
    found = read(path)
    assert found.entries == entries[: len(found.entries)]
    assert found.torn
    log, _ = LogFile.go_on(path, SEGMENT_BYTES_MIN)
    log.write(entry(999))
    log.close()
    assert read(path).entries == [*found.entries, entry(999)]


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_changed_anywhere(sample: tuple[Path, list[Entry]], place: Path, data: st.DataObject) -> None:
    """Never another entry than was written: refused with its place, or, at the very end, all before it."""
    path, entries = copy(sample[0], place), sample[1]
    one = path_of(path, data.draw(st.integers(0, 2), label="segment"))
    content = bytearray(one.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1), label="byte")
    content[at] ^= data.draw(st.integers(1, 255), label="changed by")
    one.write_bytes(content)
    try:
        found = read(path)
    except LogError as error:
        said = str(error)
        assert "byte" in said or "format" in said or "not a log" in said or "line 1" in said or "follows" in said, said
        return
    assert found.entries in (entries, entries[:-1])
    assert found.torn


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=600), keep=st.integers(0, HEADER_BYTES + 200))
def test_any_bytes_are_a_log_or_refused(
    sample: tuple[Path, list[Entry]], place: Path, content: bytes, keep: int
) -> None:
    path = copy(sample[0], place)
    path.write_bytes(path.read_bytes()[:keep] + content)
    for index in (1, 2):
        path_of(path, index).unlink()
    try:
        found = read(path)
    except LogError:
        return
    assert found.entries == sample[1][: len(found.entries)]


# ---- kill -9


@pytest.mark.parametrize("seed", range(12))
def test_kill_9_at_any_moment(scripted: ModuleType, tmp_path: Path, seed: int) -> None:
    """A session is killed, in virtual or real time, at any level: what is whole replays, decision by decision."""
    dice = random.Random(seed)
    level, pace = ("L0", "L1", "L2")[seed % 3], ("fast", "real")[seed // 3 % 2]
    path = tmp_path / "s.log"
    command = [sys.executable, str(ENDLESS), str(path), level, str(32 << 10), pace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "talking\n"
        time.sleep(dice.random() * (1.0 if pace == "fast" else 3.0))
        assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
    assert child.returncode == -signal.SIGKILL
    log = read(path)
    assert log.torn
    report = _replay(scripted, log)
    assert report.identical, report.differences[0]
    assert report.steps > 0
    assert report.proved.startswith(level)


def _replay(scripted: ModuleType, log: Log) -> Any:
    plan = scripted.plan()
    return replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))


# ---- the queue between the session and the disk


class SlowSegment:
    """Stands for a disk: each append waits for `gate`."""

    def __init__(self, log: LogFile) -> None:
        self.is_open = False
        self.fails: OSError | None = None
        self._append = log.append
        log.append = self.append  # type: ignore[method-assign]

    def append(self, framed: bytes) -> None:
        while not self.is_open:
            time.sleep(0.001)
        if self.fails is not None:
            raise self.fails
        self._append(framed)


@pytest.fixture
def slow(tmp_path: Path) -> tuple[LogWriter, SlowSegment, Path]:
    path = tmp_path / "s.log"
    log = LogFile(path, HEADER, SEGMENT_BYTES_MIN)
    disk = SlowSegment(log)
    return LogWriter(log, threaded=True, items_max=10, bytes_max=10_000), disk, path


def step(number: int) -> Step:
    return Step(number, -1, number, 0)


def test_the_queue_is_bounded_and_what_is_in_it_is_written(slow: tuple[LogWriter, SlowSegment, Path]) -> None:
    writer, disk, path = slow
    for number in range(8):
        writer.put(step(number))
    assert writer.fill == pytest.approx(0.8)
    writer.put(step(8))
    writer.put(step(9))
    with pytest.raises(OSError, match="the log's queue is full") as caught:
        writer.put(step(10))
    assert caught.value.errno == errno.ENOBUFS
    with pytest.raises(OSError, match="the log's queue is full"):
        writer.put(step(11))  # a log with a hole would be none
    disk.is_open = True
    writer.close()
    assert read(path).entries == [step(number) for number in range(10)]


def test_a_disk_that_fails_is_told_once_at_the_latest_by_close(slow: tuple[LogWriter, SlowSegment, Path]) -> None:
    writer, disk, path = slow
    disk.fails = OSError(errno.EIO, "no more")
    disk.is_open = True
    writer.put(step(0))
    with pytest.raises(OSError, match="no more"):
        writer.close()
    assert read(path).entries == []


def test_a_log_has_one_writer(tmp_path: Path) -> None:
    first = LogFile(tmp_path / "x", HEADER)
    with pytest.raises(OSError, match="another process is writing this log"):
        LogFile(tmp_path / "x", HEADER)
    with pytest.raises(OSError, match="another process is writing this log"):
        LogFile.go_on(tmp_path / "x")
    first.close()
    assert read(tmp_path / "x").header == HEADER  # untouched
    again, _ = LogFile.go_on(tmp_path / "x")
    again.close()


def test_a_segment_goes_on_where_it_was(tmp_path: Path) -> None:
    head = Head(0, 0, 1, bytes(16))
    first = Segment(tmp_path / "x", head, 4096)
    first.append(b"a" * 32)
    first.close()
    assert (tmp_path / "x").stat().st_size == HEADER_BYTES + 32
    again = Segment(tmp_path / "x", head, 4096, used=HEADER_BYTES + 32)
    again.append(b"b" * 32)
    again.close()
    assert (tmp_path / "x").read_bytes()[HEADER_BYTES:] == b"a" * 32 + b"b" * 32


Made = Callable[..., Path]


def test_rotation_within_a_session(scripted: ModuleType, record: Made) -> None:
    """The same session in many segments is the same log."""
    whole, parts = read(record("L2")), record("L2", segment_bytes=SEGMENT_BYTES_MIN * 4)
    assert path_of(parts, 3).exists()
    again = read(parts)
    without = [[to_json(e) for e in log.entries if not isinstance(e, Evidence)] for log in (whole, again)]
    assert without[0] == without[1]
    assert _replay(scripted, again).identical
