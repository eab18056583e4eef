"""The compiled half of a driver."""

from libc.stdint cimport int64_t

from rspp_runtime.session.audience cimport Audience
from rspp_runtime.session.monotonic cimport Watch
from rspp_runtime.session.pump cimport Pump, Seat


cdef class Course:
    cdef public bint ended


cdef class Called:
    cdef public dict took_ns
    cdef public list touched


cdef class Stamps:
    cdef public object epoch            # the authority epoch that this process holds
    cdef public int64_t sequence        # the last transport sequence that was given
    cdef object ingress, audio_port     # ids: of the node, and of its port

    cdef object framed(self, payload, media_ns)


cdef class Stepper:
    cdef object ingest, advance, drain                  # the session's
    cdef Watch watch                                    # session time
    cdef readonly Audience audience                     # who is told
    cdef Called node_calls
    cdef list perform                                   # by op: what performs it, or None
    cdef list ports                                     # of the egress: (name, whether it takes audio)
    cdef object transport_send
    cdef readonly Stamps gateway
    cdef readonly Course activity
    cdef public object played                           # the audio that was played, once somebody asks for it
    cdef public dict calls                              # by invocation id: running, or forced and not yet gone
    cdef readonly list ended, appended                  # answers that found the inbox full
    cdef readonly object requests                       # of other threads
    cdef readonly object waiting                        # for the end of the next step
    cdef public Pump pump                               # while it runs
    cdef public Seat seat
    cdef int64_t deadline_ns                            # for which the seat was armed last
    cdef public bint awake                              # something was offered since the last step began
    cdef public bint stopped
    cdef public object failure                          # what a step has raised
    cdef readonly bint stepping                         # a step is being made: what comes meanwhile waits for its end

    cdef int64_t now(self) except? -1
    cdef object waken(self)
    cdef object act(self)
    cdef object offered(self, event)
    cdef object taken(self, event)
    cdef int64_t once(self) except? -2
    cdef int send(self, output) except -1
    cdef int feed(self, output) except -1
