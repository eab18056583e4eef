"""What `clocks` wants of every frame, compiled: by how much its media time is behind, at least, in each second.

`clocks.Mapping` is a `Delay` and reads each window when it is over; `clocks.Clocks` is told of frames by `Delays`.
"""

from cpython.tuple cimport PyTuple_GET_ITEM

from rspp_runtime.kernel.codes cimport RESULT_ACCEPTED

cdef int64_t _WINDOW_NS = 1_000_000_000
WINDOW_NS = _WINDOW_NS


cdef class Delay:
    """Of one clock. Session time minus its time, in ns: `least_ns` in the present window, `first_ns` in the first.

    `window_ns` is when the present window began (-1: not yet), `since_ns` when the first one was over.
    """

    def __init__(self):
        self.window_ns = self.since_ns = -1

    cpdef bint within(self, int64_t its_ns, int64_t now_ns) noexcept:
        """It shows `its_ns` at session time `now_ns`; whether there is no more to that, as the window goes on."""
        cdef int64_t behind_ns = now_ns - its_ns
        if self.window_ns < 0:
            return False
        if behind_ns < self.least_ns:
            self.least_ns = behind_ns
        if self.since_ns < 0:
            self.first_ns = self.least_ns
        return now_ns - self.window_ns < _WINDOW_NS


cdef class Delays:
    """Of a session's audio, if it has any: `stream`. At `next_ns` something else is to be looked at. What it needs of
    the clocks: `_look(now_ns)` and `_observe(stream, its_ns, now_ns)`."""

    def __init__(self, Delay stream):
        self.stream, self.next_ns = stream, 0

    def on_input(self, event, int64_t now_ns, int result):
        """`Observer.on_input`."""
        cdef int64_t its_ns
        if now_ns >= self.next_ns:
            self._look(now_ns)
        if result == RESULT_ACCEPTED and self.stream is not None:
            its_ns = <object> PyTuple_GET_ITEM(event, 6)
            if not self.stream.within(its_ns, now_ns):
                self._observe(self.stream, its_ns, now_ns)
