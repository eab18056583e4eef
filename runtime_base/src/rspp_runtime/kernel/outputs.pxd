"""Outputs in three lanes: control before data before telemetry. `drain` takes them all, data through the fence.

A decision takes the next runtime sequence. A request to the driver takes none: its `seq` is the last one. What carries
an item has the item's.
"""

from libc.stdint cimport int16_t, int64_t, uint32_t, uint8_t

from rspp_runtime.kernel.codes cimport OP_DECISION, TURN_ACTIVE, TURN_TERMINAL
from rspp_runtime.kernel.items cimport hold
from rspp_runtime.kernel.state cimport NOTHING, Core, Edge, Header, Lane, Output, bit

cdef enum:
    OP_VOID = 0              # a data output that was taken back; `drain` passes over it

cdef enum:  # what is told of an edge while the telemetry outputs fill up
    TELLS_ALL, TELLS_HALF, TELLS_NOTHING


cdef inline int64_t next_seq(Core* core) noexcept nogil:
    """The next runtime sequence."""
    core.seq += 1
    return core.seq


cdef inline int64_t active_turn(Core* core) noexcept nogil:
    """Serial of the turn that is active, 0 if none is. A turn that is just ending still signs its decisions."""
    if core.turn.state == TURN_ACTIVE or core.turn.state == TURN_TERMINAL:
        return core.turn.serial
    return 0


cdef inline uint32_t control_slots(Core* core) noexcept nogil:
    return core.control.max - core.control.count


cdef inline bint control_is_short(Core* core) noexcept nogil:
    """A step that may emit as much as the largest one cannot run."""
    return control_slots(core) < core.control_step_max


cdef inline uint32_t data_slots(Core* core) noexcept nogil:
    return core.data.max - core.data.count


cdef inline Output* blank(Core* core, Output* output, int op) noexcept nogil:
    output.op = <uint8_t> op
    output.t_ns = core.now_ns
    output.seq = core.seq
    output.node = -1
    output.port = 0
    output.turn = 0
    output.invocation = 0
    output.code = 0
    output.cause = 0
    output.x = 0
    output.y = 0
    output.item = NOTHING
    return output


cdef inline Output* control(Core* core, int op, int node) noexcept nogil:
    """The next control output. Steps reserve their slots, so there is one; else `fault`, and it is thrown away."""
    cdef Output* output
    if core.control.count < core.control.max:
        output = blank(core, &core.control.slots[core.control.count], op)
        core.control.count += 1
    else:
        core.fault = 1
        output = blank(core, &core.spill, op)
    output.node = <int16_t> node
    return output


cdef inline Output* data(Core* core, int op, int node) noexcept nogil:
    """The next data output; the caller has seen to it that there is one."""
    cdef Output* output = blank(core, &core.data.slots[core.data.count], op)
    core.data.count += 1
    output.node = <int16_t> node
    return output


cdef inline void carry(Core* core, Output* output, uint32_t handle) noexcept nogil:
    """The output names an item, and holds it until it is drained."""
    cdef Header* item = &core.headers[handle]
    hold(core, handle)
    output.item = handle
    output.seq = item.seq


cdef inline Output* decide(Core* core, int signal, int cause, int node, int64_t x, int64_t y) noexcept nogil:
    """A decision: it takes a runtime sequence, and the turn that is active signs it."""
    return decide_of(core, signal, cause, node, 0, 0, x, y)


cdef inline Output* decide_of(
    Core* core, int signal, int cause, int node, int64_t port, int64_t invocation, int64_t x, int64_t y,
) noexcept nogil:
    """A decision about an invocation, and one of its ports or providers."""
    cdef Output* output = control(core, OP_DECISION, node)
    output.seq = next_seq(core)
    output.code = <int16_t> signal
    output.cause = <uint8_t> cause
    output.turn = active_turn(core)
    output.port = <int16_t> port
    output.invocation = invocation
    output.x = x
    output.y = y
    if (core.watched & bit(signal)) != 0:
        core.notice(core, output)
    return output


cdef inline bint tells(Core* core, Edge* edge) noexcept nogil:
    """Whether telemetry of this edge is wanted now: under pressure some edges tell less."""
    if edge.telemetry == TELLS_ALL or 2 * core.telemetry.count < core.telemetry.max:
        return True
    edge.skipped = edge.telemetry == TELLS_HALF and not edge.skipped
    return edge.telemetry == TELLS_HALF and not edge.skipped


cdef inline void tap(Core* core, int op, int node, int port, uint32_t handle, int64_t turn) noexcept nogil:
    """An item for whoever watches the node; nobody waits for them, so it is dropped when the lane is full."""
    cdef Output* output
    if core.telemetry.count == core.telemetry.max:
        return
    output = blank(core, &core.telemetry.slots[core.telemetry.count], op)
    core.telemetry.count += 1
    output.node = <int16_t> node
    output.port = <int16_t> port
    output.turn = turn
    output.x = core.headers[handle].media_ns
    output.y = core.headers[handle].flags
    carry(core, output, handle)


cdef void metric(Core* core, int edge) noexcept nogil
cdef void take_back(Core* core, int64_t invocation) noexcept nogil
cdef void discard(Core* core) noexcept nogil
cdef list drain(Core* core)
