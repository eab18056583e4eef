"""A session of either kernel that writes its log as the host does, and what is read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schedule import Driver

from rspp_runtime.abi import Inbound, Op, Output, Plan, Session, Signal
from rspp_runtime.evidence.entries import Header, Log
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.recorder import Recorder

STEPS = 200


def header(plan: Plan, session_id: str, kernel: str, level: str = "L0") -> Header:
    return Header(
        package=plan.pipeline, pipeline=plan.pipeline, pipeline_version=plan.pipeline_version, profile=plan.profile,
        template_hash=plan.template_hash, abi_hash="0" * 64, session_id=session_id, epoch=1, seed=0, level=level,
        kernel=kernel, started_ms=1_790_000_000_000,
    )  # fmt: skip


class Recorded:
    """Stands for the session that it records. `outputs` are all of them, in the order in which they were drained.

    A log knows steps: an `advance` and the `drain` after it, as the driver makes them. A schedule that drains when it
    likes is recorded all the same, but not so that it can be replayed; `in_steps` drains after each `advance`.
    """

    def __init__(self, plan: Plan, session: Session, log: Path, head: Header, *, in_steps: bool = False) -> None:
        self._session, self._file, self._path = session, LogFile(log, head), log
        self._recorder = Recorder(self._file.write, plan, level=head.level)
        self._now, self._deadline = 0, -1
        self._in_steps, self._waiting = in_steps, list[Output]()
        self.outputs: list[Output] = []
        self.stats_at_end: Any = {}

    def ingest(self, event: Inbound, now_ns: int) -> int:
        result = self._session.ingest(event, now_ns)
        self._recorder.on_input(event, now_ns, result)
        return result

    def advance(self, now_ns: int) -> int:
        self._now, self._deadline = now_ns, self._session.advance(now_ns)
        if self._in_steps:
            self._waiting += self._drain()
        return self._deadline

    def drain(self) -> list[Output]:
        if not self._in_steps:
            return self._drain()
        waiting, self._waiting = self._waiting, []
        return waiting

    def _drain(self) -> list[Output]:
        outputs = self._session.drain()
        self._recorder.on_step(self._now, self._deadline, self._now, outputs)
        self.outputs += outputs
        return outputs

    def stats(self) -> Any:
        return self._session.stats()

    def close(self) -> None:
        self._session.close()
        self._file.close()

    def log(self) -> Log:
        """What was written, once it is closed."""
        return read(self._path)


def play(
    plan: Plan, session: Session, seed: int, log: Path, head: Header, *, in_steps: bool = False, trouble: float = -1.0
) -> Recorded:
    """A random schedule (tests/behaviour/schedule.py) on one session, through to its end; closed. `trouble` is how
    likely a step brings something from outside, such as another lease; the schedule's own choice if negative.
    """
    recorded = Recorded(plan, session, log, head, in_steps=in_steps)
    driver = Driver(seed, plan, [recorded])
    driver.p_trouble = driver.p_trouble if trouble < 0 else trouble
    driver.run(STEPS)
    recorded.stats_at_end = recorded.stats()
    recorded.close()
    return recorded


def is_signal(output: Output, *signals: Signal) -> bool:
    return output.op == Op.DECISION and output.code in signals
