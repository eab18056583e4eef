"""Between the session and its log: a tape, a bounded queue, and a thread that empties it.

    tape            takes records, and frames them (`tape.Tape`); `put` is for those that come as entries
    caught_up()     says whether something is on the tape
    flush()         gives it to the threads that write (`threads`), as the tape does when it is full
    durable()       answers once everything that was put is on the disk
    fill            how full tape and queue are, 0 to 1: what the recording level depends on (`levels.Levels`)

In virtual time there is no thread: what is flushed is on its way to the disk, and the queue is empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections import deque

from rspp_runtime.evidence.entries import Entry
from rspp_runtime.evidence.levels import Keeps
from rspp_runtime.evidence.log import LogFile
from rspp_runtime.evidence.threads import THREADS

QUEUE_ITEMS_MAX = 65_536
QUEUE_BYTES_MAX = 16 << 20
BATCH_BYTES = 16 << 10  # that the tape holds, unless a record is larger
CLOSE_S_MAX = 10.0


class LogWriter:
    """Writes to `log`, which is its own from now on; with `keeps`, its tape knows which payloads a level keeps. All but
    the work of the threads belongs to the session's loop.

    The first failure of the disk, and a queue that is full, end the log: what is in it stays a whole beginning, and
    every later call raises `OSError`.
    """

    def __init__(
        self,
        log: LogFile,
        *,
        threaded: bool,
        keeps: Keeps | None = None,
        items_max: int = QUEUE_ITEMS_MAX,
        bytes_max: int = QUEUE_BYTES_MAX,
    ) -> None:
        self._log = log
        self._threaded = threaded
        self._items_max, self._bytes_max = items_max, bytes_max
        self._queue: deque[tuple[bytes, int]] = deque()  # records, and how many
        self._records = self._bytes = 0  # in the queue
        self._waiting: deque[tuple[int, asyncio.Future[bool]]] = deque()  # durable up to this count of records
        self._taken = self._stored = 0  # counts of records: given to the threads, and appended
        self._failure: OSError | None = None
        self._told = False  # whether anybody has heard of the failure
        self._at_work = False  # a thread was asked, and has not come to an end
        self._news = threading.Condition()
        self.tape = log.tape(self._more, keeps)

    @property
    def fill(self) -> float:
        """How full the queue is, 0 to 1."""
        tape = self.tape
        return max((self._records + tape.records) / self._items_max, (self._bytes + tape.size) / self._bytes_max)

    def put(self, entry: Entry) -> None:
        """Raises `OSError`: the disk failed, or the queue is full (ENOBUFS)."""
        self._check()
        self.tape.record(self._log.pack(entry))

    def caught_up(self) -> bool:
        """Nothing more is put for the moment; whether something is kept, and waits for `flush`. Raises `OSError`."""
        self._check()
        if not self._threaded:
            self._hand_over()
        return self.tape.records > 0

    def flush(self) -> None:
        """What is on the tape is the threads' from now on. Raises `OSError`."""
        self._check()
        self._hand_over()

    def durable(self) -> asyncio.Future[bool] | bool:
        """True once everything that was put is on the disk, now or later. Raises `OSError`, or the future does."""
        self._check()
        was_asked = self._at_work
        self._hand_over(at_once=True)
        if not self._threaded:
            self._log.sync()
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        with self._news:
            self._waiting.append((self._taken, future))
            self._ask(at_once=True)
        if was_asked:
            THREADS.hurry()  # it was asked for as something that can wait
        return future

    def close(self) -> None:
        """Everything that was put is on the disk, if the disk can. Raises `OSError`."""
        if self._failure is None:
            self._hand_over()
        with self._news:
            if not self._news.wait_for(lambda: not self._at_work, CLOSE_S_MAX):
                raise OSError(errno.ETIMEDOUT, "the disk does not take the end of the log")
        self._log.close()
        if self._failure is not None and not self._told:
            raise self._failure

    def _check(self) -> None:
        if self._failure is not None:
            self._told = True
            raise self._failure

    def _more(self, size: int) -> None:
        """What the tape asks before a record of at most `size` bytes, when it holds as much as it was allowed to."""
        self.flush()
        records, left = self._items_max - self._records, self._bytes_max - self._bytes
        if records <= 0 or size > left:
            self._failure = OSError(errno.ENOBUFS, "the log's queue is full: the disk does not keep up")
            self._check()
        self.tape.limit(records, min(left, max(BATCH_BYTES, size)))

    def _hand_over(self, *, at_once: bool = False) -> None:
        count = self.tape.records
        if not count:
            return
        records = self.tape.take()
        self.tape.limit(0, 0)  # how much it may hold is asked for anew
        self._taken += count
        if not self._threaded:
            self._log.append(records)
            return
        with self._news:
            if self._failure is None:
                self._queue.append((records, count))
                self._records += count
                self._bytes += len(records)
                self._ask(at_once=at_once)

    def _ask(self, *, at_once: bool) -> None:
        """A thread comes, unless one is on its way: it looks again before it goes."""
        if not self._at_work:
            self._at_work = True
            THREADS.ask(self._work, at_once=at_once)

    # ---- in one of the threads

    def _work(self) -> None:
        try:
            while self._something():
                self._store()
        except Exception as error:  # nobody else would hear of it
            self._fail(error if isinstance(error, OSError) else OSError(errno.EIO, str(error)))

    def _something(self) -> bool:
        with self._news:
            if self._queue or self._waiting:
                return True
            self._at_work = False
            self._news.notify_all()
            return False

    def _store(self) -> None:
        """What is stored leaves the queue batch by batch: `fill` counts what is still to be written."""
        while self._queue:
            records, count = self._queue[0]
            self._log.append(records)
            with self._news:
                self._queue.popleft()
                self._records -= count
                self._bytes -= len(records)
                self._stored += count
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
            self._records = self._bytes = 0
            waiting, self._waiting = [future for _, future in self._waiting], deque()
            self._at_work = False
            self._news.notify_all()
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
