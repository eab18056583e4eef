"""What only pipelines have that pause playback, or with nodes that are cancelled softly."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef struct Pause:
    # Of a pipeline that pauses playback (`pauses.pyx`).
    uint32_t* frames         # the items that the ledger's entries are of, each in its entry's place
    uint64_t audio_edges     # those that lead to the ear
    int64_t max_ns           # after which a pause was an interruption
    int32_t timer            # its slot
    int32_t port             # of egress, where audio goes
    uint32_t unsent          # of the ledger's last entries: the transport was told to forget them
    uint8_t on
    uint8_t cause            # why it was paused
    uint8_t unused[2]        # makes the size a multiple of 8


cdef struct Stopping:
    # Of a pipeline with nodes that end their segment when they are cancelled (`stopping.pyx`).
    uint64_t nodes           # those
    uint64_t edges           # by which what they then still say goes on
    uint64_t audio_edges
    uint64_t at              # nodes whose next output is their last
    uint64_t over            # … and was taken
    uint64_t by_node         # … that are cancelled on their own
    int64_t max_ns           # the longest segment
    int64_t words_until      # the word in which the turn was cancelled
    int32_t timer            # its slot
    int32_t port             # of egress, where audio goes
    uint8_t causes[64]       # of cancels of nodes
    uint8_t turn             # a cancel of the turn is pending
    uint8_t unused[7]        # makes the size a multiple of 8
