"""What an edge of a sync domain remembers."""

from libc.stdint cimport int64_t, uint64_t, uint8_t


cdef struct Sync:
    # What an edge of a sync domain knows of the others (`sync.pyx`).
    int64_t fallen           # key of the group that was lost last, if more of it may come; else `NO_KEY`
    int64_t gone             # key of the group that went on last; else `NO_KEY`
    int64_t first            # of what it has just lost with others: sequences, 0 for none
    int64_t last
    uint64_t peers           # edges that share what it loses, itself included
    uint8_t atomic           # they fall together; else the gap is marked
    uint8_t by_media         # the key of an item is its media time; else its sequence
    uint8_t gap              # something is missing before the next item
    uint8_t unused[5]        # makes the size a multiple of 8
