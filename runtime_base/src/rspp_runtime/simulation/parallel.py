"""Cases in several processes, told in the order of their seeds: the figures are those of one process."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.campaign import Played, cases
from rspp_runtime.simulation.machine import Opener

CHUNK = 8  # cases that a process plays before it tells
AHEAD = 3  # chunks that wait for each process

Loader = Callable[[str, Sequence[str]], tuple[Plan, Opener]]
"""Loads a package and its kernels, in the process that will use them; a function of a module."""


class Died(Exception):  # noqa: N818 - it is what happened
    """A process died: the kernel took it down."""

    def __init__(self, first: int) -> None:
        super().__init__(f"a process died while it played the cases from {first} to at most {first + CHUNK - 1}")
        self.first = first


def in_processes(
    jobs: int, loader: Loader, package: str, kernels: Sequence[str], seed: int, faults: tuple[str, ...]
) -> Generator[Played]:
    """Plays cases from `seed` on, `jobs` at a time, without end; raises `Died`."""
    waiting: deque[tuple[int, Future[list[Played]]]] = deque()
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _begin, (loader, package, tuple(kernels), faults)
    ) as pool:
        try:
            while True:
                while len(waiting) < jobs * AHEAD:
                    waiting.append((seed, pool.submit(_chunk, seed)))
                    seed += CHUNK
                first, future = waiting.popleft()
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    raise Died(first) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_mine: dict[str, Any] = {}


def _begin(loader: Loader, package: str, kernels: Sequence[str], faults: tuple[str, ...]) -> None:
    """Once in each process; an interruption is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan, opener = loader(package, kernels)
    _mine.update(plan=plan, opener=opener, faults=faults)


def _chunk(seed: int) -> list[Played]:
    return list(cases(_mine["plan"], _mine["opener"], range(seed, seed + CHUNK), _mine["faults"]))
