"""A session of either kernel that writes its log as the host does, and what is read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rspp_runtime.abi import Inbound, Output, Plan, Session
from rspp_runtime.evidence.entries import Header, Log
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.recorder import Recorder


def header(plan: Plan, session_id: str, kernel: str) -> Header:
    return Header(
        package=plan.pipeline, pipeline=plan.pipeline, pipeline_version=plan.pipeline_version, profile=plan.profile,
        template_hash=plan.template_hash, abi_hash="0" * 64, session_id=session_id, epoch=1, seed=0, level="L0",
        kernel=kernel, started_ms=1_790_000_000_000,
    )  # fmt: skip


class Recorded:
    """Stands for the session that it records."""

    def __init__(self, session: Session, log: Path, head: Header) -> None:
        self._session, self._file, self._path = session, LogFile(log, head), log
        self._recorder = Recorder(self._file.write, payloads=False)
        self._now, self._deadline = 0, -1

    def ingest(self, event: Inbound, now_ns: int) -> int:
        result = self._session.ingest(event, now_ns)
        self._recorder.on_input(event, now_ns, result)
        return result

    def advance(self, now_ns: int) -> int:
        self._now, self._deadline = now_ns, self._session.advance(now_ns)
        return self._deadline

    def drain(self) -> list[Output]:
        outputs = self._session.drain()
        self._recorder.on_step(self._now, self._deadline, self._now, outputs)
        return outputs

    def stats(self) -> Any:
        return self._session.stats()

    def close(self) -> None:
        self._session.close()
        self._file.close()

    def log(self) -> Log:
        """What was written, once it is closed."""
        return read(self._path)
