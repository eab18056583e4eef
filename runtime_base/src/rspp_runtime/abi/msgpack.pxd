"""MessagePack, written at a place in memory: each returns the place behind what it has written.

Up to `WRITTEN_MAX` bytes at `at` are written over, however short the number is: that much room has to be there.
"""

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    static inline void rspp_big_endian(unsigned char* at, uint64_t value) {
        at[0] = value >> 56; at[1] = value >> 48; at[2] = value >> 40; at[3] = value >> 32;
        at[4] = value >> 24; at[5] = value >> 16; at[6] = value >> 8; at[7] = value;
    }
    """
    void rspp_big_endian(unsigned char* at, uint64_t value) noexcept nogil

cdef enum:
    WRITTEN_MAX = 9


cdef inline unsigned char* put_big(unsigned char* at, int code, uint64_t value, int size) noexcept:
    """A code, and a number of `size` bytes."""
    at[0] = code
    rspp_big_endian(at + 1, value << (64 - 8 * size))
    return at + 1 + size


cdef inline unsigned char* put_count(unsigned char* at, uint64_t value) noexcept:
    """A number that is not below zero."""
    if value < 0x80:
        at[0] = <unsigned char> value
        return at + 1
    if value < 0x100:
        return put_big(at, 0xcc, value, 1)
    if value < 0x10000:
        return put_big(at, 0xcd, value, 2)
    if value <= 0xffffffffu:
        return put_big(at, 0xce, value, 4)
    return put_big(at, 0xcf, value, 8)
