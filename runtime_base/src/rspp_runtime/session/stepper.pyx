"""The compiled half of a driver: what runs for every input and for every step (docs/kernel.md, decision 0061).

    offer   stamps an input, gives it to the kernel, tells who wants to know
    step    advance → drain → tell → perform, until nothing more can be done now; then the pump knows when to come again

`session.driver` has the rest: it is a `Stepper` that knows what each output asks for. A frame of audio comes by here
four times on its way through a session, so nothing is looked up by name that was known before.
"""

from cpython.bytes cimport PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM

from rspp_runtime.abi.rows cimport named
from rspp_runtime.kernel.codes cimport OP_FEED, OP_SEND, RESULT_FULL, RESULT_REFUSED

from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.session.requests import Requests, behind
from rspp_runtime.session.waiters import Waiters

cdef enum:
    FRAME_BYTES_MAX = 640    # 20 ms of PCM s16le, mono, 16 kHz
    # fields of an `Output`, by their places
    OUT_SEQ = 2
    OUT_PORT = 4
    OUT_TURN = 5
    OUT_INVOCATION = 6
    OUT_X = 9
    OUT_Y = 10
    OUT_PAYLOAD = 11

cdef inline object field(object output, Py_ssize_t index):
    """Of a named tuple, by its place."""
    return <object> PyTuple_GET_ITEM(output, index)


cdef object MEDIA = int(In.MEDIA)


cdef class Course:
    """Whether a session has `ended`: `activity.Activity`, as far as each step asks."""


cdef class Called:
    """The Python nodes that were called in a step: how long each took, by id, and those that count for themselves;
    `handlers.Calls`, as far as each step asks."""


cdef class Stamps:
    """Stamps what comes from outside: the transport's sequence, and the epoch of this process (CONTRACTS §2)."""

    def __init__(self, epoch, int64_t sequence, ingress, audio_port):
        """`audio_port` is the index of the ingress's port for audio, -1 if it has none."""
        self.epoch, self.sequence = epoch, sequence
        self.ingress, self.audio_port = ingress, audio_port

    def next_sequence(self):
        """Transport sequence: counts whatever entered from outside, from 1."""
        self.sequence += 1
        return self.sequence

    def frame(self, payload, media_ns):
        """A frame of the party's audio that brings neither a key nor a number of its own, as an `Inbound`; None if
        the payload is no frame."""
        return self.framed(payload, media_ns)

    cdef object framed(self, payload, media_ns):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(payload) if type(payload) is bytes else 0
        if size == 0 or size & 1 or size > FRAME_BYTES_MAX:
            return None
        self.sequence += 1
        return named(
            Inbound,
            (MEDIA, self.ingress, self.audio_port, 0, self.epoch, self.sequence, media_ns, 0, 0, 0, payload),
        )


