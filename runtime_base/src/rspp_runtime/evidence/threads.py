"""The threads that write the logs of a process: a few for all of its sessions.

    ask(work, at_once=…)     `work()` is called in one of them, in the order of asking
    hurry()                  somebody cannot wait any longer for what was asked

One is enough while it gets on: two would only wait for each other, and keep the loop waiting. Another is woken, or
begun, when somebody cannot wait (an `fsync` takes milliseconds), or when those at work have taken up nothing for
`STUCK_S`, since a disk holds them up; at most `THREADS_MAX`. They stay, and do nothing where nobody asks.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

THREADS_MAX = 8
STUCK_S = 0.05


class LogThreads:
    """See the module. `ask` belongs to any thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._asked: deque[Callable[[], None]] = deque()
        self._idle = 0  # that wait, and were not told of anything
        self._count = 0
        self._taken_s = 0.0  # when one of them took up something, or was woken to

    def ask(self, work: Callable[[], None], *, at_once: bool = False) -> None:
        """`work` raises nothing."""
        with self._news:
            self._asked.append(work)
            gets_on = self._count > self._idle and time.monotonic() - self._taken_s <= STUCK_S
            if at_once or not gets_on:
                self._wake()

    def hurry(self) -> None:
        with self._news:
            if self._asked:
                self._wake()

    def _wake(self) -> None:
        """One more is at work, unless all are."""
        if self._idle:
            self._idle -= 1
            self._taken_s = time.monotonic()
            self._news.notify()
        elif self._count < THREADS_MAX:
            self._count += 1
            self._taken_s = time.monotonic()
            threading.Thread(target=self._work, name=f"rspp-log-{self._count}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._asked:
                    self._idle += 1
                    self._news.wait()
                work = self._asked.popleft()
                self._taken_s = time.monotonic()
            work()


THREADS = LogThreads()
