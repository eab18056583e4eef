"""Records on their way to the log, without an object for each: what was observed goes in, bytes for the disk come out.

`entries.to_row`, `recorder.to_input` and `recorder.to_out`, MessagePack and `segment.frame` say what a record is; a
test holds the bytes made here equal to theirs. A `Tape` frames records one behind the other; `store` completes them by
their checksums while it puts them into a segment, in another thread and without the GIL.
"""

import errno

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.long cimport PyLong_Check
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from rspp_runtime.abi.msgpack cimport WRITTEN_MAX, put_big, put_count
from rspp_runtime.kernel.codes cimport (
    IN_CHUNK, IN_MEDIA, OP_DEAD_LETTER, OP_DECISION, OP_FEED, OP_SEND, OP_TAP, SIGNAL_CLOSE, SIGNAL_TURN_OPEN,
)

from rspp_runtime.abi.messages import Emission, Inbound, Output
from rspp_runtime.evidence.entries import Kind

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    unsigned long long PyLong_AsUnsignedLongLong(object) except? 0xffffffffffffffff
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t*) except NULL

cdef extern from *:
    """
    /* The value of a whole number as short as most are. */
    static inline int rspp_small(PyObject* number, int64_t* value) {
    #if PY_VERSION_HEX >= 0x030C0000
        if (!PyUnstable_Long_IsCompact((PyLongObject*) number)) return 0;
        *value = PyUnstable_Long_CompactValue((PyLongObject*) number);
        return 1;
    #else
        Py_ssize_t digits = Py_SIZE(number);
        const digit* at = ((PyLongObject*) number)->ob_digit;
        if (digits == 2) *value = at[0] | (int64_t) at[1] << PyLong_SHIFT;
        else if (digits <= 1 && digits >= -1) *value = digits * (int64_t) at[0];
        else return 0;
        return 1;
    #endif
    }
    static inline void put_little_32(unsigned char* at, uint32_t value) {
        at[0] = value; at[1] = value >> 8; at[2] = value >> 16; at[3] = value >> 24;
    }
    #define rspp_in_order() __atomic_signal_fence(__ATOMIC_SEQ_CST)
    """
    bint rspp_small(object number, int64_t* value) noexcept
    void put_little_32(unsigned char* at, uint32_t value) noexcept nogil
    void rspp_in_order() noexcept nogil

cdef enum:
    FRAME = 16             # length u32, checksum u32, number u64
    ALIGN = 8
    FIELD = WRITTEN_MAX    # bytes of an integer, and before a payload or a text
    HEAD = WRITTEN_MAX
    SMALLEST = 2048        # bytes that the first tape begins with
    INBOUND_FIELDS = 11
    OUTPUT_FIELDS = 12
    CALL_FIELDS = 5        # of a call, those that a record has: node, seq, start_ns, end_ns, emissions
    EMISSION_FIELDS = 5
    L0 = 0
    L1 = 1

cdef int INPUT = Kind.INPUT, HANDLER = Kind.HANDLER, STEP = Kind.STEP, OUTPUT = Kind.OUTPUT

if (len(Inbound._fields), len(Output._fields), len(Emission._fields)) != (
    INBOUND_FIELDS, OUTPUT_FIELDS, EMISSION_FIELDS
):
    raise ImportError("rspp_runtime.abi.messages and the log disagree: rebuild rspp-runtime")


# ---- CRC-32, eight bytes at a time (as zlib.crc32)

cdef uint32_t[8][256] CRC


cdef void make_crc() noexcept:
    cdef uint32_t value, byte, row
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xedb88320u if value & 1 else 0)
        CRC[0][byte] = value
    for byte in range(256):
        for row in range(1, 8):
            CRC[row][byte] = (CRC[row - 1][byte] >> 8) ^ CRC[0][CRC[row - 1][byte] & 0xff]


make_crc()


cdef inline uint32_t little(const unsigned char* at) noexcept nogil:
    return at[0] | <uint32_t> at[1] << 8 | <uint32_t> at[2] << 16 | <uint32_t> at[3] << 24


cdef uint32_t crc32(const unsigned char* data, Py_ssize_t size, uint32_t before) noexcept nogil:
    cdef uint32_t value = ~before, low, high
    while size >= 8:
        low, high = value ^ little(data), little(data + 4)
        value = (
            CRC[7][low & 0xff] ^ CRC[6][low >> 8 & 0xff] ^ CRC[5][low >> 16 & 0xff] ^ CRC[4][low >> 24]
            ^ CRC[3][high & 0xff] ^ CRC[2][high >> 8 & 0xff] ^ CRC[1][high >> 16 & 0xff] ^ CRC[0][high >> 24]
        )
        data += 8
        size -= 8
    while size:
        value = value >> 8 ^ CRC[0][(value ^ data[0]) & 0xff]
        data += 1
        size -= 1
    return ~value


