"""SHA-256 (FIPS 180-4), for the plan hash: a turn opens without the interpreter."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef struct Sha256:
    uint32_t state[8]
    uint64_t bytes
    uint8_t block[64]


cdef void start(Sha256* hash) noexcept nogil
cdef void update(Sha256* hash, const uint8_t* text, uint64_t size) noexcept nogil
cdef void finish(Sha256* hash, uint8_t* digest) noexcept nogil
