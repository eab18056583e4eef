"""The pump, for whoever has a seat at it (`stepper`)."""


cdef class Seat:
    cdef object step          # what is called; None once it has left
    cdef bint queued          # for the next round
    cdef double due_s         # when it is to be stepped, unless it is before
    cdef double armed_s       # … and what the heap has for it: the same, or a moment before
    cdef long long asked      # its number among those who asked
    cdef Py_ssize_t place     # in the heap; -1: not there


cdef class Heap:
    cdef readonly list seats
    cdef long long asked

    cdef Seat first(self)
    cdef put(self, Seat seat, double armed_s)
    cdef take(self, Seat seat)
    cdef settle(self, Seat seat)
    cdef swap(self, Seat one, Seat other)


cdef class Pump:
    cdef object loop
    cdef object loop_time
    cdef Py_ssize_t seats
    cdef list waiting         # seats, in the order of asking
    cdef bint rounds          # the loop was asked for a round
    cdef readonly Heap heap   # of seats that wait for a moment
    cdef object timer
    cdef double timer_s

    cpdef leave(self, Seat seat)
    cpdef ready(self, Seat seat)
    cpdef at(self, Seat seat, long long pause_ns)
    cdef bint expects(self, Seat seat) noexcept
    cdef arm(self, double due_s)
