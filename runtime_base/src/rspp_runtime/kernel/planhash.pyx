"""The hash of a turn's frozen plan.

    SHA-256("rspp.plan.v1\\0" + template_hash + {"authority_epoch":E,"mode":"NAME","turn_id":"SESSION/SERIAL"})

All but the two numbers is known when the session opens.
"""

import json
from hashlib import sha256

from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from rspp_runtime.kernel.state cimport CONTROL_BYTES, Core


cdef uint32_t freeze(Core* core) noexcept nogil:
    """Hashes the plan of the turn that opens; returns which of the session's hashes it is."""
    cdef uint32_t index = core.turn.hash
    if index >= core.hashes_max:
        core.fault = 1       # more turns between two drains than control outputs allow
        index = 0
    core.turn.hash = index + 1
    with gil:
        digest(core, core.hashes + CONTROL_BYTES * index)
    return index


cdef int digest(Core* core, unsigned char* result) except -1:
    """The 32 bytes."""
    cdef bytes prefix = core.plan_prefix[:core.plan_prefix_bytes]
    cdef bytes middle = core.plan_middle[:core.plan_middle_bytes]
    cdef bytes hashed = sha256(b'%b%d%b%d"}' % (prefix, core.epoch, middle, core.turn.serial)).digest()
    memcpy(result, <const unsigned char*> hashed, CONTROL_BYTES)
    return 0


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
