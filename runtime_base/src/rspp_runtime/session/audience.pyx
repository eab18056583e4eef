"""The observers of one session, by what each wants to be told; their order is kept. Made once, when all are known.

Of a step is told: `steps`, if something was decided in it; `moves`, if it only moved items, as most do; `quiet_steps`,
if nothing came of it.
"""

from cpython.tuple cimport PyTuple_GET_ITEM

from rspp_runtime.kernel.codes cimport OP_INVOKE, OP_TAP

from rspp_runtime.abi.codes import In
from rspp_runtime.session.observer import Observer


cdef class Audience:
    """See the module."""

    def __init__(self, observers):
        hearing = [(one.on_input, one.INPUTS) for one in observers if overrides(one, "on_input")]
        told = [tuple([tell for tell, kinds in hearing if kind in kinds]) for kind in range(max(In) + 1)]
        equal = {tells: tells for tells in told}    # most kinds are heard by the same
        self.by_kind = [equal[tells] for tells in told]
        stepping = [one for one in observers if overrides(one, "on_step")]
        self.steps = tuple([one.on_step for one in stepping])
        self.moves = tuple([one.on_step for one in stepping if one.MOVES])
        self.quiet_steps = tuple([one.on_step for one in stepping if one.QUIET_STEPS])
        calling = [one for one in observers if overrides(one, "on_handler")]
        self.handlers = tuple([one.on_handler for one in calling])
        self.every_call = any(one.EVERY_CALL for one in calling)
        self.calls = tuple([one.on_calls for one in observers if overrides(one, "on_calls")])
        self.states = tuple([one.on_state for one in observers if overrides(one, "on_state")])
        self.invocations = tuple([one.on_invocation for one in observers if overrides(one, "on_invocation")])

    @property
    def inputs(self):
        """Who is told of an input, by its `In`; kinds that nobody is told of are not in it."""
        return {kind: tells for kind, tells in enumerate(self.by_kind) if tells}

    cdef tuple of_input(self, event):
        """Who is told of an `Inbound`."""
        return <tuple> self.by_kind[<int> <object> PyTuple_GET_ITEM(event, 0)]

    cpdef tuple of_step(self, outputs):
        """Who is told of a step with these `Output`s."""
        cdef int op
        if not outputs:
            return self.quiet_steps
        for output in outputs:
            op = <object> PyTuple_GET_ITEM(output, 0)
            if not OP_INVOKE <= op < OP_TAP:
                return self.steps
        return self.moves


cdef bint overrides(observer, str name):
    return getattr(type(observer), name) is not getattr(Observer, name)
