"""The hash of a turn's frozen plan.

    SHA-256("rspp.plan.v1\\0" + template_hash + {"authority_epoch":E,"mode":"NAME","turn_id":"SESSION/SERIAL"})

All but the two numbers is known when the session opens.
"""

import json
from hashlib import sha256

from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from rspp_runtime.kernel.circuits cimport first_offered
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
    cdef bytes middle = (<tuple> core.plan_middles)[core.mode]
    cdef bytes chosen
    cdef tuple names
    if core.plan_choices != NULL:
        names = <tuple> core.plan_choices
        chosen = b',"policy":%b,"provider_bindings":{%b},"turn_id":' % (
            names[0][core.policy], b",".join([first_of(core, node, name, places) for node, name, places in names[1]])
        )
        middle = middle.replace(b',"turn_id":', chosen, 1)
    cdef bytes hashed = sha256(b'%b%d%b%d"}' % (prefix, core.epoch, middle, core.turn.serial)).digest()
    memcpy(result, <const unsigned char*> hashed, CONTROL_BYTES)
    return 0


cdef bytes first_of(Core* core, int node, bytes name, tuple places):
    """The provider at which a node is tried first."""
    cdef int end
    return name + b":" + places[first_offered(core, node, &end)]


cdef tuple choices(Core* core, tuple policies, tuple nodes):
    """What the plan may choose: policies by their place, none first; of each node its id, its name, its providers."""
    cdef list rows = []
    for node, name, places in nodes:
        rows.append((node, quoted(name), tuple([quoted(place) for place in places])))
    cdef tuple names = (tuple([quoted(policy) for policy in policies]), tuple(rows))
    core.plan_choices = <void*> names
    return names


cdef tuple prepare(Core* core, str template_hash, tuple modes, str session_id):
    """Lays out the fixed parts. Raises ValueError if the session's id is longer than 64 bytes of UTF-8.

    Returns what comes between the two numbers, for each mode: the session keeps it alive.
    """
    cdef bytes prefix = b"rspp.plan.v1\0" + template_hash.encode("ascii") + b'{"authority_epoch":'
    cdef bytes name = quoted(session_id).removesuffix(b'"')
    cdef tuple middles
    if len(session_id.encode()) > 64:
        raise ValueError("session_id: at most 64 bytes of UTF-8, not " + str(len(session_id.encode())))
    middles = tuple([b',"mode":%b,"turn_id":%b/' % (quoted(mode), name) for mode in modes])
    if <size_t> len(prefix) > sizeof(core.plan_prefix):
        raise ValueError("the names in the plan hash are too long")
    memcpy(core.plan_prefix, <const unsigned char*> prefix, len(prefix))
    core.plan_prefix_bytes = <int> len(prefix)
    core.plan_middles = <void*> middles
    return middles


cdef bytes quoted(str text):
    """As JSON; the quote at the end of a turn's id comes after its number."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return b'"' + text.encode() + b'"'       # most names, and a tenth of the time
    return json.dumps(text, ensure_ascii=False).encode()
