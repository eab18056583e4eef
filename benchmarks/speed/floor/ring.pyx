# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The floor seen from Python: `ring.h` with stages in C, Python callables, or persistent coroutines."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t


cdef extern from "ring.h" nogil:
    ctypedef struct floor_item:
        uint64_t seq
        uint64_t mark
        uint32_t epoch
        void *payload
    ctypedef int (*floor_stage)(void *, floor_item *)
    ctypedef struct floor_kernel:
        uint64_t done
        uint64_t stale
        floor_stage *function
        void **context
        uint32_t *lane_epoch
    floor_kernel *floor_open(int stages, uint32_t capacity)
    void floor_close(floor_kernel *)
    int floor_feed(floor_kernel *, uint64_t, void *)
    void floor_run(floor_kernel *)
    uint64_t floor_flood(floor_kernel *, uint64_t, int)
    uint64_t floor_now_ns()


cdef extern from *:
    """
    #include <Python.h>

    /* `await port` suspends the coroutine; what the kernel sends it is the value. No future, no loop. */
    static PySendResult floor_port_send(PyObject *self, PyObject *value, PyObject **result) {
        (void)self;
        if (value == NULL || value == Py_None) {
            *result = Py_NewRef(Py_None);
            return PYGEN_NEXT;
        }
        *result = Py_NewRef(value);
        return PYGEN_RETURN;
    }
    static void floor_install(PyObject *type) {
        PyTypeObject *t = (PyTypeObject *)type;
        t->tp_as_async->am_send = floor_port_send;
        PyType_Modified(t);
    }
    static int floor_call(PyObject *function, PyObject *view) {
        PyObject *result = PyObject_CallOneArg(function, view);
        if (result == NULL) return -1;
        Py_DECREF(result);
        return 0;
    }
    static int floor_resume(PyObject *coroutine, PyObject *view) {
        PyObject *result = NULL;
        if (PyIter_Send(coroutine, view, &result) != PYGEN_NEXT) return -1;
        Py_XDECREF(result);
        return 0;
    }
    """
    void floor_install(object)
    int floor_call(PyObject *, PyObject *) except -1
    int floor_resume(PyObject *, PyObject *) except -1


cdef class View:
    """The one object that a stage sees; it points at the item while the stage runs."""
    cdef floor_item *item

    @property
    def seq(self):
        return self.item.seq


cdef class Port:
    """What a persistent coroutine awaits."""
    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return None


floor_install(Port)


cdef class Stage:
    """A Python callable or a coroutine that has begun, and its view."""
    cdef object user
    cdef View view

    def __cinit__(self, user):
        self.user = user
        self.view = View()


cdef int call_stage(void *context, floor_item *item) noexcept:
    cdef Stage stage = <Stage>context
    stage.view.item = item
    item.mark += 1
    try:
        return floor_call(<PyObject *>stage.user, <PyObject *>stage.view)
    except Exception:  # C cannot raise: the item stops at this stage
        return 1


cdef int resume_stage(void *context, floor_item *item) noexcept:
    cdef Stage stage = <Stage>context
    stage.view.item = item
    item.mark += 1
    try:
        return floor_resume(<PyObject *>stage.user, <PyObject *>stage.view)
    except Exception:  # C cannot raise: the item stops at this stage
        return 1


cdef class Ring:
    """Stages behind each other. `users` are callables or, with `coroutines`, coroutines; without them stages are C."""
    cdef floor_kernel *kernel
    cdef list stages
    cdef uint64_t sequence

    def __cinit__(self, int stages, users=(), bint coroutines=False, int capacity=1024):
        cdef Stage stage
        self.kernel = floor_open(stages, capacity)
        if self.kernel == NULL:
            raise MemoryError()
        self.stages = [Stage(user) for user in users]
        for index, each in enumerate(self.stages):
            stage = each
            if coroutines:
                stage.user.send(None)  # runs up to its first `await`
            self.kernel.context[index] = <void *>each
            self.kernel.function[index] = <floor_stage>(resume_stage if coroutines else call_stage)

    def __dealloc__(self):
        floor_close(self.kernel)

    @property
    def done(self):
        return self.kernel.done

    def flood(self, uint64_t count, bint fused=False):
        """`count` items through all stages, 64 at a time; returns ns."""
        return floor_flood(self.kernel, count, fused)

    def feed(self, payload):
        """One item from Python, until it is through: what the reader of a socket would do."""
        self.sequence += 1
        if floor_feed(self.kernel, self.sequence, <void *>payload):
            raise BufferError("the ring is full")
        floor_run(self.kernel)


cdef class Fence:
    """A queue whose stale items die when they are taken: a cancel is one store, whatever waits."""
    cdef list items
    cdef list epochs
    cdef Py_ssize_t head, tail, mask
    cdef readonly uint64_t epoch, stale, late

    def __cinit__(self, Py_ssize_t capacity):
        self.items = [None] * capacity
        self.epochs = [0] * capacity
        self.mask = capacity - 1

    cpdef bint push(self, item, uint64_t epoch):
        """False if it is late, or there is no room."""
        if epoch != self.epoch:
            self.late += 1
            return False
        if self.tail - self.head > self.mask:
            return False
        self.items[self.tail & self.mask] = item
        self.epochs[self.tail & self.mask] = epoch
        self.tail += 1
        return True

    cpdef object pop(self):
        """The next item that is not stale, or None."""
        cdef object item
        while self.head != self.tail:
            item = self.items[self.head & self.mask]
            self.items[self.head & self.mask] = None
            epoch = self.epochs[self.head & self.mask]
            self.head += 1
            if epoch == self.epoch:
                return item
            self.stale += 1
        return None

    cpdef void cancel(self):
        self.epoch += 1