cdef class Stepper:
    """See the module. What it needs of the driver: `hand_in(port, payload, media_ns)`, `_deliver()`,
    `_control(code, a, b)`, `_end()`."""

    def __init__(
        self, session, clock, Stamps gateway not None, Course activity not None, Audience audience not None,
        Called node_calls not None, list perform, ports, transport,
    ):
        """`perform` has, by `Op`, what performs an output, or None; `ports` are those of the egress."""
        self.ingest, self.advance, self.drain = session.ingest, session.advance, session.drain
        self.watch = Watch(clock)
        self.gateway, self.activity, self.audience, self.node_calls = gateway, activity, audience, node_calls
        self.perform = perform
        self.ports = [(port.name, port.type == "audio") for port in ports]
        self.transport_send = transport.send
        self.calls = {}
        self.ended, self.appended = [], []
        self.requests, self.waiting = Requests(), Waiters()

    @property
    def epoch(self):
        """The authority epoch that this process holds."""
        return self.gateway.epoch

    def now_ns(self):
        """Session time."""
        return self.now()

    cdef int64_t now(self) except? -1:
        return self.watch.read()

    def offer(self, event):
        """Stamps and ingests one input, and wakes the session; returns a `Result`."""
        return self.offered(event)

    def take(self, event):
        """Stamps and ingests one input, and acts on it before it returns, unless the session is just acting.

        One that finds no room is acted on in the next round: who offered it waits for room by then.
        """
        return self.taken(event)

    def hand_in_frame(self, payload, media_ns):
        """`hand_in("audio", …)`, for a frame that brings neither a key nor a number."""
        event = self.gateway.framed(payload, media_ns)
        return self.hand_in("audio", payload, media_ns) if event is None else self.taken(event)

    def wake(self):
        """It is stepped in the next round."""
        self.waken()

    cdef object waken(self):
        self.awake = True
        if self.pump is not None:
            self.pump.ready(self.seat)

    cdef object offered(self, event):
        cdef object now_ns, result
        if self.stopped:
            return RESULT_REFUSED
        now_ns = self.now()
        result = self.ingest(event, now_ns)
        for tell in self.audience.of_input(event):
            tell(event, now_ns, result)
        if not self.awake:
            self.waken()
        return result

    cdef object taken(self, event):
        cdef object result
        if self.stepping or self.pump is None:
            return self.offered(event)
        self.awake = True    # `offered` need not ask for a round
        result = self.offered(event)
        if result == RESULT_FULL:
            self.waken()
        elif not self.stopped:
            self.act()
        return result

    # ---- a step

    def step(self):
        """Everything that can be done now, and when the pump is to come again."""
        self.act()

    cdef object act(self):
        cdef int64_t deadline_ns
        self.stepping = True
        try:
            self.awake = False
            if self.ended or self.appended or PyList_GET_SIZE(self.requests):
                self._deliver()
            deadline_ns = self.once()
        except Exception as error:    # of the kernel, an observer or the transport: `run` raises it
            self.failure = error
            self.pump.at(self.seat, -1)
            self.waiting.tell()
            self._end()
            return
        finally:
            self.stepping = False
        if self.activity.ended:
            self._end()
        if self.awake:
            self.pump.ready(self.seat)    # inputs came while performing: others may add theirs to the next step
        elif deadline_ns < 0:
            self.pump.at(self.seat, -1)
        elif deadline_ns != self.deadline_ns or not self.pump.expects(self.seat):
            self.deadline_ns = deadline_ns
            deadline_ns -= self.now()
            if deadline_ns > 0:
                self.pump.at(self.seat, deadline_ns)
            else:
                self.waken()

    cdef int64_t once(self) except? -2:
        """Steps until nothing more can be done now; returns the next deadline."""
        cdef object now_ns, deadline_ns, drained_ns, perform
        cdef list outputs, held = None
        cdef object output
        cdef Py_ssize_t index
        cdef int op
        while True:
            now_ns = self.now()
            deadline_ns = self.advance(now_ns)
            outputs = <list> self.drain()
            drained_ns = self.now()
            if self.node_calls.touched or self.node_calls.took_ns:
                self.node_calls.tell(self.audience)
            for tell in self.audience.of_step(outputs):
                tell(now_ns, deadline_ns, drained_ns, outputs)
            if held:
                outputs, held = behind(held, outputs), None
            for index in range(len(outputs)):
                output = outputs[index]
                op = field(output, 0)
                if op == OP_SEND:
                    self.send(output)
                elif op == OP_FEED:
                    self.feed(output)
                else:
                    perform = self.perform[op]
                    if perform is None:
                        continue
                    perform(self, output)
                if PyList_GET_SIZE(self.requests) and self.requests.deliver(self._control):
                    held = outputs[index + 1:]    # another thread's request goes first
                    break
            if PyList_GET_SIZE(self.waiting):
                self.waiting.tell()
            # The kernel stopped for lack of output slots, which the drain has emptied.
            if not (held or (outputs and deadline_ns == now_ns)):
                return deadline_ns

    # ---- the two outputs that a frame is

    cdef int send(self, output) except -1:
        cdef tuple port = self.ports[<Py_ssize_t> field(output, OUT_PORT)]
        if self.played is not None and port[1]:
            self.played.write(field(output, OUT_X), field(output, OUT_PAYLOAD))
        self.transport_send(port[0], field(output, OUT_TURN), field(output, OUT_PAYLOAD), field(output, OUT_X))
        return 0

    cdef int feed(self, output) except -1:
        cdef object call = self.calls.get(field(output, OUT_INVOCATION))
        if call is not None:
            call.feed(
                field(output, OUT_PORT), field(output, OUT_PAYLOAD), field(output, OUT_X), field(output, OUT_Y),
                field(output, OUT_SEQ),
            )
        return 0
