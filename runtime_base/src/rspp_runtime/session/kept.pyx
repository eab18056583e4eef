"""The compiled half of `session.later`: what happened is kept by reference, and told in its order, at its time."""

cdef double BETWEEN_S = 0.005       # rounds of a line that is spread
cdef Py_ssize_t ROUND_MIN = 4


cdef class Line:
    """Whoever is in it is served, `serve(one)`, `pause_s` after the first one came, in rounds of at most `round_max`.

    With `spread_s` not all at once: they share that time, however many they are.
    """

    def __init__(self, loop, double pause_s, serve, Py_ssize_t round_max, double spread_s=0):
        self.loop, self.pause_s, self.serve, self.round_max = loop, pause_s, serve, round_max
        self.spread_s = spread_s
        self.waiting = []

    cpdef join(self, one):
        """It is served, once for each time that it joins."""
        self.waiting.append(one)
        if not self.due:
            self.due = True
            self.loop.call_later(self.pause_s, self.round)

    def round(self):
        """Those who have waited longest are served."""
        cdef list now = self.waiting
        cdef Py_ssize_t most = self.round_max
        if self.spread_s > 0:
            most = min(most, max(ROUND_MIN, <Py_ssize_t> (len(now) * BETWEEN_S / self.spread_s) + 1))
        self.waiting = []
        if len(now) > most:
            self.waiting, now = now[most:], now[:most]
        for one in now:
            try:
                self.serve(one)
            except Exception:    # its session's next step raises it
                continue
        if self.waiting and self.spread_s > 0:
            self.loop.call_later(BETWEEN_S, self.round)
        elif self.waiting:
            self.loop.call_soon(self.round)
        else:
            self.due = False


cdef class Kept:
    """`line` is joined when something waits, after nothing; `_knows_all()` when everything was told, unless something
    is kept of that anyway (`keeps`), and waits for a flush."""

    def __init__(self, Audience audience, Py_ssize_t waiting_max, Line line not None):
        self.audience, self.waiting_max, self.line = audience, waiting_max, line
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
            self.line.join(self)
        self.waiting.append(row)
