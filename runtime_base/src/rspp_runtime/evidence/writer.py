"""Between the session and its log: a bounded queue, and a thread that empties it.

    put(entry)      frames the entry and keeps it; never waits for the disk
    flush()         gives what was put to the thread: once a step
    durable()       answers once everything that was put is on the disk
    fill            how full the queue is, 0 to 1: what the recording level depends on (`levels.Levels`)

In virtual time there is no thread: an entry is on its way to the disk when `put` returns, and the queue is empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections import deque

from rspp_runtime.evidence.entries import Entry
from rspp_runtime.evidence.log import LogFile

QUEUE_ITEMS_MAX = 65_536
QUEUE_BYTES_MAX = 16 << 20
BATCH_ITEMS = 64
CLOSE_S_MAX = 10.0


class LogWriter:
    """Writes to `log`, which is its own from now on. `put`, `durable` and `close` belong to the session's loop.

    The first failure of the disk, and a queue that is full, end the log: what is in it stays a whole beginning, and
    every later call raises `OSError`.
    """

    def __init__(
        self,
        log: LogFile,
        *,
        threaded: bool,
        items_max: int = QUEUE_ITEMS_MAX,
        bytes_max: int = QUEUE_BYTES_MAX,
    ) -> None:
        self._log = log
        self._items_max, self._bytes_max = items_max, bytes_max
        self._queue: deque[bytes] = deque()
        self._bytes = 0  # in the queue
        self._batch: list[bytes] = []  # put, and not yet in the queue
        self._batch_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[bool]]] = deque()  # durable up to this count of records
        self._taken = self._stored = 0  # counts of records: put, and appended
        self._failure: OSError | None = None
        self._told = False  # whether anybody has heard of the failure
        self._closing = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="rspp-log", daemon=True) if threaded else None
        if self._thread is not None:
            self._thread.start()

    @property
    def fill(self) -> float:
        """How full the queue is, 0 to 1."""
        return max(
            (len(self._queue) + len(self._batch)) / self._items_max, (self._bytes + self._batch_bytes) / self._bytes_max
        )

    def put(self, entry: Entry) -> None:
        """Raises `OSError`: the disk failed, or the queue is full (ENOBUFS). The thread hears of it with `flush`, or
        when `BATCH_ITEMS` wait: waking it for each entry would take longer than all the rest."""
        self._check()
        framed = self._log.frame(entry)
        if self._thread is None:
            self._log.append(framed)
            return
        waiting, size = len(self._queue) + len(self._batch), self._bytes + self._batch_bytes
        if waiting >= self._items_max or size + len(framed) > self._bytes_max:
            self.flush()
            self._failure = OSError(errno.ENOBUFS, "the log's queue is full: the disk does not keep up")
            self._check()
        self._batch.append(framed)
        self._batch_bytes += len(framed)
        if len(self._batch) >= BATCH_ITEMS:
            self.flush()

    def flush(self) -> None:
        """What was put is the thread's from now on."""
        if not self._batch:
            return
        with self._news:
            if self._failure is None:
                self._queue += self._batch
                self._bytes += self._batch_bytes
                self._taken += len(self._batch)
                self._news.notify()
        self._batch, self._batch_bytes = [], 0

    def durable(self) -> asyncio.Future[bool] | bool:
        """True once everything that was put is on the disk, now or later. Raises `OSError`, or the future does."""
        self._check()
        if self._thread is None:
            self._log.sync()
            return True
        self.flush()
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        with self._news:
            self._waiting.append((self._taken, future))
            self._news.notify()
        return future

    def close(self) -> None:
        """Everything that was put is on the disk, if the disk can. Raises `OSError`."""
        if self._thread is not None:
            self.flush()
            with self._news:
                self._closing = True
                self._news.notify()
            self._thread.join(CLOSE_S_MAX)
            if self._thread.is_alive():
                raise OSError(errno.ETIMEDOUT, "the disk does not take the end of the log")
            self._thread = None
        self._log.close()
        if self._failure is not None and not self._told:
            raise self._failure

    def _check(self) -> None:
        if self._failure is not None:
            self._told = True
            raise self._failure

    # ---- the thread

    def _work(self) -> None:
        while True:
            with self._news:
                while not (self._queue or self._waiting or self._closing):
                    self._news.wait()
                batch = list(self._queue)
                ends = self._closing and not batch and not self._waiting
            if ends:
                return
            try:
                self._store(batch)
            except OSError as error:
                self._fail(error)
                return

    def _store(self, batch: list[bytes]) -> None:
        """What is stored leaves the queue one by one: `fill` counts what is still to be written."""
        for framed in batch:
            self._log.append(framed)
            with self._news:
                self._queue.popleft()
                self._bytes -= len(framed)
                self._stored += 1
        with self._news:
            asked = bool(self._waiting) and self._waiting[0][0] <= self._stored
            upto = self._stored
        if asked:
            self._log.sync()
            with self._news:
                answered = []
                while self._waiting and self._waiting[0][0] <= upto:
                    answered.append(self._waiting.popleft()[1])
            for future in answered:
                _answer(future, None)

    def _fail(self, error: OSError) -> None:
        with self._news:
            self._failure = error
            self._queue.clear()
            self._bytes = 0
            waiting, self._waiting = [future for _, future in self._waiting], deque()
        for future in waiting:
            _answer(future, error)


def _answer(future: asyncio.Future[bool], error: OSError | None) -> None:
    """From the thread: the future's loop may have been closed meanwhile, and then nobody waits for it."""

    def answer() -> None:
        if future.done():
            return
        if error is None:
            future.set_result(True)
        else:
            future.set_exception(error)

    with contextlib.suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(answer)
