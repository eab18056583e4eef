"""The conversation: its messages, oldest first, in a ring of bytes."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy

from rspp_runtime.kernel.state cimport Context, Core, Message


cdef void remember(Core* core, int role, const char* text, int64_t size) noexcept nogil:
    """Adds a message; the oldest make room. One that is larger than the whole context is not kept.

    The ring is longer than the context by the largest message of a user, so what an invocation that has not yet been
    drained refers to is still there when the utterance it belongs to is added.
    """
    cdef Context* context = &core.context
    cdef Message* message
    cdef uint32_t first
    if size > context.bytes_max or context.items_max == 0:
        return
    while messages(core) >= context.items_max or context.bytes + size > context.bytes_max:
        context.bytes -= context.messages[context.head % context.slots].size
        context.head += 1
        if core.turn.context_count > 0:
            core.turn.context_count -= 1
    message = &context.messages[context.tail % context.slots]
    message.role = role
    message.start = context.text_end
    message.size = <uint32_t> size
    first = context.text_size - context.text_end
    if first >= size:
        memcpy(context.text + context.text_end, text, size)
    else:
        memcpy(context.text + context.text_end, text, first)
        memcpy(context.text, text + first, size - first)
    context.text_end = <uint32_t> ((context.text_end + size) % context.text_size)
    context.tail += 1
    context.bytes += size
