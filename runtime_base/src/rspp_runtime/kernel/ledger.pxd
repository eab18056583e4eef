"""The playout ledger: when the next sample plays, which words each frame completes, and what is known of it."""

from libc.stdint cimport int32_t, int64_t, uint32_t


cdef struct Played:
    # One entry: by `end_ns` this much of the turn's text has been heard.
    int64_t end_ns
    int64_t words
    int64_t bytes


cdef struct Ledger:
    Played* entries
    uint32_t head
    uint32_t tail
    uint32_t mask
    uint32_t max
    int64_t cursor_ns        # when the next sample plays
    int64_t heard_words
    int64_t heard_bytes
    int64_t began_ns         # when the turn's first frame plays
    int64_t reported_ns      # up to where the party has played it; -1: it has not said yet
    int64_t reported_at_ns   # when it said so
    int64_t interval_ns      # between two of its reports
    int64_t stall_ns         # it has so long to report what is due
    int32_t basis            # what the party tells of playback
    int32_t unused           # makes the size a multiple of 8
