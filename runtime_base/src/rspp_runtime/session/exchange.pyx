"""The compiled half of an invocation: what happens for each item that a provider takes, and for each that it gives.

    feed ──▶ items ──▶ inputs(), with a credit for each        the kernel's FEED, and its answer
    emit() ──▶ measured ──▶ offered                            a CHUNK

`session.invocation.Call` has the rest: it is an `Exchange` that knows how an invocation begins and ends, what it may
use, and what to do when the kernel has no room. Here are the ways that most frames go (decision 0061).
"""

import asyncio
from collections import deque

from cpython.bytes cimport PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF

from rspp_runtime.abi.rows cimport named
from rspp_runtime.kernel.codes cimport FLAG_FAILED, FLAG_FINAL, RESULT_ACCEPTED, RESULT_FULL

from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.providers.contract import Cancelled, Input

cdef extern from *:
    """
    #define rspp_awaited_by(type, send) (((PyTypeObject*) type)->tp_as_async->am_send = (sendfunc) send)
    """
    int PYGEN_RETURN, PYGEN_NEXT
    void rspp_awaited_by(object kind, int (*send)(PyObject*, PyObject*, PyObject**) except -1)

YIELD_EVERY = 8            # outputs
BURST_MAX = 256            # outputs at one instant
BURST_PAUSE_S = 0.001
CREDITS = 4                # for a window

cdef enum:
    FRAME_BYTES_MAX = 640    # 20 ms of PCM s16le, mono, 16 kHz

cdef enum Kind:
    OTHER, AUDIO, TEXT

cdef int64_t SECOND_NS = 1_000_000_000
cdef object CHUNK = int(In.CHUNK), CREDIT = int(In.CREDIT)
cdef dict KINDS = {"audio": AUDIO, "text": TEXT}


