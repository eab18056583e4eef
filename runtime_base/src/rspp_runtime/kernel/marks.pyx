"""Where sentences end in a text, and how many words it has: `session.gateway.text_mark`, of what is ASCII."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int64_t


cdef inline bint is_space(unsigned char c) noexcept nogil:
    return c == 32 or 9 <= c <= 13 or 28 <= c <= 31


cdef inline bint ends(unsigned char c) noexcept nogil:
    return c == c'.' or c == c'!' or c == c'?'


cdef inline bint closes(unsigned char c) noexcept nogil:
    return c == c'"' or c == c"'" or c == c')' or c == c']'


cdef bint ascii_mark(const char* text, int64_t size, int64_t* end, int64_t* words) noexcept nogil:
    """`session.gateway.text_mark` by sentence, of a text that is ASCII; False of any other."""
    cdef const unsigned char* at = <const unsigned char*> text
    cdef int64_t index
    cdef int64_t last = 0
    cdef int64_t count = 0
    cdef bint within = False
    cdef int marks = 0       # 1 within a sentence's marks, 2 within what closes behind them
    for index in range(size):
        if at[index] >= 128:
            return False
        if is_space(at[index]):
            if marks:
                last = index
            if at[index] == 10:
                last = index + 1
            marks = 0
            within = False
            continue
        if not within:
            within = True
            count += 1
        if ends(at[index]):
            marks = 1
        elif marks and closes(at[index]):
            marks = 2
        else:
            marks = 0
    if marks:
        last = size
    end[0] = last
    words[0] = count
    return True


def mark(bytes payload):
    """(end, words) of a text by sentence as `session.gateway.text_mark` measures it; None if it is not ASCII."""
    cdef int64_t end, words
    if not ascii_mark(PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload), &end, &words):
        return None
    return end, words
