"""What happens to a frame that is usual, both ways, compiled: from a message's bytes to the session, and back.

`Party`, `Inlet` and `Outlet` say what is right; here is what of it is done fifty times a second. A lane takes a frame
entirely or not at all: what it does not take is as if it had not been asked.
"""

from cpython.bytes cimport PyBytes_CheckExact, PyBytes_FromStringAndSize
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport int64_t

from rspp_runtime.audio.usual cimport Through, Usual
from rspp_runtime.kernel.codes cimport OP_DECISION, RESULT_ACCEPTED
from rspp_runtime.session.monotonic cimport Watch
from rspp_runtime.serving.packed cimport Packet, Writer, unpack

cdef enum:
    FRAME_BYTES = 640
    FRAME_NS = 20000000
    MS_NS = 1000000
    LATELY_NS = 200000000
    TAIL_NEW = 2


cdef class Frames:
    """Counters of frames of 20 ms: handed in, sent, and refused for want of room."""

    cdef public int64_t frames_in, frames_out, frames_refused


cdef class Heard:
    """When a party was heard: audio (-1: never), and anything at all; `silent`: that it says nothing was told. Since
    `stalled_ns` it has not read what it was sent (-1: it has)."""

    cdef public int64_t heard_ns, message_ns, stalled_ns
    cdef public bint silent

    def is_lively(self, int64_t now_ns):
        """It speaks, and reads: there is nothing to find out about it by the passing of time."""
        return 0 <= self.heard_ns > now_ns - LATELY_NS and self.stalled_ns < 0 and not self.silent


cdef class Sent:
    """How far the audio goes that was sent of `turn`: its duration, and the media time of its end.

    `flushed`: the rest is not played, and nothing was sent since.
    """

    cdef public int64_t turn, sent_ns, end_ns
    cdef public bint flushed


cdef class InLane:
    """See the module. `watch` tells the party's time, `hand_in` is the session's, of frames, while it listens, `usual`
    the uplink's, `is_packed`: the party writes as `serving.packed` reads.

    `received` is the highest number of the party that was taken, `packets` are those of audio that came over this
    connection, `base_ns` is the session time of its first sample (-1: none yet), `credit` so many messages may come.
    """

    cdef public int64_t received, packets, base_ns
    cdef public double credit
    cdef public bint is_packed
    cdef public object hand_in
    cdef public Watch watch
    cdef public Usual usual
    cdef public Heard heard
    cdef public Frames frames

    cpdef bint carry(self, object message) except *:
        """Hands a message's frame in, if it is usual and may be. Raises what `hand_in` raises."""
        cdef Packet packet
        cdef int64_t now_ns, media_ns
        cdef bytes payload
        if self.hand_in is None or self.usual is None or not self.is_packed or not PyBytes_CheckExact(message):
            return False
        if self.base_ns < 0 or self.credit < 1 or not unpack(message, &packet) or packet.size != FRAME_BYTES:
            return False
        now_ns = self.watch.read()
        payload = PyBytes_FromStringAndSize(<const char*> packet.payload, FRAME_BYTES)
        media_ns = self.usual.take(payload, self.packets + 1, packet.index, now_ns)
        if media_ns < 0:
            return False
        self.credit -= 1
        self.packets += 1
        self.heard.heard_ns = self.heard.message_ns = now_ns
        self.heard.silent = False
        if packet.sequence > self.received:
            self.received = packet.sequence
        if <int> self.hand_in(payload, self.base_ns + media_ns) != RESULT_ACCEPTED:
            self.frames.frames_refused += 1
        self.frames.frames_in += 1
        return True


cdef class OutLane:
    """See the module. `send` is the socket's, of bytes; `writer` writes as the party reads, if that is usual.

    `sequence` is the last number given, `greeted`: the party may be told; `tail`: whether a packet may
    still wait for more (`outlet`).
    """

    cdef public int64_t sequence
    cdef public int tail
    cdef public bint greeted
    cdef public object send
    cdef public Writer writer
    cdef public Through downlink
    cdef public Sent sent
    cdef public Frames frames

    cpdef bint carry(self, int64_t turn, object payload, int64_t play_at_ns) except *:
        """Sends a frame that follows the one before it, as it is, if the party takes it so."""
        cdef Sent sent = self.sent
        if not self.greeted or self.writer is None or self.downlink is None or not PyBytes_CheckExact(payload):
            return False
        if turn != sent.turn or play_at_ns != sent.end_ns or play_at_ns < 0 or not self.downlink.passes(payload):
            return False
        sent.flushed = False
        sent.sent_ns += FRAME_NS
        sent.end_ns += FRAME_NS
        self.sequence += 1
        self.send(self.writer.audio(self.sequence, turn, play_at_ns // MS_NS, payload))
        self.tail = TAIL_NEW
        self.frames.frames_out += 1
        return True


cdef class Lanes:
    """Of a party, with its way in and its way out. What it needs of it: `_message(message)`, `_told(outputs)` and
    `_sent(kind, turn, payload, play_at_ns)` for what is not usual, and `_failed()` for what must not happen.

    `kinds` has what the ports of the egress take, by name; `watches`: the party is told of more than decisions.
    """

    cdef readonly InLane _in
    cdef readonly OutLane _out
    cdef readonly dict kinds
    cdef public bint watches

    def __init__(self, InLane way_in not None, OutLane way_out not None, dict kinds not None):
        self._in, self._out, self.kinds = way_in, way_out, kinds

    def message(self, message):
        """A message of the party, after its hello."""
        try:
            if self._in.carry(message):
                return
        except Exception:    # ours, whatever it is
            self._failed()
            return
        self._message(message)

    def send(self, port, int64_t turn, payload, int64_t play_at_ns):
        """`Transport.send`."""
        kind = self.kinds.get(port)
        if kind != "audio" or not self._out.carry(turn, payload, play_at_ns):
            self._sent(kind, turn, payload, play_at_ns)

    def on_step(self, now_ns, deadline_ns, drained_ns, outputs):
        """`Observer.on_step`."""
        if self.watches:
            self._told(outputs)
            return
        for output in outputs:
            if <int> <object> PyTuple_GET_ITEM(output, 0) == OP_DECISION:
                self._told(outputs)
                return
