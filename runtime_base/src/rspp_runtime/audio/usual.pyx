"""What is usual of a client's audio, compiled: the next packet, in time, in the session's own format.

Nothing is done with it then but to say when its media time is. What else there is to know of a packet (`track`,
`drift`, `stats`) is told of many at once, before the next one that is not usual: `Usual.brought`.
"""

from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from libc.stdint cimport int64_t

from rspp_runtime.audio.format import NATIVE
from rspp_runtime.audio.framer import FRAME_NS as _FRAME_NS
from rspp_runtime.audio.framer import SAMPLE_NS as _SAMPLE_NS
from rspp_runtime.audio.track import PAUSE_NS as _PAUSE_NS
from rspp_runtime.session.gateway import FRAME_BYTES_MAX

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1

cdef enum:
    FRAME_BYTES = 640
    FRAME_SAMPLES = 320
    NOT_USUAL = -1
    NO_INDEX = -1
    NO_NUMBER = -2         # neither a number nor None

cdef int64_t SAMPLE_NS = _SAMPLE_NS, FRAME_NS = _FRAME_NS, PAUSE_NS = _PAUSE_NS
cdef int64_t NO_LAG_NS = <int64_t> 1 << 62

if FRAME_BYTES_MAX != FRAME_BYTES or NATIVE.packet_bytes != FRAME_BYTES:
    raise ImportError("rspp_runtime.session.gateway and the audio edge disagree: rebuild rspp-runtime")


cdef inline int64_t number(object value) except? NO_NUMBER:
    cdef int over = 0
    cdef int64_t found
    if not PyLong_CheckExact(value):
        return NO_NUMBER
    found = PyLong_AsLongLongAndOverflow(value, &over)
    return NO_NUMBER if over or found < 0 else found


cdef class Usual:
    """What the profile of ordered transports does by itself; `Ordered` does the rest.

    `next` is the number that comes next (-1: nothing came), `index` its `sample_index` (-1: the client gives none),
    `last_ns` when the last packet came. From `begin` on what is usual passes as it is; at `until_ns` `_goes_on` says
    whether it may any longer.
    """

    def __init__(self, int64_t ahead_ns):
        """`ahead_ns`: media time may be ahead of ours by so much."""
        self.next = self.index = -1
        self.last_ns = self.until_ns = 0
        self._ahead_ns = ahead_ns
        self._end_ns = self._sample = self._passed = 0
        self._lowest_ns = NO_LAG_NS

    def push(self, packet, sequence, sample_index, int64_t now_ns):
        """See `Uplink.push`."""
        cdef int64_t count, index, media_ns
        if self.until_ns and PyBytes_CheckExact(packet):
            count = number(sequence)
            index = NO_INDEX if sample_index is None else number(sample_index)
            if count >= 0 and index != NO_NUMBER:
                media_ns = self.take(packet, count, index, now_ns)
                if media_ns != NOT_USUAL:
                    return [(media_ns, packet)]
        return self.look_at(packet, sequence, sample_index, now_ns)

    cdef int64_t take(self, bytes packet, int64_t sequence, int64_t index, int64_t now_ns) except? -2:
        """The media time of a packet that is usual; -1, and nothing has happened, of any other."""
        cdef int64_t lag_ns, sample
        if (
            sequence != self.next
            or self.until_ns == 0
            or PyBytes_GET_SIZE(packet) != FRAME_BYTES
            or now_ns - self.last_ns >= PAUSE_NS
            or (index != NO_INDEX and index != self.index)
        ):
            return NOT_USUAL
        if now_ns >= self.until_ns and not self._goes_on(now_ns):
            return NOT_USUAL
        lag_ns = now_ns - self._end_ns - FRAME_NS
        if lag_ns < -self._ahead_ns:
            return NOT_USUAL
        if lag_ns < self._lowest_ns:
            self._lowest_ns = lag_ns
        self._end_ns += FRAME_NS
        sample = self._sample
        self._sample = sample + FRAME_SAMPLES
        self.next = sequence + 1
        if index != NO_INDEX:
            self.index = index + FRAME_SAMPLES
        self.last_ns = now_ns
        self._passed += 1
        self._before, self._last = self._last, packet
        return sample * SAMPLE_NS

    def begin(self, int64_t end_ns, int64_t sample, int64_t until_ns):
        """From here on. `end_ns` is, on our clock, the end of what was played; `sample` the number of the next one."""
        self._end_ns, self._sample, self.until_ns = end_ns, sample, until_ns
        self._lowest_ns = NO_LAG_NS

    def brought(self):
        """(how many, the lag of the one that came soonest, the last two) of those that were usual, since last asked."""
        cdef list last = [packet for packet in (self._before, self._last) if packet is not None]
        found = self._passed, self._lowest_ns, last
        self._passed, self._lowest_ns = 0, NO_LAG_NS
        self._before = self._last = None
        return found


cdef class Through:
    """What a downlink lets through as it is: whole frames, for a client that takes what the session has.

    `is_native`: this one does; `is_empty`: nothing waits for more.
    """

    cdef bint passes(self, bytes pcm) noexcept:
        return self.is_native and self.is_empty and PyBytes_GET_SIZE(pcm) == FRAME_BYTES
