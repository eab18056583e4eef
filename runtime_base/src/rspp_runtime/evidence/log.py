"""The log on disk: append-only segments, each preallocated and memory-mapped (CONTRACTS §8; docs/replay.md).

    LogFile(path, header)     a new log; segments follow as they fill up
    LogFile.go_on(path)       the same log again, behind its last whole record
    read(path)                either form: segments, or JSON lines
    read_to_end(path)         segments, and which record is the last
    header_of(path)           the header alone

The first record is the header. A writer that was stopped within a record leaves a torn tail: readers report and ignore
it. Anything else that does not fit is damage, refused with its offset.
"""

from __future__ import annotations

import errno
import itertools
import os
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from rspp_runtime.evidence.entries import (
    FORMAT_VERSION,
    End,
    Entry,
    Header,
    Log,
    LogError,
    from_json,
    from_row,
    to_row,
)
from rspp_runtime.evidence.levels import Keeps
from rspp_runtime.evidence.segment import (
    FRAME,
    HEADER_BYTES,
    MAGIC,
    MAGIC_1,
    RECORD_BYTES_MAX,
    SEGMENT_BYTES,
    SEGMENT_BYTES_MIN,
    Damage,
    Head,
    Segment,
    first_record,
    frame,
    hold,
    path_of,
    read_head,
    read_records,
)
from rspp_runtime.evidence.tape import Tape

HEADER_RECORD_BYTES_MAX = 64 << 10
SEGMENTS_MAX = 4096  # of one log: 16 GiB at the usual size


