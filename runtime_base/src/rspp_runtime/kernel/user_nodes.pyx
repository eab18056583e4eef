"""Python kernel nodes: how the kernel calls them, and a call as the driver makes it (`session.handlers`).

`NodeCall` is the usual handler. The kernel gives it the item where it lies: the user sees it through one view, which is
used again for every call and dies with each. A node may be a coroutine instead, which is resumed with each item. What
the driver adds to a call, the stamps of its own clock on both sides and the measuring of what is emitted, is done here
too, so that a hop through Python costs little more than the call of the user's function. The kernel decides nothing by
it.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport calloc, free
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from rspp_runtime.kernel.codes cimport FLAG_FINAL
from rspp_runtime.kernel.marks cimport ascii_mark
from rspp_runtime.kernel.state cimport Core, Header

from rspp_runtime.abi.messages import Emission, Item

cdef extern from "Python.h":
    void Py_DECREF(PyObject*)
    Py_ssize_t Py_REFCNT(PyObject*)
    void PyErr_SetObject(PyObject*, PyObject*)
    PyObject* PyExc_StopIteration
    ctypedef enum PySendResult:
        PYGEN_RETURN, PYGEN_ERROR, PYGEN_NEXT
    PySendResult PyIter_Send(object, PyObject*, PyObject**) except PYGEN_ERROR
    PyObject* Py_None

cdef extern from *:
    """
    /* `await` asks for the next value by this slot; what it ends with is its result. */
    static void rspp_set_iternext(PyObject* type, iternextfunc next) {
        ((PyTypeObject*) type)->tp_iternext = next;
        PyType_Modified((PyTypeObject*) type);
    }
    """
    ctypedef PyObject* (*iternextfunc)(PyObject*) noexcept
    void rspp_set_iternext(PyObject*, iternextfunc)

cdef enum:
    AUDIO_BYTES_MAX = 640    # 20 ms of PCM s16le, mono, 16 kHz

cdef enum Kind:
    PLAIN, AUDIO, SENTENCES, TEXT

cdef class Emissions:
    def __cinit__(self, int most):
        self.most = most
        self.payloads = [None] * most
        self.rows = <Emitted*> calloc(most + 1, sizeof(Emitted))
        if self.rows == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.rows)

    cdef int add(self, int port, bytes payload, int64_t flags, int64_t a, int64_t b) except -1:
        cdef Emitted* row = &self.rows[self.count]
        if self.count >= self.most:
            raise IndexError("more emissions than the plan says")
        row.port, row.flags, row.a, row.b = port, flags, a, b
        self.payloads[self.count] = payload
        self.count += 1
        return 0

    cdef int take(self, emission) except -1:
        """An `abi.messages.Emission`."""
        return self.add(emission.port, emission.payload, emission.flags, emission.a, emission.b)

    cdef bytes payload(self, int index):
        return <bytes> self.payloads[index]

    cdef list as_list(self):
        cdef int index
        return [
            Emission(
                self.rows[index].port, self.payloads[index], self.rows[index].flags,
                self.rows[index].a, self.rows[index].b,
            )
            for index in range(self.count)
        ]


cdef Emissions call(object handler, Core* core, uint32_t handle, int port, int emissions_max, tuple item_bytes_max):
    """Calls the handler; what it has emitted, or None if the node failed.

    `item_bytes_max` has one bound for each output port. Nothing is emitted by a call of which one emission is wrong.
    """
    cdef Header* item = &core.headers[handle]
    cdef object emitted
    cdef object emission
    cdef Emissions emissions
    if type(handler) is NodeCall:
        return (<NodeCall> handler).of_kernel(item, <const char*> core.payloads + item.offset, port)
    emitted = handler(Item(
        port, item.turn, item.seq, item.media_ns, item.flags, item.a, item.b,
        PyBytes_FromStringAndSize(<const char*> core.payloads + item.offset, item.size),
    ))
    if emitted is None or len(emitted) > emissions_max:
        return None
    emissions = Emissions(emissions_max)
    for emission in emitted:
        emission = Emission(*emission)
        if not 0 <= emission.port < len(item_bytes_max) or len(emission.payload) > item_bytes_max[emission.port]:
            return None
        emissions.take(emission)
    return emissions


cdef class View:
    """What a user's node is given: `nodes.Item`, over the item in its slot. It is dead between calls."""

    cdef Header* header
    cdef const char* data
    cdef Header own          # of an item that came as a tuple
    cdef bytes whole         # the payload, once somebody has asked for it
    cdef object name         # of the port
    cdef object gone         # the error of a view that is dead

    cdef Header* live(self) except NULL:
        if self.header == NULL:
            raise self.gone("this item is gone: it lives only as long as the call it is given to")
        return self.header

    cdef bytes bytes_of(self):
        cdef Header* header = self.live()
        if self.whole is None:
            self.whole = PyBytes_FromStringAndSize(self.data, header.size)
        return self.whole

    @property
    def port(self):
        self.live()
        return self.name

    @property
    def text(self):
        return self.bytes_of().decode("utf-8", "replace")

    @property
    def audio(self):
        return self.bytes_of()

    @property
    def payload(self):
        return self.bytes_of()

    @property
    def turn(self):
        return self.live().turn

    @property
    def media_ns(self):
        return self.live().media_ns

    @property
    def final(self):
        return (self.live().flags & FLAG_FINAL) != 0

    @property
    def words(self):
        return self.live().b

    @property
    def sentence_end(self):
        return self.live().a


