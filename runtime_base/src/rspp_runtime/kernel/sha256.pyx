"""SHA-256 (FIPS 180-4)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef uint32_t[64] ROUND = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]


cdef inline uint32_t rotate(uint32_t x, int n) noexcept nogil:
    return (x >> n) | (x << (32 - n))


cdef void compress(Sha256* hash, const uint8_t* block) noexcept nogil:
    cdef uint32_t w[64]
    cdef uint32_t a, b, c, d, e, f, g, h, t1, t2
    cdef int i
    for i in range(16):
        w[i] = (
            (<uint32_t> block[4 * i] << 24) | (<uint32_t> block[4 * i + 1] << 16)
            | (<uint32_t> block[4 * i + 2] << 8) | block[4 * i + 3]
        )
    for i in range(16, 64):
        t1 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3)
        t2 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10)
        w[i] = w[i - 16] + t1 + w[i - 7] + t2
    a, b, c, d = hash.state[0], hash.state[1], hash.state[2], hash.state[3]
    e, f, g, h = hash.state[4], hash.state[5], hash.state[6], hash.state[7]
    for i in range(64):
        t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]
        t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        h = g
        g = f
        f = e
        e = d + t1
        d = c
        c = b
        b = a
        a = t1 + t2
    hash.state[0] += a
    hash.state[1] += b
    hash.state[2] += c
    hash.state[3] += d
    hash.state[4] += e
    hash.state[5] += f
    hash.state[6] += g
    hash.state[7] += h


cdef void start(Sha256* hash) noexcept nogil:
    hash.state[0] = 0x6a09e667
    hash.state[1] = 0xbb67ae85
    hash.state[2] = 0x3c6ef372
    hash.state[3] = 0xa54ff53a
    hash.state[4] = 0x510e527f
    hash.state[5] = 0x9b05688c
    hash.state[6] = 0x1f83d9ab
    hash.state[7] = 0x5be0cd19
    hash.bytes = 0


cdef void update(Sha256* hash, const uint8_t* text, uint64_t size) noexcept nogil:
    cdef uint64_t held = hash.bytes % 64
    cdef uint64_t taken
    hash.bytes += size
    while size > 0:
        taken = 64 - held if 64 - held < size else size
        memcpy(hash.block + held, text, taken)
        text += taken
        size -= taken
        held += taken
        if held == 64:
            compress(hash, hash.block)
            held = 0


cdef void finish(Sha256* hash, uint8_t* digest) noexcept nogil:
    """Writes the 32 bytes of the digest."""
    cdef uint64_t bits = hash.bytes * 8
    cdef uint64_t held = hash.bytes % 64
    cdef int i
    hash.block[held] = 0x80
    held += 1
    if held > 56:
        memset(hash.block + held, 0, 64 - held)
        compress(hash, hash.block)
        held = 0
    memset(hash.block + held, 0, 56 - held)
    for i in range(8):
        hash.block[56 + i] = <uint8_t> (bits >> (56 - 8 * i))
    compress(hash, hash.block)
    for i in range(32):
        digest[i] = <uint8_t> (hash.state[i // 4] >> (24 - 8 * (i % 4)))


def digest(bytes text not None) -> bytes:
    """The digest of `text`: for the test that compares this with the interpreter's."""
    cdef Sha256 hash
    cdef uint8_t[32] result
    start(&hash)
    update(&hash, text, len(text))
    finish(&hash, result)
    return result[:32]
