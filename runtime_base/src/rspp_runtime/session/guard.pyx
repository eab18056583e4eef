"""A coroutine that is not ours, and ends even if it catches its cancel."""

import contextlib

TIDY_S = 1.0    # for how long it may go on after it was told to end, before it is closed


cdef class Guarded:
    """Awaits `coroutine`.

    Asked to end, it hears of it as any coroutine does, and may tidy up. Once `last` is set, it is told of one more
    cancel, and closed where it waits at the next. So neither its slot, nor its session's end, nor the end of the
    program depends on its good will. `resumed` is set whenever it goes on after a wait; whoever cares sets it back.
    """

    def __init__(self, coroutine):
        self.coroutine = coroutine
        self.resumed = True

    def __await__(self):
        cdef object error = None
        while True:
            try:
                awaited = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
            except StopIteration as done:
                return done.value
            error = None
            try:
                yield awaited
            except BaseException as told:
                if self.told:
                    with contextlib.suppress(BaseException):    # whatever it says to that
                        self.coroutine.close()
                    raise
                self.told = self.last
                error = told
            self.resumed = True