cdef class Exchange:
    """See the module. What it needs of the call: `_answered(media_ns, flags, payload)`, `_words_of(index, payload)`,
    `_not_an_output(port, payload)`, `_metered_inputs()`, `_credit()`, `_settled(event, result)`,
    `_settled_in_order(event)`."""

    def __init__(self, invocation, row, door, epoch):
        """`epoch` is the one that it speaks under to its end; None: that of its process."""
        self.id, self.node_id, self.row, self.door, self.held_epoch = invocation, row.id, row, door, epoch
        self.stepper = door if isinstance(door, Stepper) else None
        self.items, self.news, self.resumed = deque(), [], asyncio.Event()
        self.seq, self.owed, self.first_ns, self.burst_ns = 0, 0, -1, -1
        self.bytes_per_second = door.audio_bytes_per_second
        self.new_future = asyncio.get_running_loop().create_future
        self.lot = 1 if row.kind == "python" else max(1, row.window // CREDITS)
        self.owes_each, self.is_voice = row.kind == "python", row.kind == "tts" and self.bytes_per_second > 0
        self.input_names = tuple([port.name for port in row.inputs])
        self.answers = tuple([port.type == "call" and row.calls_max > 0 for port in row.inputs])
        self.output_names = tuple([port.name for port in row.outputs])
        self.output_kinds = tuple([KINDS.get(port.type, OTHER) for port in row.outputs])

    @property
    def epoch(self):
        """The authority epoch under which it speaks."""
        return self.spoken_under()

    # ---- from the kernel

    def feed(self, port, payload, media_ns, int64_t flags=0, seq=0):
        """One item, for `inputs`."""
        cdef Py_ssize_t index = port
        if self.answers[index]:
            self._answered(media_ns, flags, payload)
            return
        item = named(Input, (self.input_names[index], payload, media_ns, (flags & FLAG_FINAL) != 0))
        self.items.append((seq, item))
        self.tell()

    def wait(self):
        """A future that is done with the next `tell`: an item, the end of input, or a cancel."""
        made = self.new_future()
        self.news.append(made)
        return made

    def tell(self):
        """Whoever waits for input looks again."""
        for one in self.news:
            if not one.done():
                one.set_result(None)
        self.news.clear()

    # ---- what the provider sees

    def inputs(self):
        """What it is fed, as it comes (`providers.contract.Invocation`)."""
        return Inputs(self) if self.usage is None else self._metered_inputs()

    def emit(
        self, port, payload=b"", *, media_ns=0, words=0, text_end=0, final=False, failed=False,
    ):
        """One output: to be awaited, and over once the kernel has taken it (`providers.contract.Invocation`)."""
        cdef double pause_s
        event = self.chunk(
            port, payload if type(payload) is bytes else bytes(payload), media_ns, words, text_end, final, failed
        )
        if self.owed or self.usage is not None:    # another output is not in yet and goes first, or its use is counted
            return self._settled_in_order(event)
        self.renew()
        if self.guard is not None and self.guard.resumed:
            # What it says first, after it has waited, is acted on at once; what follows is one step.
            self.guard.resumed = False
            result = self.door.take(event) if self.stepper is None else self.stepper.taken(event)
        else:
            result = self.offer(event)
        if result != RESULT_ACCEPTED:
            return self._settled(event, result)
        if self.first_ns < 0:
            self.first_ns = self.now()
        pause_s = self.pause()
        return asyncio.sleep(pause_s) if pause_s >= 0 else TAKEN

    def pause_s(self):
        """For how long others are let run after an output, in s; -1 for not at all."""
        return self.pause()

    # ---- room

    def resume(self):
        """The kernel has room again."""
        self.has_room = True
        self.resumed.set()

    def wait_anew(self):
        """Whatever room there was is used up by the next output, or is not."""
        self.renew()

    cdef object renew(self):
        if self.has_room:
            self.has_room = False
            self.resumed.clear()

    # ---- inside

    cdef object offer(self, event):
        return self.stepper.offered(event) if self.stepper is not None else self.door.offer(event)

    cdef int64_t told(self) noexcept:
        """So many taken items the kernel is told of now."""
        cdef int64_t count = self.untold
        self.untold = 0
        return count

    cdef object spoken_under(self):
        return self.process_epoch() if self.held_epoch is None else self.held_epoch

    cdef object process_epoch(self):
        return self.door.epoch if self.stepper is None else self.stepper.gateway.epoch

    cdef int64_t now(self) except? -1:
        return self.stepper.now() if self.stepper is not None else self.door.now_ns()

    cdef object credit(self):
        """An item was taken; by a Python node: it is done with. Returns a `Result`.

        The kernel is told of a quarter of its window at once: it feeds until the window is full, and needs no more.
        """
        self.untold += 1
        if self.untold < self.lot:
            return RESULT_ACCEPTED
        result = self.offer(
            named(Inbound, (CREDIT, self.node_id, 0, self.id, self.process_epoch(), 0, 0, 0, self.untold, 0, b""))
        )
        if result != RESULT_FULL:
            self.untold = 0
        return result

    cdef object chunk(self, port, bytes payload, media_ns, words, text_end, final, failed):
        """Stamps and measures one output. Raises `ProviderError` for what has not the form of its port."""
        cdef Py_ssize_t index, size = PyBytes_GET_SIZE(payload), count = len(self.output_names)
        cdef int kind, flags = (FLAG_FINAL if final else 0) | (FLAG_FAILED if failed else 0)
        index = 0
        while index < count and self.output_names[index] != port:
            index += 1
        if index == count:
            self._not_an_output(port, payload)    # says so
        kind = self.output_kinds[index]
        if kind == AUDIO:
            if size == 0 or size & 1 or size > FRAME_BYTES_MAX:
                self._not_an_output(port, payload)
            if self.is_voice and not media_ns:    # of a voice: how much it said before (CONTRACTS §2)
                media_ns = self.said_bytes * SECOND_NS // self.bytes_per_second
            self.said_bytes += size
        elif kind == TEXT:
            text_end, words = self._words_of(index, payload)
        return named(
            Inbound,
            (CHUNK, self.node_id, index, self.id, self.spoken_under(), 0, media_ns, flags, text_end, words, payload),
        )

    cdef double pause(self) except? -2:
        """A provider that floods, or emits on and on after its cancel without ever waiting, would otherwise hold the
        whole process (and stop virtual time)."""
        cdef int64_t now_ns = self.now()
        self.burst = self.burst + 1 if now_ns == self.burst_ns else 1
        self.burst_ns = now_ns
        if self.cancelled or self.burst >= <int64_t> BURST_MAX:
            return BURST_PAUSE_S
        return 0.0 if self.burst % <int64_t> YIELD_EVERY == 0 else -1.0


cdef class Inputs:
    """`async for` over what a call is fed: an iterator that is its own awaitable, as there is an item fifty times a
    second. For one task at a time, as an asynchronous generator is."""

    def __init__(self, Exchange call):
        self.call = call

    def __aiter__(self):
        return self

    def __anext__(self):
        if self.owes:
            self.owes = False
            if self.call.credit() == RESULT_FULL:
                self.slow = self.call._credit(self.call.told())
        return self

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        cdef bint is_item = False
        found = self.found(&is_item)
        if is_item:
            raise StopIteration(found)
        return found

    cdef object found(self, bint* is_item):
        """The next item, or what is waited for until there is one. Raises `Cancelled`; `StopAsyncIteration` behind the
        last."""
        cdef Exchange call = self.call
        cdef object item
        if self.slow is not None:
            slow, self.slow = self.slow, None
            try:
                waits_for = slow.send(None)
            except StopIteration:
                if self.item is not None:
                    item, self.item = self.item, None
                    is_item[0] = True
                    return item
            else:
                self.slow = slow
                return waits_for
        if call.cancelled:
            raise Cancelled
        if call.items:
            call.seq, item = call.items.popleft()
            if call.owes_each:
                self.owes = True
            elif call.credit() == RESULT_FULL:
                self.slow, self.item = call._credit(call.told()), item
                return self.found(is_item)
            is_item[0] = True
            return item
        if call.finished:
            raise StopAsyncIteration
        waits_for = call.wait()
        waits_for._asyncio_future_blocking = True    # as `await` says it
        return waits_for

    def send(self, _):
        """As a coroutine has it: a task may be made of `anext(inputs)`."""
        return self.__next__()

    def throw(self, error, *_):
        """As a coroutine has it: whoever waits here is not heard any more."""
        slow, self.slow = self.slow, None
        if slow is not None:
            slow.close()
        raise error

    def close(self):
        """As a coroutine has it."""
        self.slow = None


cdef int send(PyObject* inputs, PyObject* _, PyObject** result) except -1:
    """`__next__` for an `await`, without an exception for each item (`am_send` of the C API)."""
    cdef bint is_item = False
    cdef object found = (<Inputs> inputs).found(&is_item)
    Py_INCREF(found)
    result[0] = <PyObject*> found
    return PYGEN_RETURN if is_item else PYGEN_NEXT


rspp_awaited_by(Inputs, send)


cdef class Taken:
    """What there is to await of an output that was taken at once: nothing. It goes for a coroutine."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration

    def send(self, _):
        """It is over."""
        raise StopIteration

    def throw(self, error, *_):
        """It is over."""
        raise error

    def close(self):
        """It is."""


cdef int over(PyObject* taken, PyObject* _, PyObject** result) except -1:
    Py_INCREF(None)
    result[0] = <PyObject*> None
    return PYGEN_RETURN


rspp_awaited_by(Taken, over)
TAKEN = Taken()
