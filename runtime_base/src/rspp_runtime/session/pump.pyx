"""The pump of an event loop: the one place that steps its sessions, and the one timer that waits for all of them.

    seat = Pump.enter(loop, step)   a session is here: `step()` does all that it can do now
    ready(seat)                     it has something to do: stepped in the next round, in the order of asking
    at(seat, pause_ns)              it has nothing to do before that: one heap for all, one timer of the loop
    leave(seat)                     it is gone

A session is stepped once a round, however many inputs came for it meanwhile: they are one step. A round steps at most
`ROUND_MAX` sessions, so that sockets and other tasks have their turn between rounds, and who was not stepped goes first
in the next. No task, no event and no timer of the loop belongs to a session (decision 0042).
"""

from cpython.list cimport PyList_GET_ITEM

ROUND_MAX = 64     # sessions stepped before the loop looks at its sockets again
TICK_S = 0.001     # of libuv's timers, which may ring by so much too soon
PUMPS = {}         # of loops that run sessions now

cdef double SECOND_NS = 1e9
cdef double NEVER = float("inf")
cdef double RESOLUTION_S = 1e-9    # as fine as loops tell time: what is due by then is due now


cdef class Seat:
    """What the pump knows of a session. Times are the loop's."""

    def __init__(self, step):
        self.step = step
        self.due_s = self.armed_s = NEVER
        self.place = -1


cdef class Heap:
    """Seats by the moment for which they are armed, each once; at one moment, who asked first comes first."""

    def __init__(self):
        self.seats = []

    cdef Seat first(self):
        return <Seat> PyList_GET_ITEM(self.seats, 0) if self.seats else None

    cdef put(self, Seat seat, double armed_s):
        """It is there, for that moment and no other."""
        self.asked += 1
        seat.armed_s, seat.asked = armed_s, self.asked
        if seat.place < 0:
            seat.place = len(self.seats)
            self.seats.append(seat)
        self.settle(seat)

    cdef take(self, Seat seat):
        """It is not there any more."""
        cdef Seat last = self.seats.pop()
        if last is not seat:
            last.place = seat.place
            self.seats[last.place] = last
            self.settle(last)
        seat.place, seat.armed_s = -1, NEVER

    cdef settle(self, Seat seat):
        """It goes to where it belongs."""
        cdef Seat other
        cdef Py_ssize_t child
        while seat.place > 0:
            other = <Seat> PyList_GET_ITEM(self.seats, (seat.place - 1) // 2)
            if not comes_before(seat, other):
                break
            self.swap(seat, other)
        while True:
            child = 2 * seat.place + 1
            if child >= len(self.seats):
                break
            other = <Seat> PyList_GET_ITEM(self.seats, child)
            if child + 1 < len(self.seats) and comes_before(<Seat> PyList_GET_ITEM(self.seats, child + 1), other):
                other = <Seat> PyList_GET_ITEM(self.seats, child + 1)
            if not comes_before(other, seat):
                break
            self.swap(other, seat)

    cdef swap(self, Seat one, Seat other):
        cdef Py_ssize_t place = one.place
        one.place, other.place = other.place, place
        self.seats[one.place], self.seats[place] = one, other


cdef inline bint comes_before(Seat one, Seat other) noexcept:
    return one.armed_s < other.armed_s or (one.armed_s == other.armed_s and one.asked < other.asked)


cdef class Pump:
    """One for each event loop that runs sessions. Belongs to the loop's thread."""

    def __init__(self, loop):
        self.loop, self.loop_time = loop, loop.time
        self.waiting = []
        self.heap = Heap()
        self.timer_s = NEVER

    @classmethod
    def enter(cls, loop, step):
        """A seat at the pump of that loop. `step` raises nothing: it tells whoever runs the session."""
        cdef Pump pump = PUMPS.get(loop)
        if pump is None:
            pump = PUMPS[loop] = cls(loop)
        pump.seats += 1
        return pump, Seat(step)

    cpdef leave(self, Seat seat):
        """Is not stepped again. The pump goes with its last session."""
        seat.step = None
        seat.due_s = NEVER
        if seat.place >= 0:
            self.heap.take(seat)
        self.seats -= 1
        if not self.seats:
            if self.timer is not None:
                self.timer.cancel()
            PUMPS.pop(self.loop, None)

    cpdef ready(self, Seat seat):
        """It has something to do."""
        if seat.queued:
            return
        seat.queued = True
        self.waiting.append(seat)
        if not self.rounds:
            self.rounds = True
            self.loop.call_soon(self.round)

    cpdef at(self, Seat seat, long long pause_ns):
        """It is to be stepped in `pause_ns`, unless something comes before; never, if that is negative. Replaces what
        it asked for before.

        If it is armed for an earlier moment, it stays so: when that comes, it is put where it belongs then.
        """
        if pause_ns < 0:
            seat.due_s = NEVER
            return
        seat.due_s = <double> self.loop_time() + pause_ns / SECOND_NS
        if seat.due_s < seat.armed_s:
            self.heap.put(seat, seat.due_s)
            if seat.due_s < self.timer_s:
                self.arm(seat.due_s)

    cdef bint expects(self, Seat seat) noexcept:
        """Whether it is to be stepped at some moment."""
        return seat.due_s < NEVER

    cdef arm(self, double due_s):
        if self.timer is not None:
            self.timer.cancel()
        self.timer_s = due_s
        self.timer = self.loop.call_at(due_s, self.due)

    def due(self):
        """Deadlines have passed: whose they are is stepped in the next round."""
        cdef double now_s = <double> self.loop_time() + RESOLUTION_S
        cdef bint is_early = True
        cdef Seat seat = self.heap.first()
        self.timer, self.timer_s = None, NEVER
        while seat is not None and seat.armed_s < now_s:
            is_early = False
            if now_s <= seat.due_s < NEVER:
                self.heap.put(seat, seat.due_s)
            else:
                self.heap.take(seat)
                if seat.due_s < NEVER:
                    seat.due_s = NEVER
                    self.ready(seat)
            seat = self.heap.first()
        if seat is not None:    # who rang too soon, and asked for the little that is left, would ring at once, again
            self.arm(max(seat.armed_s, now_s + <double> TICK_S) if is_early else seat.armed_s)

    def round(self):
        """Who is ready is stepped."""
        cdef Seat seat
        cdef list now = self.waiting
        self.waiting = []
        if len(now) > <Py_ssize_t> ROUND_MAX:
            self.waiting, now = now[ROUND_MAX:], now[:ROUND_MAX]
        for seat in now:
            seat.queued = False
            if seat.step is not None:
                seat.step()
        if self.waiting:
            self.loop.call_soon(self.round)
        else:
            self.rounds = False
