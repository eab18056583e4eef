"""Real time, compiled: a frame reads it ten times on its way."""

from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec


cdef inline int64_t monotonic_ns() noexcept:
    cdef timespec at
    clock_gettime(CLOCK_MONOTONIC, &at)
    return at.tv_sec * <int64_t> 1_000_000_000 + at.tv_nsec


cdef class MonotonicClock:
    """Real time, from the moment the clock was made (`start_ns` of `time.monotonic_ns`)."""

    def __init__(self):
        self.start_ns = monotonic_ns()

    def now_ns(self):
        """Session time."""
        return self.read()

    cdef int64_t read(self) noexcept:
        return monotonic_ns() - self.start_ns


cdef class Watch:
    """Reads any clock: this one without a call."""

    def __init__(self, clock):
        self.monotonic = clock if type(clock) is MonotonicClock else None
        self.now_ns = clock.now_ns

    cdef int64_t read(self) except? -1:
        return self.now_ns() if self.monotonic is None else self.monotonic.read()
