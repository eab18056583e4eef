"""What guards of reactions may read: an event, and what the user is saying."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef enum:
    ATTRIBUTES = 8           # of a session that conditions may ask for


cdef struct Happened:
    # An event whose reactions run, with what their guards may read; 0 where that is missing, of `provider` -1.
    int64_t seq
    int64_t epoch
    int64_t turn             # serial
    int64_t elapsed_ns
    int64_t heard            # words
    int32_t cause
    int32_t outcome
    int32_t retryable
    int32_t provider         # … or of a turn's budget, the path
    int32_t attempts
    int32_t origin           # of the turn


cdef struct Apologies:
    # What is known of turns that failed (`apologies.pxd`).
    int64_t failures         # in a row
    int64_t due_ns           # before which there is no apology
    int64_t gap_ns           # between two of them


cdef struct Speech:
    # What the user is saying, as far as guards of reactions ask.
    int64_t onset_ns
    int64_t settled          # words of final texts since the onset
    int64_t words            # with those of the last partial text
    int64_t quiet_ns         # since when nobody speaks
    int64_t idles
    int64_t turn             # serial of the one that it interrupts; 0 for none
    uint64_t acted           # reactions that have interrupted it
    int32_t event_end        # of the detector
    int32_t event_idle
    uint8_t speaking
    uint8_t waits            # a reaction to the interruption may wait for more
    uint8_t due              # more has been said: it is asked again
    uint8_t unused           # makes the size a multiple of 8
    uint32_t unused_too
