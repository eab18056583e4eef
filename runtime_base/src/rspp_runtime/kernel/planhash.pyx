"""The hash of a turn's frozen plan.

    SHA-256("rspp.plan.v1\\0" + template_hash + {"authority_epoch":E,"mode":"NAME","turn_id":"SESSION/SERIAL"})

All but the two numbers is known when the session opens.
"""

import json

from libc.stdint cimport uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy

from rspp_runtime.kernel cimport sha256
from rspp_runtime.kernel.state cimport CONTROL_BYTES, Core


cdef uint32_t freeze(Core* core) noexcept nogil:
    """Hashes the plan of the turn that opens; returns which of the session's hashes it is."""
    cdef sha256.Sha256 hash
    cdef char number[24]
    cdef int size
    cdef uint32_t index = core.turn.hash
    if index >= core.hashes_max:
        core.fault = 1       # more turns between two drains than control outputs allow
        index = 0
    core.turn.hash = index + 1
    sha256.start(&hash)
    sha256.update(&hash, core.plan_prefix, core.plan_prefix_bytes)
    size = snprintf(number, sizeof(number), "%lld", <long long> core.epoch)
    sha256.update(&hash, <const uint8_t*> number, size)
    sha256.update(&hash, core.plan_middle, core.plan_middle_bytes)
    size = snprintf(number, sizeof(number), "%lld", <long long> core.turn.serial)
    sha256.update(&hash, <const uint8_t*> number, size)
    sha256.update(&hash, <const uint8_t*> b'"}', 2)
    sha256.finish(&hash, core.hashes + CONTROL_BYTES * index)
    return index


cdef int prepare(Core* core, str template_hash, str mode, str session_id) except -1:
    """Lays out the fixed parts. Raises ValueError if the session's id is longer than 64 bytes of UTF-8."""
    cdef bytes prefix = b"rspp.plan.v1\0" + template_hash.encode("ascii") + b'{"authority_epoch":'
    cdef bytes middle
    if len(session_id.encode()) > 64:
        raise ValueError("session_id: at most 64 bytes of UTF-8, not " + str(len(session_id.encode())))
    middle = b',"mode":%b,"turn_id":%b' % (
        json.dumps(mode, ensure_ascii=False).encode(),
        json.dumps(session_id, ensure_ascii=False).encode(),
    )
    middle = middle[:len(middle) - 1] + b"/"     # the quote comes after the number
    if <size_t> len(prefix) > sizeof(core.plan_prefix) or <size_t> len(middle) > sizeof(core.plan_middle):
        raise ValueError("the names in the plan hash are too long")
    memcpy(core.plan_prefix, <const unsigned char*> prefix, len(prefix))
    memcpy(core.plan_middle, <const unsigned char*> middle, len(middle))
    core.plan_prefix_bytes = <int> len(prefix)
    core.plan_middle_bytes = <int> len(middle)
    return 0
