"""The pump, for whoever has a seat at it (`stepper`)."""


cdef class Seat:
    cdef object step          # what is called; None once it has left
    cdef bint queued          # for the next round
    cdef double due_s         # when it is to be stepped, unless it is before
    cdef double armed_s       # the earliest entry that the heap has for it


cdef class Pump:
    cdef object loop
    cdef object loop_time
    cdef Py_ssize_t seats
    cdef object waiting       # a deque of seats
    cdef bint rounds          # the loop was asked for a round
    cdef readonly list heap   # of (moment, who asked first, seat)
    cdef long long count
    cdef object timer
    cdef double timer_s

    cpdef leave(self, Seat seat)
    cpdef ready(self, Seat seat)
    cpdef at(self, Seat seat, long long pause_ns)
    cdef put(self, Seat seat)
    cdef arm(self, double due_s)
