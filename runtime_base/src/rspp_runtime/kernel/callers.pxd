"""Who waits for whom where tools are called (`tools.pyx`); `state.pxd` points to it."""

from libc.stdint cimport int32_t, int64_t, uint8_t


cdef struct Calling:
    # One for each node. Of a tool: who waits for its invocation. Of a model: what it waits for.
    int64_t invocation       # that called; 0 for nobody
    int64_t number           # that the model's side gave the call
    int64_t held_ns          # since when the model's deadlines wait
    int64_t held_first_ns    # its timer `first` then, 0 if that was off
    int64_t held_speak_ns    # its `speak_due_ns` then
    int32_t model            # whose invocation called
    int32_t calls            # of the turn
    int32_t calls_max
    int32_t open             # calls without an answer
    int32_t filled           # of them, those that something is said for
    int32_t pool             # of its answers
    uint8_t tool
    uint8_t soft             # cancelled, it runs to its end
    uint8_t filler           # something is said while it runs
    uint8_t port             # of a model: its input for answers
    int32_t unused           # makes the size a multiple of 8
