"""One segment of a log: a preallocated, memory-mapped file of checksummed records (CONTRACTS §8; docs/replay.md).

All numbers are little endian. A segment is 64 bytes of header, then records, each on a multiple of 8 bytes:

    header  magic (8), index (u32), CRC of the record before this segment (u32), number of its first record (u64),
            log id (16), zeros (20), CRC-32 of the 60 bytes before (u32)
    record  length of the body (u32), CRC-32 (u32), number (u64), body, zeros up to a multiple of 8

A record's checksum begins with the log's id and covers length, number, body and zeros. What lies behind the last record
is zero. A record is stored body first: a process that is killed on the way leaves a frame of zeros, or one that does
not fit.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.evidence.tape import store

MAGIC = b"RSPPLOG2"
MAGIC_1 = b"RSPPLOG1"
HEADER_BYTES = 64
RECORD_BYTES_MAX = 1 << 20  # of a body
SEGMENT_BYTES = 4 << 20
SEGMENT_BYTES_MIN = 4 << 10
FRAME = struct.Struct("<IIQ")
ALIGN = 8
_HEADER = struct.Struct("<8sIIQ16s20x")
_COVERED = struct.Struct("<IQ")
_ZEROS = tuple(bytes(count) for count in range(ALIGN))


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a segment. `previous` is the checksum of the record before it; 0 for the first."""

    index: int
    previous: int
    number: int
    log_id: bytes

    def pack(self) -> bytes:
        return sealed(_HEADER.pack(MAGIC, self.index, self.previous, self.number, self.log_id))


def sealed(head: bytes) -> bytes:
    """The first 60 bytes of a header, with their checksum."""
    return head + struct.pack("<I", zlib.crc32(head))


def is_sealed(data: bytes) -> bool:
    """Whether a header's checksum fits."""
    return data[:HEADER_BYTES] == sealed(data[: HEADER_BYTES - 4])


def path_of(path: Path, index: int) -> Path:
    """Where segment `index` of the log `path` lies: the first at `path`, the next at `path.0001`."""
    return path if index == 0 else path.with_name(f"{path.name}.{index:04d}")


def frame(body: bytes, number: int, seed: int) -> bytes:
    """A record as it is stored; `seed` is the CRC-32 of the log's id."""
    length = len(body)
    padded = body + _ZEROS[-length % ALIGN]
    return FRAME.pack(length, zlib.crc32(padded, zlib.crc32(_COVERED.pack(length, number), seed)), number) + padded


def _checksum(padded: bytes | memoryview, length: int, number: int, log_id: bytes) -> int:
    return zlib.crc32(padded, zlib.crc32(_COVERED.pack(length, number), zlib.crc32(log_id)))


# ---- writing


class BusyError(OSError):
    """Another process has the log."""

    def __init__(self, why: str = "another process is writing this log") -> None:
        super().__init__(errno.EBUSY, why)


def hold(path: Path, *, new: bool) -> int:
    """A descriptor of the log's first segment that only one process has, until it is closed or the process dies.

    Raises `BusyError` while another writes the log, `OSError`.
    """
    fd = os.open(path, os.O_RDWR | (os.O_CREAT if new else 0) | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if not isinstance(error, BlockingIOError):
            return -1  # a file system without locks
        raise BusyError from None
    return fd


class Segment:
    """Writes one segment. Not for several threads at once."""

    def __init__(self, path: Path, head: Head, size: int, *, used: int = 0) -> None:
        """Makes the file and takes its space on the disk; with `used` > 0 goes on in one that exists, behind those
        bytes, and clears what is there. Raises `OSError`."""
        flags = os.O_RDWR | (0 if used else os.O_CREAT | os.O_TRUNC)
        self._fd = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            if used:
                os.ftruncate(self._fd, used)
            _allocate(self._fd, used, size)
            self._map = mmap.mmap(self._fd, size)
        except (OSError, ValueError) as error:
            os.close(self._fd)
            raise error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error)) from None
        self._size = size
        self.used = used
        if not used:
            self._map[:HEADER_BYTES] = head.pack()
            self.used = HEADER_BYTES

    def has_room(self, size: int) -> bool:
        return self.used + size <= self._size

    def append(self, framed: bytes) -> None:
        """Stores one record, for which there is room: the body, and only then the frame that makes it valid."""
        at, body = self.used, self.used + FRAME.size
        self._map[body : at + len(framed)] = framed[FRAME.size :]
        self._map[at:body] = framed[: FRAME.size]
        self.used += len(framed)

    def store(self, records: bytes, at: int, seed: int) -> tuple[int, int, int]:
        """Stores framed records from byte `at` on, as many as there is room for, completed by their checksums.

        Returns (`at` behind them, number and checksum of the last one; 0, 0 if there was no room). Other threads run
        meanwhile."""
        self.used, at, number, checksum = store(self._map, self.used, records, at, seed)
        return at, number, checksum

    def sync(self) -> None:
        """Waits until all that was appended is on the disk. Raises `OSError`. Other threads run meanwhile."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Gives the space that was not used back. Raises `OSError`."""
        if self._fd < 0:
            return
        self._map.close()
        try:
            os.ftruncate(self._fd, self.used)
        finally:
            os.close(self._fd)
            self._fd = -1


