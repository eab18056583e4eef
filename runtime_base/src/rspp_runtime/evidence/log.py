"""The log file: append-only, each record framed by its length and checksum (CONTRACTS §8).

    file    magic "RSPPLOG1", then records
    record  length (u32, little endian), CRC-32 of the body (u32), body (MessagePack)

The first record is the header. A writer that was stopped within a record leaves a torn tail: readers report and ignore
it. Anything else that does not fit is damage, refused with its offset.
"""

from __future__ import annotations

import asyncio
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import msgpack

from rspp_runtime.evidence.entries import (
    FORMAT_VERSION,
    Entry,
    Header,
    Log,
    LogError,
    from_json,
    from_row,
    to_row,
)

MAGIC = b"RSPPLOG1"
_FRAME = struct.Struct("<II")
RECORD_BYTES_MAX = 1 << 20
BUFFER_BYTES = 1 << 16


class LogFile:
    """Writes one log. `write` appends to a buffer of the file; `durable` puts everything so far on the disk."""

    def __init__(self, path: Path, header: Header) -> None:
        """Raises `OSError` if the file cannot be made. An older file of that name is replaced."""
        self.path = path
        self._file = path.open("wb", buffering=BUFFER_BYTES)
        self._file.write(MAGIC)
        self._put(to_row(header))
        self.flush()  # however the process ends, there is a log that says of which session

    def write(self, entry: Entry) -> None:
        """Raises `OSError`."""
        self._put(to_row(entry))

    def flush(self) -> None:
        """Hands everything written so far to the operating system. Raises `OSError`."""
        self._file.flush()

    def sync(self) -> None:
        """Waits until what was flushed is on the disk. Raises `OSError`. May run in a thread."""
        os.fsync(self._file.fileno())

    def durable(self) -> asyncio.Future[bool]:
        """True once everything written so far is on the disk; `OSError` otherwise. Does not hold up the loop."""
        self.flush()

        async def wait() -> bool:
            await asyncio.to_thread(self.sync)
            return True

        return asyncio.ensure_future(wait())

    def close(self) -> None:
        self._file.close()

    def _put(self, row: list[Any]) -> None:
        body = msgpack.packb(row, use_bin_type=True)
        self._file.write(_FRAME.pack(len(body), zlib.crc32(body)) + body)


def read(path: Path) -> Log:
    """Reads a log, in either form (the file or its JSON lines). Raises `LogError`, `OSError`."""
    data = path.read_bytes()
    if data.startswith(MAGIC):
        return _read_records(data)
    if data.lstrip()[:1] == b"{":
        return _read_lines(data)
    if not data:
        raise LogError("is empty (0 bytes)")
    raise LogError(f"this is not a log: it begins neither with {MAGIC.decode()} nor with a JSON object")


def _read_records(data: bytes) -> Log:
    rows: list[Header | Entry] = []
    at, torn = len(MAGIC), ""
    while at < len(data):
        if at + _FRAME.size > len(data):
            torn = f"the last record, at byte {at}, is torn"
            break
        size, checksum = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + size
        if end > len(data):
            if size > RECORD_BYTES_MAX:
                raise LogError(f"damaged at byte {at}: a record of {size} bytes cannot be")
            torn = f"the last record, at byte {at}, is torn"
            break
        body = data[at + _FRAME.size : end]
        if zlib.crc32(body) != checksum:
            if end == len(data):
                torn = f"the last record, at byte {at}, is torn"
                break
            raise LogError(f"damaged at byte {at}: the checksum does not fit")
        try:
            rows.append(from_row(msgpack.unpackb(body, raw=False, strict_map_key=False)))
        except (LogError, ValueError, msgpack.UnpackException) as error:
            raise LogError(f"byte {at}: {error}") from None
        at = end
    return _log(rows, torn)


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
    return _log(rows, "")


def _log(rows: list[Header | Entry], torn: str) -> Log:
    if not rows or not isinstance(rows[0], Header):
        raise LogError("the header is missing" + (f" ({torn})" if torn else ""))
    header = rows[0]
    if header.format_version != FORMAT_VERSION:
        raise LogError(f"format {header.format_version}; this version of rspp reads format {FORMAT_VERSION}")
    entries = [row for row in rows[1:] if not isinstance(row, Header)]
    if len(entries) != len(rows) - 1:
        raise LogError("a second header: two logs in one file")
    return Log(header, entries, torn)
