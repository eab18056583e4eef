"""What was said: the messages of the conversation, and the text that the turn gave to its voices."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from rspp_runtime.kernel.state cimport Core, Text

cdef enum:
    ROLE_USER = 0
    ROLE_ASSISTANT = 1
    ROLE_TOOL = 2


cdef inline void speak(Core* core, const unsigned char* text, int64_t size, int64_t words) noexcept nogil:
    """The turn's spoken text grows; it is stored up to its bound, and `bytes` counts what is stored."""
    cdef Text* spoken = &core.spoken
    if spoken.bytes + size > spoken.bytes_max:
        size = spoken.bytes_max - spoken.bytes
    memcpy(spoken.text + spoken.bytes, text, size)
    spoken.bytes += size
    spoken.words += words


cdef inline bint fits_join(Core* core, int64_t size) noexcept nogil:
    """The join buffer has room for one more part of the utterance."""
    cdef int64_t space = 1 if core.join.bytes > 0 else 0
    return core.join.bytes + space + size <= core.join.bytes_max


cdef inline void join(Core* core, const unsigned char* text, int64_t size, int64_t words) noexcept nogil:
    """Appends one part of the utterance; parts are joined by one space."""
    cdef Text* buffer = &core.join
    if buffer.bytes > 0 and size > 0:
        buffer.text[buffer.bytes] = b" "
        buffer.bytes += 1
    memcpy(buffer.text + buffer.bytes, text, size)
    buffer.bytes += size
    buffer.words += words


cdef inline void empty(Text* buffer) noexcept nogil:
    buffer.bytes = 0
    buffer.words = 0


cdef inline int64_t messages(Core* core) noexcept nogil:
    return core.context.tail - core.context.head


cdef inline void forget(Core* core) noexcept nogil:
    """Nobody knows any more what was said."""
    core.context.head = core.context.tail
    core.context.bytes = 0
    core.turn.context_count = 0


cdef void remember(Core* core, int role, const char* text, int64_t size) noexcept nogil