def checksum(const unsigned char[::1] data, uint32_t before=0):
    """`zlib.crc32`, as it is computed here."""
    return crc32(&data[0], data.shape[0], before) if data.shape[0] else before


# ---- into a segment

def store(
    unsigned char[::1] segment, Py_ssize_t used, const unsigned char[::1] records, Py_ssize_t at, uint32_t seed
):
    """Stores framed records, from byte `at` of `records` on, behind the `used` bytes of a segment, as many as it holds.

    `seed` is the CRC-32 of the log's id. Returns (used, at, number and checksum of the last record; 0, 0 if there was
    no room for one). Of each record the body is stored first, then the frame that makes it valid, and each record
    before the next: wherever the process is killed, what is there is a whole beginning.
    """
    cdef const unsigned char* record
    cdef unsigned char* place
    cdef unsigned char[FRAME] frame
    cdef Py_ssize_t size, length, end = records.shape[0]
    cdef uint32_t crc = 0
    cdef uint64_t number = 0
    with nogil:
        while at < end:
            record = &records[at]
            length = little(record)
            size = FRAME + (length + ALIGN - 1) // ALIGN * ALIGN
            if size > end - at or used + size > segment.shape[0]:
                break
            crc = crc32(record + 8, size - 8, crc32(record, 4, seed))
            memcpy(frame, record, FRAME)
            put_little_32(frame + 4, crc)
            place = &segment[used]
            memcpy(place + FRAME, record + FRAME, size - FRAME)
            rspp_in_order()
            memcpy(place, frame, FRAME)
            rspp_in_order()
            number = little(record + 8) | <uint64_t> little(record + 12) << 32
            used += size
            at += size
    return used, at, number, crc


# ---- MessagePack: what is written at `at`; each returns the place behind it

cdef inline unsigned char* integer(unsigned char* at, object number) except NULL:
    cdef int overflow = 0
    cdef int64_t value
    if number is False or number is True:
        at[0] = 0xc3 if number is True else 0xc2
        return at + 1
    if not PyLong_Check(number) or not rspp_small(number, &value):
        value = PyLong_AsLongLongAndOverflow(number, &overflow)
        if overflow:
            return put_count(at, PyLong_AsUnsignedLongLong(number))
    if 0 <= value < 0x80:
        at[0] = <unsigned char> value
        return at + 1
    if value >= 0:
        return put_count(at, value)
    if value >= -0x20:
        at[0] = value & 0xff
        return at + 1
    if value >= -0x80:
        return put_big(at, 0xd0, value, 1)
    if value >= -0x8000:
        return put_big(at, 0xd1, value, 2)
    if value >= -0x80000000LL:
        return put_big(at, 0xd2, value, 4)
    return put_big(at, 0xd3, value, 8)


cdef inline unsigned char* integers(unsigned char* at, object row, Py_ssize_t fields) except NULL:
    """The first `fields` of a tuple."""
    cdef Py_ssize_t index
    for index in range(fields):
        at = integer(at, <object> PyTuple_GET_ITEM(row, index))
    return at


cdef inline unsigned char* head(
    unsigned char* at, Py_ssize_t size, int fixed, int fixed_max, int code_8, int code_16
) noexcept:
    """Before `size` bytes or items; the codes for two and four bytes of size follow each other."""
    if size < fixed_max:
        at[0] = fixed | <int> size
        return at + 1
    if code_8 and size < 0x100:
        return put_big(at, code_8, size, 1)
    if size < 0x10000:
        return put_big(at, code_16, size, 2)
    return put_big(at, code_16 + 1, size, 4)


cdef inline unsigned char* copied(unsigned char* at, const char* data, Py_ssize_t size) noexcept:
    memcpy(at, data, size)
    return at + size


