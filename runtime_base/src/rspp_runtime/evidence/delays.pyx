"""What `clocks` wants of every frame, compiled: by how much its media time is behind, at least, in a window of a second.

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
    """Of a session's audio: `streams` has a `Delay` for each port of the ingress, or None. At `next_ns` something else
    is to be looked at. What it needs of the clocks: `_look(now_ns)` and `_observe(port, its_ns, now_ns)`."""

    def __init__(self, ingress, streams):
        self.ingress, self.streams, self.next_ns = ingress, list(streams), 0

    def on_input(self, event, int64_t now_ns, int result):
        """`Observer.on_input`."""
        cdef Py_ssize_t port
        cdef int64_t its_ns
        cdef Delay stream
        if now_ns >= self.next_ns:
            self._look(now_ns)
        if result != RESULT_ACCEPTED or <object> PyTuple_GET_ITEM(event, 1) != self.ingress:
            return
        port, its_ns = <object> PyTuple_GET_ITEM(event, 2), <object> PyTuple_GET_ITEM(event, 6)
        if 0 <= port < len(self.streams):
            stream = self.streams[port]
            if stream is not None and not stream.within(its_ns, now_ns):
                self._observe(port, its_ns, now_ns)
