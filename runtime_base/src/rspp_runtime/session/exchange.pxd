"""What passes between a provider's call and the kernel."""

from libc.stdint cimport int64_t

from rspp_runtime.session.guard cimport Guarded
from rspp_runtime.session.stepper cimport Stepper


cdef class Exchange:
    cdef readonly object id, node_id, row, door
    cdef Stepper stepper            # the door, where it is one
    cdef object held_epoch          # of a call for one turn
    cdef readonly object items      # that were fed and not yet taken: (runtime sequence, `Input`)
    cdef public object seq          # of the item that was taken last
    cdef public bint cancelled, finished
    cdef object new_future
    cdef list news                  # who waits for an item, the end of input, or a cancel
    cdef readonly object resumed    # an asyncio.Event: the kernel has room again
    cdef bint has_room              # … it is set
    cdef public Guarded guard
    cdef public object usage        # measures what is used, where that is capped or priced
    cdef public object owed         # outputs that wait
    cdef public int64_t first_ns
    cdef bint owes_each
    cdef int64_t lot, untold        # items that the kernel is told of at once; that were taken since it was
    cdef tuple input_names, answers, output_names, output_kinds
    cdef bint is_voice
    cdef int64_t bytes_per_second   # of what is played
    cdef int64_t said_bytes         # audio of a voice: its media time begins with the invocation
    cdef int64_t burst, burst_ns

    cdef object renew(self)
    cdef object offer(self, event)
    cdef object spoken_under(self)
    cdef object process_epoch(self)
    cdef object credit(self)
    cdef int64_t told(self) noexcept
    cdef object chunk(self, port, bytes payload, media_ns, words, text_end, final, failed)
    cdef int64_t now(self) except? -1
    cdef double pause(self) except? -2


cdef class Inputs:
    cdef Exchange call
    cdef bint owes                  # for the item that was given last
    cdef object slow                # a coroutine that waits until the credit is in
    cdef object item                # that is given then

    cdef object found(self, bint* is_item)
