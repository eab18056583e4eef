"""The messages of rspp/1 that come and go fifty times a second, straight from and to MessagePack.

`rspp.wire` says what they are; a test holds what is read and written here equal to what it reads and writes. What is
not exactly the usual message is not read here: who asks turns to `rspp.wire` then.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcmp, memcpy

from rspp_runtime.abi.msgpack cimport WRITTEN_MAX, put_big, put_count

import msgpack

from rspp import wire

cdef enum:
    KEYS_MIN = 3           # type, seq, payload
    KEYS_MAX = 4           # and sample_index
    HAS_TYPE = 1
    HAS_SEQUENCE = 2
    HAS_PAYLOAD = 4
    HAS_INDEX = 8
    HEAD = 16              # `HEADING`
    INTEGER = WRITTEN_MAX  # bytes
    LENGTH = WRITTEN_MAX

cdef int64_t INTEGER_MAX = wire.INTEGER_MAX
cdef bytes HEADING = b"\x85\xa4type\xa5audio\xa3seq"
cdef bytes PAYLOAD = b"\xa7payload"


# ---- read: each returns the place behind what it has read, or NULL if that is not usual

cdef inline const unsigned char* big(const unsigned char* at, Py_ssize_t left, int size, int64_t* value) noexcept:
    cdef uint64_t found = 0
    cdef int byte
    if left < size:
        return NULL
    for byte in range(size):
        found = found << 8 | at[byte]
    if found > <uint64_t> INTEGER_MAX:
        return NULL
    value[0] = <int64_t> found
    return at + size


cdef inline const unsigned char* integer(const unsigned char* at, const unsigned char* end, int64_t* value) noexcept:
    cdef int code
    if at >= end:
        return NULL
    code = at[0]
    if code < 0x80:
        value[0] = code
        return at + 1
    if 0xcc <= code <= 0xcf:
        return big(at + 1, end - at - 1, 1 << (code - 0xcc), value)
    return NULL


cdef inline const unsigned char* binary(const unsigned char* at, const unsigned char* end, Packet* packet) noexcept:
    cdef int64_t size = 0
    if at >= end or not 0xc4 <= at[0] <= 0xc6:
        return NULL
    at = big(at + 1, end - at - 1, 1 << (at[0] - 0xc4), &size)
    if at == NULL or size > end - at:
        return NULL
    packet.payload, packet.size = at, size
    return at + size


cdef inline bint follows(const unsigned char* at, const unsigned char* end, const char* what, int size) noexcept:
    return end - at >= size and memcmp(at, what, size) == 0


cdef bint unpack(bytes message, Packet* packet) noexcept:
    """Whether it is the usual message: `audio` with what it must and may have, each once, and nothing else."""
    cdef const unsigned char* at = <const unsigned char*> PyBytes_AS_STRING(message)
    cdef const unsigned char* end = at + PyBytes_GET_SIZE(message)
    cdef int keys, seen = 0, key
    if at >= end or not 0x80 | KEYS_MIN <= at[0] <= 0x80 | KEYS_MAX:
        return False
    keys = at[0] & 0xf
    at += 1
    packet.index = -1
    for _ in range(keys):
        if follows(at, end, b"\xa4type\xa5audio", 11):
            key, at = HAS_TYPE, at + 11
        elif follows(at, end, b"\xa3seq", 4):
            key, at = HAS_SEQUENCE, integer(at + 4, end, &packet.sequence)
        elif follows(at, end, b"\xa7payload", 8):
            key, at = HAS_PAYLOAD, binary(at + 8, end, packet)
        elif follows(at, end, b"\xacsample_index", 13):
            key, at = HAS_INDEX, integer(at + 13, end, &packet.index)
        else:
            return False
        if at == NULL or seen & key:
            return False
        seen |= key
    return at == end and seen & 7 == 7


def read(bytes message):
    """(sequence, sample_index or None, payload) of the usual message; None of any other."""
    cdef Packet packet
    if not unpack(message, &packet):
        return None
    payload = PyBytes_FromStringAndSize(<const char*> packet.payload, packet.size)
    return packet.sequence, None if packet.index < 0 else packet.index, payload


# ---- written: each returns the place behind what it has written

cdef inline unsigned char* put_length(unsigned char* at, uint64_t size) noexcept:
    if size <= 0xff:
        return put_big(at, 0xc4, size, 1)
    if size <= 0xffff:
        return put_big(at, 0xc5, size, 2)
    return put_big(at, 0xc6, size, 4)


cdef inline unsigned char* put(unsigned char* at, bytes what) noexcept:
    memcpy(at, PyBytes_AS_STRING(what), PyBytes_GET_SIZE(what))
    return at + PyBytes_GET_SIZE(what)


cdef class Writer:
    """Of one session: turns are named after it, `prefix` before their number."""

    def __init__(self, str prefix):
        self._prefix = prefix
        self._turn = -1

    cpdef bytes audio(self, int64_t sequence, int64_t turn, int64_t pts_ms, bytes packet):
        """A message with a packet. No number is below zero."""
        cdef unsigned char[HEAD + 2 * INTEGER] head
        cdef unsigned char[INTEGER + 8 + LENGTH] tail
        cdef unsigned char* at
        cdef Py_ssize_t head_size, tail_size
        if turn != self._turn:
            named = msgpack.packb(self._prefix + str(turn))
            self._of_turn = b"\xa7turn_id" + named + b"\xa6pts_ms"
            self._turn = turn
        head_size = put_count(put(head, HEADING), sequence) - head
        tail_size = put_length(put(put_count(tail, pts_ms), PAYLOAD), PyBytes_GET_SIZE(packet)) - tail
        message = PyBytes_FromStringAndSize(
            NULL, head_size + PyBytes_GET_SIZE(self._of_turn) + tail_size + PyBytes_GET_SIZE(packet)
        )
        at = <unsigned char*> PyBytes_AS_STRING(message)
        memcpy(at, head, head_size)
        at = put(at + head_size, self._of_turn)
        memcpy(at, tail, tail_size)
        put(at + tail_size, packet)
        return message