cdef inline unsigned char* payload_of(unsigned char* at, bytes payload, bint kept) noexcept:
    """Its length, and its bytes where they are kept."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(payload)
    at = put_count(at, size)
    if not kept:
        at[0] = 0xc0
        return at + 1
    return copied(head(at, size, 0, 0, 0xc4, 0xc5), PyBytes_AS_STRING(payload), size)


# ---- from what was observed

cdef class Ports:
    """Which payloads L1 keeps, by node and port; what has no declared type may be audio."""

    cdef list rows      # of bytes: 1 where they are kept

    def __init__(self, rows):
        self.rows = [bytes(row) for row in rows]

    cdef bint keeps(self, object node, object port) except -1:
        cdef Py_ssize_t index = node, column = port
        cdef bytes row
        if not 0 <= index < len(self.rows):
            return False
        row = self.rows[index]
        return 0 <= column < len(row) and row[column] != 0


cdef int check(object row, Py_ssize_t fields) except -1:
    """Raises `TypeError` for what is no named tuple of so many fields: they are taken by their places."""
    if not PyTuple_Check(row) or PyTuple_GET_SIZE(row) < fields:
        raise TypeError(f"{type(row).__name__} is no tuple of {fields} fields")
    return 0


cdef class Tape:
    """Framed records of one log, in the order of the calls, until they are taken. Not for several threads.

    `number` is that of the first record, `body_max` the most bytes of one. `inputs` and `outputs` have, by node, which
    ports' payloads L1 keeps (`levels.Keeps`). Before a record that it has no room for, it calls `more(bytes)`, which
    takes what there is, sets `limit`, or raises `OSError`. A record that is too large raises `OSError` (EFBIG).
    """

    cdef unsigned char* data
    cdef Py_ssize_t room          # bytes that `data` has
    cdef Py_ssize_t smallest      # … to begin with
    cdef Py_ssize_t used
    cdef Py_ssize_t records_max, bytes_max
    cdef Py_ssize_t body_max
    cdef uint64_t number
    cdef object more
    cdef Ports inputs, outputs
    cdef readonly Py_ssize_t records
    cdef public int level         # 0, 1, 2: which payloads are kept
    cdef public object on_failure  # is told what ends the log, and nothing more is taken. None: it is raised
    cdef bint failed

    def __init__(self, uint64_t number, Py_ssize_t body_max, more, inputs, outputs):
        self.number = number
        self.body_max, self.smallest = body_max, SMALLEST
        self.more = more
        self.inputs, self.outputs = Ports(inputs), Ports(outputs)

    def __dealloc__(self):
        PyMem_Free(self.data)

    @property
    def size(self):
        """Bytes that wait."""
        return self.used

    def limit(self, Py_ssize_t records_max, Py_ssize_t bytes_max):
        """So many may wait before `more` is asked."""
        self.records_max, self.bytes_max = records_max, bytes_max

    def take(self):
        """What there is; the tape is empty, and holds no memory. It begins with as much the next time."""
        cdef bytes taken = PyBytes_FromStringAndSize(<const char*> self.data, self.used)
        PyMem_Free(self.data)
        self.data = NULL
        self.smallest = max(<Py_ssize_t> SMALLEST, self.used + self.used // 8)
        self.room = self.used = self.records = 0
        return taken

    # ---- records

    def record(self, bytes body):
        """Any record, in MessagePack."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
        self.end(copied(self.begin(size), PyBytes_AS_STRING(body), size))

    def input(self, event, now_ns, result):
        """`Observer.on_input`."""
        if not self.failed:
            try:
                self.put_input(event, now_ns, result)
            except OSError as error:
                self.fail(error)

    cdef int put_input(self, event, now_ns, result) except -1:
        cdef object payload
        cdef bint kept = self.level > L0
        cdef int kind
        cdef unsigned char* at
        check(event, INBOUND_FIELDS)
        payload = <object> PyTuple_GET_ITEM(event, INBOUND_FIELDS - 1)
        kind = <object> PyTuple_GET_ITEM(event, 0)
        if self.level == L1 and (kind == IN_MEDIA or kind == IN_CHUNK):
            kept = self.outputs.keeps(<object> PyTuple_GET_ITEM(event, 1), <object> PyTuple_GET_ITEM(event, 2))
        if type(payload) is not bytes:
            payload = bytes(payload)
        at = self.begin((INBOUND_FIELDS + 3) * FIELD + HEAD + PyBytes_GET_SIZE(payload))
        at[0], at[1] = 0x90 | (INBOUND_FIELDS + 4), INPUT
        at = integer(integer(at + 2, now_ns), result)
        at = integers(at, event, INBOUND_FIELDS - 1)
        return self.end(payload_of(at, payload, kept))

    def step(self, now_ns, deadline_ns, drained_ns, outputs):
        """`Observer.on_step`, with all of its outputs; returns whether a turn closed."""
        try:
            return not self.failed and self.put_step(now_ns, deadline_ns, drained_ns, outputs)
        except OSError as error:
            self.fail(error)
            return False

    cdef bint put_step(self, now_ns, deadline_ns, drained_ns, outputs) except -1:
        cdef object output
        cdef bint closed = False
        cdef unsigned char* at = self.begin(5 * FIELD)
        at[0], at[1] = 0x95, STEP
        at = integer(integer(integer(at + 2, now_ns), deadline_ns), drained_ns)
        self.end(put_count(at, len(outputs)))
        for output in outputs:
            closed |= self.output(output)
        return closed

    cdef bint output(self, object output) except -1:
        """Whether it is the end of a turn."""
        cdef object payload
        cdef int op, code
        cdef bint kept = self.level > L0
        cdef unsigned char* at
        check(output, OUTPUT_FIELDS)
        payload = <object> PyTuple_GET_ITEM(output, OUTPUT_FIELDS - 1)
        op = <object> PyTuple_GET_ITEM(output, 0)
        code = <object> PyTuple_GET_ITEM(output, 7)
        if op == OP_DECISION and code == SIGNAL_TURN_OPEN:
            kept = True  # a turn's plan hash
        elif self.level == L1 and op == OP_DEAD_LETTER:
            kept = self.inputs.keeps(code, <object> PyTuple_GET_ITEM(output, 4))
        elif self.level == L1 and (op == OP_FEED or op == OP_SEND or op == OP_TAP):
            kept = self.inputs.keeps(<object> PyTuple_GET_ITEM(output, 3), <object> PyTuple_GET_ITEM(output, 4))
        if type(payload) is not bytes:
            payload = bytes(payload)
        at = self.begin((OUTPUT_FIELDS + 1) * FIELD + HEAD + PyBytes_GET_SIZE(payload))
        at[0], at[1] = 0x90 | (OUTPUT_FIELDS + 2), OUTPUT
        at = integers(at + 2, output, OUTPUT_FIELDS - 1)
        self.end(payload_of(at, payload, kept))
        return op == OP_DECISION and code == SIGNAL_CLOSE

    def handler(self, call):
        """`Observer.on_handler`, without what the node remembers."""
        cdef object node, emissions, reason, emission, payload
        cdef Py_ssize_t size = 0, said = 0
        cdef const char* text
        cdef unsigned char* at
        check(call, CALL_FIELDS + 1)
        node = <object> PyTuple_GET_ITEM(call, 0)
        emissions = <object> PyTuple_GET_ITEM(call, CALL_FIELDS - 1)
        reason = <object> PyTuple_GET_ITEM(call, CALL_FIELDS)
        text = PyUnicode_AsUTF8AndSize(reason, &said)
        if emissions is not None:
            for emission in emissions:
                size += (EMISSION_FIELDS + 1) * FIELD + HEAD + len(emission[1])
        at = self.begin(CALL_FIELDS * FIELD + size + 2 * HEAD + said)
        at[0], at[1] = 0x97, HANDLER
        at = integers(at + 2, call, CALL_FIELDS - 1)
        if emissions is None:
            at[0] = 0xc0
            at += 1
        else:
            at = head(at, len(emissions), 0x90, 16, 0, 0xdc)
            for emission in emissions:
                port, payload, flags, a, b = emission
                if type(payload) is not bytes:
                    payload = bytes(payload)
                at[0] = 0x90 | (EMISSION_FIELDS + 1)
                at = integer(integer(integer(integer(at + 1, port), flags), a), b)
                at = payload_of(
                    at, payload, self.level > L1 or (self.level == L1 and self.outputs.keeps(node, port))
                )
        self.end(copied(head(at, said, 0xa0, 32, 0xd9, 0xda), text, said))

    cdef int fail(self, error) except -1:
        if self.on_failure is None:
            raise error
        self.failed = True
        self.on_failure(error)

    # ---- a record, from its frame to its end

    cdef unsigned char* begin(self, Py_ssize_t body) except NULL:
        """Makes room for a record of at most so many bytes; returns where its body begins."""
        cdef Py_ssize_t size = FRAME + body + ALIGN
        cdef unsigned char* data
        if self.records >= self.records_max or self.used + size > self.bytes_max:
            self.more(size)
        if self.used + size > self.room:
            self.room = max(self.smallest, 2 * self.room, self.used + size)
            data = <unsigned char*> PyMem_Realloc(self.data, self.room)
            if data == NULL:
                raise MemoryError
            self.data = data
        return self.data + self.used + FRAME

    cdef int end(self, unsigned char* at) except -1:
        """Its body is whole, and ends before `at`: the record counts."""
        cdef unsigned char* frame = self.data + self.used
        cdef Py_ssize_t length = at - frame - FRAME
        if length > self.body_max:
            raise OSError(
                errno.EFBIG, f"a record of {length} bytes is larger than the {self.body_max} that a log takes"
            )
        memset(at, 0, ALIGN)
        at += (self.data - at) & (ALIGN - 1)
        put_little_32(frame, <uint32_t> length)
        memset(frame + 4, 0, 4)  # its checksum comes with the segment
        put_little_32(frame + 8, <uint32_t> self.number)
        put_little_32(frame + 12, self.number >> 32)
        self.used = at - self.data
        self.number += 1
        self.records += 1
        return 0