class LogFile:
    """Writes one log. `append` is a memory write; only a new segment and `sync` wait for the disk.

    `frame` and `append` may be called from two different threads, one each.
    """

    def __init__(self, path: Path, header: Header, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Raises `OSError` if the file cannot be made or is being written. An older log of that name is replaced."""
        self._start(path, segment_bytes, new=True)
        self._log_id = uuid.uuid4().bytes
        self._seed = zlib.crc32(self._log_id)
        try:
            _remove_older(path)
            self._segment = self._open(0, Head(0, 0, 1, self._log_id))
            self.append(self.frame(header))  # however the process ends, there is a log that says of which session
        except BaseException:
            self._let_go()
            raise

    @classmethod
    def go_on(cls, path: Path, segment_bytes: int = SEGMENT_BYTES) -> tuple[LogFile, Log]:
        """The log that is there, to be continued behind its last whole record: what was torn is cleared.

        Raises `LogError`, `OSError`.
        """
        self = cls.__new__(cls)
        self._start(path, segment_bytes, new=False)
        try:
            found = _read_segments(path)
            log = _log([row for part in found.parts for row in part.rows], found)
            last = found.parts[-1]
            if found.unfinished is not None:
                found.unfinished.unlink()
            self._log_id = last.head.log_id
            self._seed = zlib.crc32(self._log_id)
            self._index = last.head.index
            self._next = last.head.number + len(last.rows)
            self._written, self._previous = self._next - 1, last.checksum
            size = max(segment_bytes, last.end)
            self._segment = Segment(path_of(path, self._index), last.head, size, used=last.end)
        except BaseException:
            self._let_go()
            raise
        return self, log

    def _start(self, path: Path, segment_bytes: int, *, new: bool) -> None:
        if segment_bytes < SEGMENT_BYTES_MIN:
            raise ValueError(f"a segment has at least {SEGMENT_BYTES_MIN} bytes, not {segment_bytes}")
        self._held = hold(path, new=new)  # a second writer would tear what the first one maps
        self.path = path
        self._segment_bytes = segment_bytes
        self._index = 0
        self._next = 1  # the number of the next record that is framed
        self._written = 0  # the number of the last one that was appended
        self._previous = 0  # its checksum
        self._body_max = min(RECORD_BYTES_MAX, segment_bytes - HEADER_BYTES - FRAME.size)
        self._packer = msgpack.Packer(use_bin_type=True).pack  # used again: making one takes longer than packing

    def write(self, entry: Entry) -> None:
        """Raises `OSError`."""
        self.append(self.frame(entry))

    def frame(self, entry: Header | Entry) -> bytes:
        """The next record as it will be stored; whatever was framed is to be appended in that order.

        Raises `OSError` (EFBIG) for one that no segment holds.
        """
        body = self.pack(entry)
        if len(body) > self._body_max:
            raise OSError(
                errno.EFBIG, f"a record of {len(body)} bytes is larger than the {self._body_max} that a log takes"
            )
        made = frame(body, self._next, self._seed)
        self._next += 1
        return made

    def pack(self, entry: Header | Entry) -> bytes:
        """The body of a record."""
        body: bytes = self._packer(to_row(entry))
        return body

    def tape(self, more: Callable[[int], None], keeps: Keeps | None) -> Tape:
        """The next records are framed on it, and not by `frame`."""
        tables = ((), ()) if keeps is None else (keeps.inputs, keeps.outputs)
        return Tape(self._next, self._body_max, more, *tables)

    def append(self, records: bytes) -> None:
        """Stores framed records; checksums that they lack are computed. Raises `OSError`, and is then not to be used
        again."""
        at = 0
        while True:
            at, number, checksum = self._segment.store(records, at, self._seed)
            if number:
                self._written, self._previous = number, checksum
            if at == len(records):
                return
            self._rotate()

    def sync(self) -> None:
        """Waits until everything appended is on the disk. Raises `OSError`."""
        self._segment.sync()

    def close(self) -> None:
        """Everything is on the disk, the rest of the segment is given back. Raises `OSError`. Idempotent."""
        try:
            self._segment.close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _rotate(self) -> None:
        if self._index + 1 >= SEGMENTS_MAX:
            raise OSError(errno.ENOSPC, f"the log has {SEGMENTS_MAX} segments, as many as it may")
        self._segment.sync()  # a segment is begun only when all before it is on the disk: only the last can be torn
        self._segment.close()
        self._index += 1
        if (path := path_of(self.path, self._index)).exists():
            raise FileExistsError(errno.EEXIST, "is in the way of the next segment", str(path))
        self._segment = self._open(self._index, Head(self._index, self._previous, self._written + 1, self._log_id))

    def _open(self, index: int, head: Head) -> Segment:
        path = path_of(self.path, index)
        made = Segment(path, head, self._segment_bytes)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name is on the disk too
        finally:
            os.close(folder)
        return made


def _remove_older(path: Path) -> None:
    """The segments of an older log, the last one first; what is no segment is nobody's to remove."""
    older = list(_segments_of(path))
    for old in reversed(older[1:]):
        old.unlink()


def _segments_of(path: Path) -> list[Path]:
    """The files that belong to the log, as far as their names and first bytes say."""
    found = [path]
    for index in itertools.count(1):
        one = path_of(path, index)
        if not one.is_file():
            break
        with one.open("rb") as file:
            if file.read(len(MAGIC)).strip(b"\0") not in (MAGIC, b""):
                break
        found.append(one)
    return found


# ---- reading


class _Part:
    """One segment as it was read."""

    def __init__(self, head: Head, rows: list[Header | Entry], end: int, checksum: int) -> None:
        self.head, self.rows, self.end, self.checksum = head, rows, end, checksum


class _Found:
    """All segments, and what is wrong with the end of the last one."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.torn = ""
        self.unfinished: Path | None = None  # a segment whose writer was stopped before its header was whole


def read(path: Path) -> Log:
    """Reads a log, in either form (its segments or JSON lines). Raises `LogError`, `OSError`."""
    with path.open("rb") as file:
        begins = file.read(4096)
    if begins.startswith(MAGIC_1):
        raise LogError("is of format 1; this version of rspp reads format 2: record it again")
    if begins.lstrip()[:1] == b"{":
        return _read_lines(path.read_bytes())
    if not begins:
        raise LogError("is empty (0 bytes)")
    if not begins.strip(b"\0"):
        raise LogError("the header is missing: its writer was stopped before it wrote anything")
    if not begins.startswith(MAGIC):
        raise LogError(f"this is not a log: it begins neither with {MAGIC.decode()} nor with a JSON object")
    found = _read_segments(path)
    return _log([row for part in found.parts for row in part.rows], found)


@dataclass(frozen=True, slots=True)
class Last:
    """The last whole record of a log, by which one knows it again."""

    log_id: str  # 32 hex digits
    record: int
    checksum: int


def read_to_end(path: Path) -> tuple[Log, Last]:
    """A log of segments, and its last record. Raises `LogError`, `OSError`."""
    found = _read_segments(path)
    last = found.parts[-1]
    end = Last(last.head.log_id.hex(), last.head.number + len(last.rows) - 1, last.checksum)
    return _log([row for part in found.parts for row in part.rows], found), end


def header_of(path: Path) -> Header:
    """The header of a log of segments, without the rest. Raises `LogError`, `OSError`."""
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES + FRAME.size + HEADER_RECORD_BYTES_MAX)
    try:
        head = _head(data, 0)
        body = None if head is None else first_record(data, head)
    except Damage as error:
        raise LogError(f"damaged at byte {error.at}: {error}") from None
    row = None if body is None else _row(body, f"byte {HEADER_BYTES}")
    if not isinstance(row, Header):
        raise LogError("the header is missing: its writer was stopped before it wrote anything")
    return row


def _read_segments(path: Path) -> _Found:
    found = _Found()
    index = 0
    while (one := path_of(path, index)).exists() or index == 0:
        where = f"segment {one.name}: " if index else ""
        data = one.read_bytes()
        try:
            head = _head(data, index)
            if found.torn and head is not None:
                last = path_of(path, index - 1).name
                place = f"{f'segment {last}: ' if index > 1 else ''}damaged at byte {found.parts[-1].end}"
                raise LogError(f"{place}: a record is not whole, and segment {one.name} follows")
            if head is None:
                found.torn, found.unfinished = f"segment {one.name} was being made", one
                break
            _check_follows(found, head, index)
            whole = read_records(data, head)
        except Damage as error:
            raise LogError(f"{where}damaged at byte {error.at}: {error}") from None
        rows = [_row(body, f"{where}byte {at}") for at, body in whole.bodies]
        found.parts.append(_Part(head, rows, whole.end, whole.checksum))
        if whole.torn:
            found.torn = f"the last record, at byte {whole.end}{f' of {one.name}' if index else ''}, is torn"
        index += 1
    if (later := path_of(path, index + 1)).exists():
        raise LogError(f"segment {path_of(path, index).name} is missing or empty, and {later.name} is there")
    return found


def _head(data: bytes, index: int) -> Head | None:
    """The segment's header; None if its writer was stopped before that was whole. Raises `Damage`."""
    try:
        return read_head(data)
    except Damage:
        if index and not data[HEADER_BYTES:].strip(b"\0"):
            return None
        raise


def _check_follows(found: _Found, head: Head, index: int) -> None:
    """Raises `Damage` if the segment is not the one that comes now."""
    if not found.parts:
        if (head.index, head.number) != (0, 1):
            raise Damage(8, f"this is segment {head.index} of a log; name the first one")
        return
    before = found.parts[-1]
    if head.log_id != before.head.log_id:
        raise Damage(24, "it is a segment of another log")
    ends = before.head.number + len(before.rows) - 1
    if (head.index, head.previous, head.number) != (index, before.checksum, ends + 1):
        raise Damage(
            8, f"it begins with record {head.number}, but the segment before ends with record {ends} at {before.end}"
        )


def _row(body: bytes, where: str) -> Header | Entry:
    try:
        return from_row(msgpack.unpackb(body, raw=False, strict_map_key=False))
    except (LogError, ValueError, msgpack.UnpackException) as error:
        raise LogError(f"{where}: {error}") from None


def _read_lines(data: bytes) -> Log:
    rows: list[Header | Entry] = []
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise LogError(f"not UTF-8 at byte {error.start}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(from_json(line))
            except LogError as error:
                raise LogError(f"line {number}: {error}") from None
    return _log(rows, _Found())


def _log(rows: list[Any], found: _Found) -> Log:
    torn = found.torn
    if not rows or not isinstance(rows[0], Header):
        raise LogError("the header is missing" + (f" ({torn})" if torn else ""))
    header = rows[0]
    if header.format_version != FORMAT_VERSION:
        raise LogError(f"format {header.format_version}; this version of rspp reads format {FORMAT_VERSION}")
    entries = [row for row in rows[1:] if not isinstance(row, Header)]
    if len(entries) != len(rows) - 1:
        raise LogError("a second header: two logs in one file")
    if not torn and not (entries and isinstance(entries[-1], End)):
        torn = "it ends without the end of its session: the writer was stopped between two records"
    return Log(header, entries, torn)
