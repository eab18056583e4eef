"""What OR-02 wants of every input and every step, compiled: when the last input came, and each turn's share of steps.

`or02.Or02` reads the rest: the few steps in which something was decided, begun, or lost.
"""

from cpython.tuple cimport PyTuple_Check, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t

from rspp_runtime.evidence.laps cimport Laps
from rspp_runtime.kernel.codes cimport IN_USAGE, OP_DEAD_LETTER, OP_DECISION, OP_INVOKE, RESULT_ACCEPTED

from rspp_runtime.evidence.overhead import Stopwatch

cdef dict NOTHING = {}


cdef inline int op_of(object row) except -1:
    """The first field of an input or an output."""
    if not PyTuple_Check(row) or PyTuple_GET_SIZE(row) == 0:
        raise TypeError(f"{type(row).__name__} is no named tuple of rspp_runtime.abi.messages")
    return <object> PyTuple_GET_ITEM(row, 0)


cdef class Timing:
    """See the module. `working` has the `Overhead` of each turn that is open. What it needs of the record:
    `_metered(event)` and `_read(outputs, drained_ns)`."""

    cdef readonly list working
    cdef readonly object accepted_ns    # the last input that may have caused a cancel
    cdef object stopwatch
    cdef bint called                    # Python nodes, in the step that is told next

    def __init__(self):
        self.working = []
        self.accepted_ns = 0
        self.stopwatch = Stopwatch()

    def on_input(self, event, now_ns, int result):
        """`Observer.on_input`."""
        if result == RESULT_ACCEPTED:
            self.accepted_ns = now_ns
            if op_of(event) == IN_USAGE:
                self._metered(event)

    def on_calls(self, took_ns):
        """`Observer.on_calls`."""
        self.stopwatch.took(took_ns)
        self.called = True

    def on_step(self, int64_t now_ns, deadline_ns, int64_t drained_ns, outputs):
        """`Observer.on_step`."""
        cdef int op
        cdef bint is_working = len(self.working) > 0
        cdef int64_t own_ns
        cdef dict nodes_ns = NOTHING
        if self.called:
            self.called = False
            own_ns, nodes_ns = self.stopwatch.stepped(now_ns, drained_ns)
        else:
            own_ns = max(<int64_t> 0, drained_ns - now_ns)
        self.work(own_ns, nodes_ns)
        for output in outputs:
            op = op_of(output)
            if op == OP_DECISION or op == OP_INVOKE or op == OP_DEAD_LETTER:
                self._read(outputs, drained_ns)
                if not is_working:
                    self.work(own_ns, nodes_ns)    # it is the step in which one opens
                return

    cdef int work(self, int64_t own_ns, dict nodes_ns) except -1:
        """A step was of the turns that are open."""
        cdef Laps turn
        for turn in self.working:
            turn.add(own_ns, nodes_ns)
        return 0
