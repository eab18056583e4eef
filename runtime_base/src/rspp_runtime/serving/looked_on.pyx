"""What happens while nobody looks on: nothing. The compiled half of `feed.Feed`."""


cdef class LookedOn:
    """While `listens`, it is told: `_input(event, now_ns, result)` and `_step(now_ns, outputs)` are the feed's."""

    cdef public bint listens

    def on_input(self, event, now_ns, result):
        """`Observer.on_input`."""
        if self.listens:
            self._input(event, now_ns, result)

    def on_step(self, now_ns, deadline_ns, drained_ns, outputs):
        """`Observer.on_step`."""
        if self.listens:
            self._step(now_ns, outputs)
