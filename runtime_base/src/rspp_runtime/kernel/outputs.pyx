"""`drain`, and the one fence that every output for the transport passes."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_SET_ITEM
from libc.stdint cimport int16_t, int64_t, uint32_t

from rspp_runtime.kernel.codes cimport (
    CAUSE_CANCELLED, OP_CONTEXT, OP_DECISION, OP_METRIC, OP_SEND, SIGNAL_LATE_AFTER_CANCEL, SIGNAL_TURN_OPEN,
    TURN_ACTIVE,
)
from rspp_runtime.kernel cimport stopping
from rspp_runtime.kernel.items cimport release
from rspp_runtime.kernel.state cimport CONTROL_BYTES, NOTHING, Core, Header, Message, Output

from rspp_runtime.abi.messages import Output as OutputTuple

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        PyObject* (*tp_alloc)(PyTypeObject*, Py_ssize_t) except NULL

cdef PyTypeObject* output_type = <PyTypeObject*> OutputTuple
cdef bytes nothing = b""

cdef enum:
    OUTPUT_FIELDS = 12

if len(OutputTuple._fields) != OUTPUT_FIELDS:
    raise ImportError("rspp_runtime.abi.messages.Output and the kernel disagree: rebuild rspp-runtime")


cdef void metric(Core* core, int edge) noexcept nogil:
    """What an edge went through until the end of this turn: telemetry, dropped when the lane is full."""
    cdef Output* output
    if not tells(core, &core.edges[edge]) or core.telemetry.count == core.telemetry.max:
        return
    output = blank(core, &core.telemetry.slots[core.telemetry.count], OP_METRIC)
    core.telemetry.count += 1
    output.turn = core.turn.serial
    output.code = <int16_t> edge
    output.x = core.edges[edge].high
    output.y = core.edges[edge].dropped


cdef void take_back(Core* core, int64_t invocation) noexcept nogil:
    """An invocation was cancelled or has ended: what waits for it in the data lane will not leave."""
    cdef uint32_t index
    cdef Output* output
    for index in range(core.data.count):
        output = &core.data.slots[index]
        if output.invocation == invocation and output.op != OP_SEND:
            output.op = OP_VOID
            release(core, output.item)
            output.item = NOTHING


cdef void discard(Core* core) noexcept nogil:
    """Forgets every output and the items they hold."""
    cdef uint32_t index
    for index in range(core.data.count):
        release(core, core.data.slots[index].item)
    for index in range(core.telemetry.count):
        release(core, core.telemetry.slots[index].item)
    core.control.count = 0
    core.data.count = 0
    core.telemetry.count = 0
    core.turn.hash = 0


cdef bint passes_fence(Core* core, Output* output) noexcept nogil:
    """Only what the active turn says, at the session's epoch and with its authority, reaches the transport."""
    return (
        core.turn.state == TURN_ACTIVE
        and not stopping.silences(core, output.port)
        and output.turn == core.turn.serial
        and core.turn.proposal.epoch == core.epoch
        and not core.revoked
    )


cdef bint still_wanted(Core* core, Output* output) noexcept nogil:
    """What is for an invocation of a turn is void once the turn is over."""
    if not core.nodes[output.node].turn_scoped:
        return True
    return core.turn.state == TURN_ACTIVE and output.turn == core.turn.serial


cdef bytes text_of_message(Core* core, uint32_t index):
    """A message of the conversation. Its text lies in a ring: in one piece or in two."""
    cdef Message* message = &core.context.messages[index]
    cdef uint32_t first = core.context.text_size - message.start
    if message.size <= first:
        return PyBytes_FromStringAndSize(core.context.text + message.start, message.size)
    return (
        PyBytes_FromStringAndSize(core.context.text + message.start, first)
        + PyBytes_FromStringAndSize(core.context.text, message.size - first)
    )


cdef bytes payload_of(Core* core, Output* output):
    cdef Header* item
    if output.item != NOTHING:
        item = &core.headers[output.item]
        return PyBytes_FromStringAndSize(<const char*> core.payloads + item.offset, item.size)
    if output.op == OP_CONTEXT:
        return text_of_message(core, output.ref)
    if output.op == OP_DECISION and output.code == SIGNAL_TURN_OPEN:
        return PyBytes_FromStringAndSize(<const char*> core.hashes + CONTROL_BYTES * output.ref, CONTROL_BYTES)
    return nothing


cdef inline void set_field(object fields, Py_ssize_t index, object value):
    Py_INCREF(value)     # the tuple takes over a reference
    PyTuple_SET_ITEM(fields, index, value)


cdef object to_tuple(Core* core, Output* output):
    """The output as `abi.messages.Output`, filled in place: its constructor would take several times as long."""
    cdef PyObject* allocated = output_type.tp_alloc(output_type, OUTPUT_FIELDS)
    cdef object fields = <object> allocated
    set_field(fields, 0, output.op)
    set_field(fields, 1, output.t_ns)
    set_field(fields, 2, output.seq)
    set_field(fields, 3, output.node)
    set_field(fields, 4, output.port)
    set_field(fields, 5, output.turn)
    set_field(fields, 6, output.invocation)
    set_field(fields, 7, output.code)
    set_field(fields, 8, output.cause)
    set_field(fields, 9, output.x)
    set_field(fields, 10, output.y)
    set_field(fields, 11, payload_of(core, output))
    Py_DECREF(fields)    # the reference that tp_alloc gave and <object> doubled
    return fields


cdef void refuse(Core* core, Output* output) noexcept nogil:
    """In the place of an output that the fence refused stands the decision that says so."""
    cdef int64_t size = core.headers[output.item].size
    cdef Output late = blank(core, &core.spill, OP_DECISION)[0]
    core.seq += 1
    core.refused_outputs += 1
    late.seq = core.seq
    late.node = <int16_t> core.egress
    late.port = output.port
    late.turn = output.turn
    late.code = SIGNAL_LATE_AFTER_CANCEL
    late.cause = CAUSE_CANCELLED
    late.x = size
    late.y = 1
    release(core, output.item)
    output[0] = late


cdef list drain(Core* core):
    """All outputs as `abi.messages.Output`: control, then data through the fence, then telemetry."""
    cdef list outputs = []
    cdef uint32_t index
    cdef Output* output
    for index in range(core.control.count):
        outputs.append(to_tuple(core, &core.control.slots[index]))
    for index in range(core.data.count):
        output = &core.data.slots[index]
        if output.op == OP_VOID:
            continue
        if output.op == OP_SEND:
            if not passes_fence(core, output):
                refuse(core, output)
        elif not still_wanted(core, output):
            continue
        outputs.append(to_tuple(core, output))
    if core.leaving:
        tell_conversation(core, outputs)
    for index in range(core.telemetry.count):
        outputs.append(to_tuple(core, &core.telemetry.slots[index]))
    discard(core)
    return outputs


cdef int tell_conversation(Core* core, list outputs) except -1:
    """All of it, as it is now, for nobody's invocation: it takes no slots, since nothing else happens any more."""
    cdef uint32_t index
    cdef Output* output
    for index in range(core.context.head, core.context.tail):
        output = blank(core, &core.spill, OP_CONTEXT)
        output.ref = index % core.context.slots
        output.x = core.context.messages[output.ref].role
        outputs.append(to_tuple(core, output))
    core.leaving = False
    return 0
