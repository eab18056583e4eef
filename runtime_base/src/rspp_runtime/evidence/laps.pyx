"""What the kernel took for a turn, added up step by step: the compiled half of `overhead.Overhead`."""


cdef class Laps:
    """The steps of one turn, and what the kernel took in them without the nodes that were called there, in all and in
    the longest; what those took, by node. Times are ns."""

    def __init__(self):
        self.nodes_ns = {}

    cpdef int add(self, int64_t own_ns, dict nodes_ns) except -1:
        """One more step of the turn, as `overhead.Stopwatch.stepped` has it."""
        self.steps += 1
        self.kernel_ns += own_ns
        if own_ns > self.longest_ns:
            self.longest_ns = own_ns
        for node, ns in nodes_ns.items():
            self.nodes_ns[node] = self.nodes_ns.get(node, 0) + ns
        return 0
