"""How late the event loop is, and what made it late.

One timer says how late it came: whatever else was due in the loop, a frame of somebody's audio among it, came as late.
If it does not come at all a thread looks at what the loop's thread is doing, and names it: that costs nothing while the
loop is in time.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from types import FrameType

log = logging.getLogger(__name__)

INTERVAL_S = 0.05
WINDOW = 20  # readings that count: a second
STEADY = 4  # of them are at least as bad as what is reported: one alone is the machine's, not the load's
SLOW_S = 0.1  # without a reading, after which the loop's thread is looked at
SAY_EVERY_S = 1.0  # at most one line
NAMES_MAX = 64
FRAMES_MAX = 40  # of a stack that are looked through

Report = Callable[[int, int], None]
"""Told by how much the timer was late, and by how much it was for a fifth of the last second at least; in ns."""


class LagSampler:
    """Of the running loop, from `start` to `stop`. `slow` has who held it up, and how often."""

    def __init__(self, *reports: Report, slow_s: float = SLOW_S) -> None:
        self.slow: Counter[str] = Counter()
        self.steady_ns = 0
        self._reports = reports
        self._slow_s = slow_s
        self._last: deque[int] = deque(maxlen=WINDOW)
        self._handle: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due_s = 0.0
        self._beat_s = 0.0  # when the timer came last, on the clock of `time.monotonic`
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._thread_id = 0

    def start(self) -> None:
        """Within the loop."""
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._beat_s = time.monotonic()
        self._over.clear()
        self._wait()
        self._thread = threading.Thread(target=self._watch, name="rspp-lag", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._over.set()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def _wait(self) -> None:
        assert self._loop is not None
        self._due_s = self._loop.time() + INTERVAL_S
        self._handle = self._loop.call_at(self._due_s, self._beat)

    def _beat(self) -> None:
        assert self._loop is not None
        late_ns = max(int((self._loop.time() - self._due_s) * 1e9), 0)
        self._beat_s = time.monotonic()
        self._last.append(late_ns)
        self.steady_ns = heapq.nlargest(STEADY, self._last)[-1] if len(self._last) >= STEADY else 0
        for report in self._reports:
            report(late_ns, self.steady_ns)
        self._wait()

    # ---- in a thread of its own

    def _watch(self) -> None:
        said_s = seen_s = 0.0
        while not self._over.wait(self._slow_s / 2):
            beat_s = self._beat_s
            silent_s = time.monotonic() - beat_s
            if silent_s < INTERVAL_S + self._slow_s or beat_s == seen_s:
                continue
            seen_s = beat_s  # once for each time that it is held up
            name = culprit(sys._current_frames().get(self._thread_id))
            if name in self.slow or len(self.slow) < NAMES_MAX:
                self.slow[name] += 1
            if time.monotonic() - said_s >= SAY_EVERY_S:
                said_s = time.monotonic()
                log.warning("the event loop is held up by %s, for %d ms so far", name, silent_s * 1_000)


def culprit(frame: FrameType | None) -> str:
    """Who is at work in that stack: the innermost function that is not of the standard library, else of any."""
    innermost = ""
    for _ in range(FRAMES_MAX):
        if frame is None:
            break
        module = frame.f_globals.get("__name__", "?")
        name = f"{module}.{frame.f_code.co_qualname}:{frame.f_lineno}"
        innermost = innermost or name
        if str(module).partition(".")[0] not in sys.stdlib_module_names:
            return name
        frame = frame.f_back
    return innermost or "something outside of Python"
