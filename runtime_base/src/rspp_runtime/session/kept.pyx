"""The compiled half of `session.later.Later`: what happened is kept by reference, and told in its order."""


cdef class Kept:
    """`first()` is called when something waits, after nothing; `_knows_all()` when everything was told, unless something
    is kept of that anyway (`keeps`), and waits for a flush."""

    def __init__(self, Audience audience, Py_ssize_t waiting_max, first):
        self.audience, self.waiting_max, self.first = audience, waiting_max, first
        self.waiting = []

    def catch_up(self):
        """They know everything now. Raises what one of them raised."""
        cdef list waiting = self.waiting
        cdef tuple row
        self.waiting = []
        try:
            for row in waiting:
                if len(row) == 4:      # an input
                    for tell in <tuple> row[0]:
                        tell(row[1], row[2], row[3])
                elif len(row) == 5:    # a step
                    for tell in <tuple> row[0]:
                        tell(row[1], row[2], row[3], row[4])
                else:                  # anything else
                    for tell in <tuple> row[0]:
                        tell(*row[1])
            if not self.keeps:
                self._knows_all()
        except Exception as error:
            self.failure = error
        if self.failure is not None:
            raise self.failure

    def keep(self, tuple tells, tuple what):
        """`tell(*what)` for each of them, behind everything that has happened so far."""
        self.add((tells, what))

    def on_input(self, event, now_ns, result):
        """As an observer is told."""
        self.add((self.audience.of_input(event), event, now_ns, result))

    def on_step(self, now_ns, deadline_ns, drained_ns, outputs):
        """As an observer is told."""
        if self.failure is not None:
            raise self.failure
        self.add((self.audience.of_step(outputs), now_ns, deadline_ns, drained_ns, outputs))
        if len(self.waiting) >= self.waiting_max:
            self.catch_up()

    cdef object add(self, tuple row):
        if not self.waiting:
            self.first()
        self.waiting.append(row)