cdef class Stage:
    """What a node that is a coroutine is given, once: `nodes.Stage`."""

    cdef View view           # of the item of the present call
    cdef object emitter
    cdef bint waits          # the coroutine awaits its next item

    def item(self):
        """To be awaited: the next item."""
        return self

    @property
    def emit(self):
        return self.emitter

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):      # replaced by `resumed`, which does not build a traceback each time
        return None


cdef PyObject* resumed(PyObject* stage) noexcept:
    """Of `await stage.item()`: the first time the coroutine is suspended, the second time it has its item."""
    cdef Stage self = <Stage> stage
    if self.waits:
        self.waits = False
        PyErr_SetObject(PyExc_StopIteration, <PyObject*> self.view)
        return NULL
    self.waits = True
    Py_INCREF(self)
    return stage


rspp_set_iternext(<PyObject*> Stage, resumed)


cdef class NodeCall:
    """One Python node of one session, as both kernels call it (`abi.messages.Handler`).

    `now` reads the driver's clock; if it is the process' monotonic one, `start_ns` is where the session began, else -1.
    `kinds` says of each output port how what is emitted there is measured: audio, sentence, plain, or text (by
    `measured(count, payload, port, final)`, which also says what is wrong with an emission). `told` are the calls of
    the step, `reason_of` makes a line of an exception.
    """

    cdef object user, now, told, measured, reason_of, gone, emitter
    cdef tuple names, kinds, most
    cdef int node, emissions_max, kind, outputs
    cdef public bint every       # each call is told of, not only one that failed or took longer than `limit_ns`
    cdef int64_t start_ns, bytes_max, limit_ns, took_ns
    cdef list touched            # of `told`: who was called in this step
    cdef Emissions emissions     # of the present call, or of the last
    cdef View view
    cdef Stage stage         # of a node that is a coroutine
    cdef object coroutine    # as it waits for its next item
    cdef bint running

    def __init__(
        self, user, now, int64_t start_ns, told, measured, reason_of, gone,
        int node, tuple names, tuple kinds, tuple most, int emissions_max, int64_t limit_ns, bint goes_on=False,
    ):
        self.user, self.now, self.start_ns, self.told = user, now, start_ns, told
        self.measured, self.reason_of, self.gone = measured, reason_of, gone
        self.node, self.names, self.emissions_max = node, names, emissions_max
        self.touched, self.every, self.limit_ns, self.took_ns = told.touched, told.every, limit_ns, -1
        self.outputs = <int> len(kinds)
        self.kind = {"audio": AUDIO, "sentence": SENTENCES, "plain": PLAIN}.get(kinds[0], TEXT) if kinds else TEXT
        self.bytes_max = most[0] if most else 0
        self.emissions = Emissions(emissions_max)
        self.emitter = self.emit     # bound once
        self.view = self.new_view()
        if goes_on:
            self.stage = Stage.__new__(Stage)
            self.stage.emitter = self.emitter

    cdef View new_view(self):
        cdef View view = View.__new__(View)
        view.gone = self.gone
        return view

    cdef int64_t stamp(self) except? -1:
        cdef timespec now
        if self.start_ns < 0:
            return self.now()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return <int64_t> now.tv_sec * 1_000_000_000 + now.tv_nsec - self.start_ns

    cdef Emissions of_kernel(self, Header* header, const char* data, int port):
        """A call of the compiled kernel: the item stays where it is."""
        self.view.header, self.view.data = header, data
        return self.perform(header.seq, port)

    def __call__(self, item):
        """A call of the twin, or of a test: `abi.messages.Item`."""
        cdef Header* own = &self.view.own
        cdef bytes payload = item.payload
        own.turn, own.seq, own.media_ns, own.flags, own.a, own.b = (
            item.turn, item.seq, item.media_ns, item.flags, item.a, item.b
        )
        own.size = <uint32_t> len(payload)
        self.view.whole = payload
        self.view.header, self.view.data = own, PyBytes_AS_STRING(payload)
        cdef Emissions emissions = self.perform(own.seq, item.port)
        return None if emissions is None else tuple(emissions.as_list())

    cdef Emissions perform(self, int64_t seq, int port):
        cdef View view = self.view
        cdef Emissions emissions = self.emissions
        cdef object returned
        cdef object reason = None
        cdef int64_t start_ns = self.stamp()
        cdef int64_t end_ns
        view.name = self.names[port]
        emissions.count = 0
        self.running = True
        try:
            if self.stage is not None:
                returned = self.resume(view)
            else:
                returned = self.user(view, self.emitter)
            if returned is not None:
                reason = self.reason_of(TypeError(
                    "it returned " + type(returned).__name__ + ": what is to go on must be given to emit(…)"
                ))
        except (Exception, SystemExit) as error:   # a node's failure is an event of the pipeline
            reason = self.reason_of(error)
        finally:
            self.running = False
            view.header = NULL
            view.whole = None
        if Py_REFCNT(<PyObject*> view) > 2:
            self.view = self.new_view()      # somebody keeps it: it stays dead for ever
        if reason is not None:
            self.coroutine = None            # a coroutine that failed begins anew with the next item
        end_ns = self.stamp()
        if reason is not None or self.every or end_ns - start_ns > self.limit_ns:
            self.told.add(
                self.node, seq, start_ns, end_ns, None if reason is not None else emissions.as_list(), reason or ""
            )
        elif self.took_ns < 0:
            self.took_ns = end_ns - start_ns
            self.touched.append(self)
        else:
            self.took_ns += end_ns - start_ns
        return None if reason is not None else emissions

    def taken(self):
        """Its node, and how long the calls took that were not told of one by one, since this was asked last."""
        took_ns, self.took_ns = self.took_ns, -1
        return self.node, took_ns

    cdef object resume(self, View view):
        """Gives the coroutine its next item, and lets it run until it asks for another one."""
        cdef PyObject* given = NULL
        cdef object answer
        cdef Stage stage = self.stage
        if self.coroutine is None:
            self.coroutine = self.user(stage)
            self.advance_to_item()
        stage.view = view
        if PyIter_Send(self.coroutine, Py_None, &given) == PYGEN_NEXT:
            answer = <object> given
            Py_DECREF(given)
            stage.view = None
            if answer is not stage:
                self.waits_for_something_else()
            return None
        Py_DECREF(given)
        self.ended()

    cdef int advance_to_item(self) except -1:
        """From its beginning to its first `await stage.item()`."""
        cdef PyObject* given = NULL
        cdef object answer
        self.stage.waits = False
        if PyIter_Send(self.coroutine, Py_None, &given) == PYGEN_NEXT:
            answer = <object> given
            Py_DECREF(given)
            if answer is not self.stage:
                self.waits_for_something_else()
            return 0
        Py_DECREF(given)
        self.ended()

    cdef int ended(self) except -1:
        raise TypeError("it has ended: a node that is a coroutine awaits one item after the other, `while True`")

    cdef int waits_for_something_else(self) except -1:
        self.coroutine.close()
        raise TypeError(
            "it awaits something else than its next item: it runs inside the kernel's step and may not wait; give "
            "the node a `timeout`, and it runs outside of the kernel"
        )

    def emit(self, payload, port=None, *, bint final=False):
        """`nodes.Emit`."""
        cdef bytes data
        cdef int64_t size, a, b
        if not self.running:
            raise RuntimeError("emit is there during a call of the node, and nowhere else")
        cdef Emissions emissions = self.emissions
        if port is not None or self.outputs != 1 or emissions.count >= self.emissions_max or self.kind == TEXT:
            emissions.take(self.measured(emissions.count, payload, port, final))
            return
        if type(payload) is bytes:
            data = payload
        elif type(payload) is str:
            data = (<str> payload).encode()
        else:
            emissions.take(self.measured(emissions.count, payload, port, final))
            return
        size = PyBytes_GET_SIZE(data)
        a = b = 0
        if (
            size > self.bytes_max
            or (self.kind == AUDIO and (size == 0 or size & 1 or size > AUDIO_BYTES_MAX))
            or (self.kind == SENTENCES and not ascii_mark(PyBytes_AS_STRING(data), size, &a, &b))
        ):
            emissions.take(self.measured(emissions.count, payload, port, final))
            return
        emissions.add(0, data, FLAG_FINAL if final else 0, a, b)
