"""The observers of one session, by what each wants to be told; their order is kept. Made once, when all are known.

Of an item is told who wants those of its port, or names no ports. Of a step is told: `steps`, if something was decided
in it; `moves`, if it only moved items, as most do; `quiet_steps`, if nothing came of it.
"""

from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM

from rspp_runtime.kernel.codes cimport OP_INVOKE, OP_TAP

from rspp_runtime.abi.codes import In
from rspp_runtime.session.observer import Observer

ITEMS = (In.MEDIA, In.CHUNK)    # that have a port


cdef class Audience:
    """See the module."""

    def __init__(self, observers):
        hearing = [one for one in observers if overrides(one, "on_input")]
        ports = {place for one in hearing for place in one.ports or ()}
        self.by_kind = [telling(hearing, kind, None) for kind in range(max(In) + 1)]
        self.by_port = [by_place(hearing, kind, ports) if kind in ITEMS else [] for kind in range(max(In) + 1)]
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

    cpdef tuple of_input(self, event):
        """Who is told of an `Inbound`."""
        cdef Py_ssize_t kind = <object> PyTuple_GET_ITEM(event, 0)
        cdef Py_ssize_t node = <object> PyTuple_GET_ITEM(event, 1), port = <object> PyTuple_GET_ITEM(event, 2)
        cdef Lately* lately = &self.lately[kind % LATELY]
        cdef tuple found
        if lately.told != NULL and lately.kind == kind and lately.node == node and lately.port == port:
            return <tuple> lately.told    # as most: it is at hand
        found = self.told(kind, node, port)
        lately.kind, lately.node, lately.port, lately.told = kind, node, port, <PyObject*> found
        return found

    cdef tuple told(self, Py_ssize_t kind, Py_ssize_t node, Py_ssize_t port):
        cdef list nodes = <list> self.by_port[kind], ports
        if 0 <= node < len(nodes):
            ports = <list> nodes[node]
            if 0 <= port < len(ports):
                return <tuple> ports[port]
        return <tuple> self.by_kind[kind]

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


cdef tuple telling(list hearing, int kind, place):
    """Who is told of inputs of a kind, at (node, port); None: anywhere that nobody names."""
    return tuple([
        one.on_input for one in hearing if kind in one.INPUTS and (one.ports is None or place in one.ports)
    ])


cdef list by_place(list hearing, int kind, set places):
    """The same for all that were named, by node and port."""
    cdef list nodes = [[] for _ in range(max([node for node, _ in places], default=-1) + 1)]
    for node, port in sorted(places):
        nodes[node] += [telling(hearing, kind, (node, at)) for at in range(len(nodes[node]), port + 1)]
    return nodes


cdef bint overrides(observer, str name):
    return getattr(type(observer), name) is not getattr(Observer, name)
