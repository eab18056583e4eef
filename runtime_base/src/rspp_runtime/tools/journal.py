"""The journal of tools with `once`: a key before the function runs, its result after it has (docs/tools.md, Once).

One file for one session's log. 64 bytes of header, then records as in a segment of the log (`evidence/segment.py`): a
JSON object each, with its length, number and checksum. A torn last record is cut off when the file is opened.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

from rspp_runtime.evidence.segment import HEADER_BYTES, Damage, Head, frame, is_sealed, read_records, sealed
from rspp_runtime.tools.offer import canonical

MAGIC = b"RSPPTOOL"
SUFFIX = ".tools"  # behind the name of the session's log
_HEADER = struct.Struct("<8s16s36x")

UNKNOWN = "the outcome of an earlier call with these arguments is unknown: it may have happened, and is not tried again"


class JournalError(OSError):
    """The journal cannot be used: it is damaged, or of something else. The message names the file."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EINVAL, message)

    def __str__(self) -> str:
        return str(self.strerror)


class Journal:
    """What ran in one session, by key. `path` None keeps it in memory. Used from several threads."""

    def __init__(self, session_id: str, path: Path | None = None) -> None:
        """Opens or makes the file. Raises `JournalError`, `OSError`."""
        self.session_id = session_id
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any] | None] = {}  # None: begun, and not ended
        self._fd, self._number, self._id = -1, 0, os.urandom(16)
        self.path = path
        if path is not None:
            self._open(path)

    def key(self, tool: str, arguments: Any) -> str:
        """The idempotency key of a call, 64 hex digits."""
        text = f"rspp.tool.v1\0{self.session_id}\0{tool}\0{canonical(arguments)}"
        return hashlib.sha256(text.encode()).hexdigest()

    def begin(self, key: str, tool: str, arguments: Any) -> dict[str, Any] | None:
        """None: the key is new, and on the disk: run it. Else the outcome of the run that there was."""
        with self._lock:
            if key in self._known:
                return self._known[key] or {"error": UNKNOWN}
            self._append({"key": key, "tool": tool, "arguments": arguments})
            self._known[key] = None
            return None

    def end(self, key: str, outcome: dict[str, Any]) -> None:
        """The function has returned, or raised: `{"result": …}` or `{"error": …}`; `{"undone": …}` frees the key."""
        with self._lock:
            self._append({"key": key, **outcome})
            self._keep(key, outcome)

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    # ---- the file

    def _keep(self, key: str, outcome: dict[str, Any]) -> None:
        if "undone" in outcome:
            self._known.pop(key, None)
        else:
            self._known[key] = outcome

    def _append(self, record: dict[str, Any]) -> None:
        if self._fd < 0:
            if self.path is not None:
                raise JournalError(f"{self.path}: it is closed")
            return
        framed = frame(canonical(record).encode(), self._number, zlib.crc32(self._id))
        written = os.write(self._fd, framed)
        if written != len(framed):
            raise JournalError(f"{self.path}: {written} of {len(framed)} bytes were written: the disk is full")
        os.fsync(self._fd)
        self._number += 1

    def _open(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            data = path.read_bytes()
            if len(data) < HEADER_BYTES:  # new, or its maker died at once
                self._begin()
            else:
                self._read(path, data)
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        os.ftruncate(self._fd, 0)
        os.write(self._fd, sealed(_HEADER.pack(MAGIC, self._id)))
        os.fsync(self._fd)

    def _read(self, path: Path, data: bytes) -> None:
        magic, self._id = _HEADER.unpack_from(data)
        if magic != MAGIC or not is_sealed(data):
            raise JournalError(f"{path} is not a journal of tools, or its header is damaged; move it away")
        try:
            whole = read_records(data, Head(0, 0, 0, self._id))
            for _, body in whole.bodies:
                record = json.loads(body)
                key = record.pop("key")
                if record.keys() & {"result", "error", "undone"}:
                    self._keep(key, record)
                else:
                    self._known[key] = None
        except (Damage, ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalError(f"{path}: the journal of tools is damaged ({error}); move it away") from None
        os.ftruncate(self._fd, whole.end)
        os.lseek(self._fd, 0, os.SEEK_END)
        self._number = len(whole.bodies)