def _allocate(fd: int, start: int, end: int) -> None:
    """Takes real space, so that a full disk is an error now and not a signal at the first write to the map."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, start, end - start)
        return
    chunk = bytes(1 << 16)
    for at in range(start, end, len(chunk)):
        os.pwrite(fd, chunk[: end - at], at)


# ---- reading


class Damage(Exception):  # noqa: N818 - it is what was found, and becomes an error with the file's name
    """Something that no stopped writer leaves; `at` is a byte of the segment."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at


@dataclass(slots=True)
class Whole:
    """What is whole in a segment: bodies with their places, and where they end. `torn`: something follows."""

    bodies: list[tuple[int, bytes]]
    end: int
    checksum: int  # of the last record; as the header says if there is none
    torn: bool


def read_head(data: bytes) -> Head | None:
    """The header of a segment, None if it was never written. Raises `Damage`."""
    if not data.strip(b"\0"):
        return None
    if data[:8] != MAGIC:
        raise Damage(0, f"it does not begin with {MAGIC.decode()}")
    if len(data) < HEADER_BYTES:
        raise Damage(len(data), f"its header is cut: {len(data)} of {HEADER_BYTES} bytes")
    if not is_sealed(data):
        raise Damage(0, "the checksum of its header does not fit")
    _, index, previous, number, log_id = _HEADER.unpack_from(data)
    return Head(index, previous, number, log_id)


def read_records(data: bytes, head: Head) -> Whole:
    """All whole records. Raises `Damage` if there are whole ones behind one that is not."""
    whole = Whole([], HEADER_BYTES, head.previous, torn=False)
    view, number = memoryview(data), head.number
    while (found := _at(view, whole.end, number, head.log_id)) is not None:
        length, checksum = found
        start = whole.end + FRAME.size
        whole.bodies.append((whole.end, data[start : start + length]))
        whole.end, whole.checksum = start + length + -length % ALIGN, checksum
        number += 1
    rest = data[whole.end :]
    whole.torn = bool(rest.strip(b"\0"))
    if whole.torn and (later := _find_later(view, whole.end, number, head.log_id)) is not None:
        raise Damage(whole.end, f"the checksum does not fit, and whole records follow from byte {later} on")
    return whole


def first_record(data: bytes, head: Head) -> bytes | None:
    """The body of the first record of a segment, of which `data` is the beginning; None if it is not whole."""
    found = _at(memoryview(data), HEADER_BYTES, head.number, head.log_id)
    start = HEADER_BYTES + FRAME.size
    return None if found is None else data[start : start + found[0]]


def _at(view: memoryview, at: int, number: int, log_id: bytes) -> tuple[int, int] | None:
    """Length and checksum of the record `number` at `at`; None if it is not whole there."""
    if at + FRAME.size > len(view):
        return None
    length, checksum, stored = FRAME.unpack_from(view, at)
    start, padded = at + FRAME.size, length + -length % ALIGN
    if not 0 < length <= RECORD_BYTES_MAX or stored != number or start + padded > len(view):
        return None
    if _checksum(view[start : start + padded], length, number, log_id) != checksum:
        return None
    return length, checksum


def _find_later(view: memoryview, start: int, number: int, log_id: bytes) -> int | None:
    """Where a whole record of a later number (or a copy of this one) is, behind `start`."""
    most = number + (len(view) - start) // FRAME.size
    for at in range(start + ALIGN, len(view) - FRAME.size + 1, ALIGN):
        stored = FRAME.unpack_from(view, at)[2]
        if number <= stored <= most and _at(view, at, stored, log_id) is not None:
            return at
    return None
