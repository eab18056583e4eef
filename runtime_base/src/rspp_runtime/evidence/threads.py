"""The threads that write the logs of a process: a few for all of its sessions.

    ask(work, at_once=…)     `work()` is called in one of them, in the order of asking
    hurry()                  somebody cannot wait any longer for what was asked

One is begun when there is none; another when somebody cannot wait (an `fsync` takes milliseconds) or those that are
there have taken up nothing for `STUCK_S`, since a disk holds them up; at most `THREADS_MAX`. They stay, and do nothing
where nobody asks.
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
        self._taken_s = 0.0  # when one of them took up something

    def ask(self, work: Callable[[], None], *, at_once: bool = False) -> None:
        """`work` raises nothing."""
        with self._news:
            self._asked.append(work)
            if self._idle:
                self._idle -= 1
                self._news.notify()
                return
            stuck = time.monotonic() - self._taken_s > STUCK_S
            if at_once or stuck or not self._count:
                self._begin()

    def hurry(self) -> None:
        with self._news:
            if self._asked:
                self._begin()

    def _begin(self) -> None:
        if self._count < THREADS_MAX:
            self._count += 1
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
