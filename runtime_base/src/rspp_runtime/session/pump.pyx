"""The pump of an event loop: the one place that steps its sessions, and the one timer that waits for all of them.

    seat = Pump.enter(loop, step)   a session is here: `step()` does all that it can do now
    ready(seat)                     it has something to do: stepped in the next round, in the order of asking
    at(seat, pause_ns)              it has nothing to do before that: one heap for all, one timer of the loop
    leave(seat)                     it is gone

A session is stepped once a round, however many inputs came for it meanwhile: they are one step. A round steps at most
`ROUND_MAX` sessions, so that sockets and other tasks have their turn between rounds, and who was not stepped goes first
in the next. No task, no event and no timer of the loop belongs to a session (decision 0042).
"""

import heapq
from collections import deque

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


cdef class Pump:
    """One for each event loop that runs sessions. Belongs to the loop's thread."""

    def __init__(self, loop):
        self.loop, self.loop_time = loop, loop.time
        self.waiting = deque()
        self.heap = []
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

        What the heap has for an earlier moment stays there: when that comes, the seat is put where it belongs then.
        """
        if pause_ns < 0:
            seat.due_s = NEVER
            return
        seat.due_s = <double> self.loop_time() + pause_ns / SECOND_NS
        if seat.due_s < seat.armed_s:
            self.put(seat)
            if seat.due_s < self.timer_s:
                self.arm(seat.due_s)

    cdef put(self, Seat seat):
        seat.armed_s = seat.due_s
        self.count += 1
        heapq.heappush(self.heap, (seat.due_s, self.count, seat))

    cdef arm(self, double due_s):
        if self.timer is not None:
            self.timer.cancel()
        self.timer_s = due_s
        self.timer = self.loop.call_at(due_s, self.due)

    def due(self):
        """Deadlines have passed: whose they are is stepped in the next round."""
        cdef double now_s = <double> self.loop_time() + RESOLUTION_S, armed_s
        cdef bint is_early = True
        cdef list heap = self.heap
        cdef Seat seat
        self.timer, self.timer_s = None, NEVER
        while heap and <double> heap[0][0] < now_s:
            armed_s, _, seat = heapq.heappop(heap)
            is_early = False
            if armed_s != seat.armed_s:
                continue    # it has an earlier entry, or had one that came up
            seat.armed_s = NEVER
            if seat.due_s < now_s:
                seat.due_s = NEVER
                self.ready(seat)
            elif seat.due_s < NEVER:
                self.put(seat)
        if heap:    # who rang too soon, and asked for the little that is left, would ring at once, again and again
            armed_s = heap[0][0]
            self.arm(max(armed_s, now_s + <double> TICK_S) if is_early else armed_s)

    def round(self):
        """Who is ready is stepped."""
        cdef Seat seat
        for _ in range(min(len(self.waiting), ROUND_MAX)):
            seat = self.waiting.popleft()
            seat.queued = False
            if seat.step is not None:
                seat.step()
        if self.waiting:
            self.loop.call_soon(self.round)
        else:
            self.rounds = False
