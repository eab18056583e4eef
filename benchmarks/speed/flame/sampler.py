"""Samples of what a process does with its processor time: Python's stack, a thousand times a second of it.

A signal handler runs between two instructions of Python, so time inside of compiled code is seen when it comes back, at
the line that called it. `CALLS` names the lines that call the kernel, so that its time has a name of its own.
"""

from __future__ import annotations

import linecache
import signal
from collections import Counter
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

EVERY_S = 0.001  # of processor time
CALLS = {"self._advance(": "kernel: advance", "self._drain(": "kernel: drain", "self._ingest(": "kernel: ingest"}
ROOT = "asyncio/base_events._run_once"  # what is below it is how the process was started

Stack = tuple[str, ...]  # outermost first


class Sampler:
    """Samples the main thread while it is entered."""

    def __init__(self) -> None:
        self.stacks: Counter[Stack] = Counter()

    def __enter__(self) -> Sampler:
        self._before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        names: list[str] = []
        while frame is not None:
            names += _names(frame.f_code, frame.f_lineno or 0)
            frame = frame.f_back
        names.reverse()
        if ROOT in names:
            self.stacks[tuple(names[names.index(ROOT) :])] += 1


@cache
def _names(code: CodeType, line: int) -> tuple[str, ...]:
    """The function, below the part of the kernel that this line of it calls, if it does."""
    text = linecache.getline(code.co_filename, line)
    kernel = [name for call, name in CALLS.items() if call in text][:1]
    file = Path(code.co_filename)
    return (*kernel, f"{file.parent.name}/{file.stem}.{code.co_name}")
