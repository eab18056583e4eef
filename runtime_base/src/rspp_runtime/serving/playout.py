"""From what a client says it has played of a turn to the media time that the kernel asks for (decision 0048)."""

from __future__ import annotations

from bisect import bisect_right

from rspp_runtime.serving.lane import Sent

BREAKS_MAX = 64
BEYOND_NS = 1_000_000_000


class Playout(Sent):
    """Of the newest turn. Its frames follow each other; where they do not (a pause, a voice that came late) is a
    break."""

    __slots__ = ("_at_ns", "_starts_ns", "padding_ns")

    def __init__(self) -> None:
        self.turn = 0
        self.padding_ns = 0  # what fills a client's last packet up, at most: it counts that as played
        self.flushed = False  # and nothing was sent since
        self.sent_ns = 0  # audio of the turn so far
        self.end_ns = 0  # media time of its end
        self._starts_ns: list[int] = []  # audio of the turn before each break
        self._at_ns: list[int] = []  # media time at which it goes on there

    def sent(self, turn: int, play_at_ns: int, duration_ns: int) -> None:
        if turn != self.turn:
            self.turn, self.sent_ns, self.end_ns = turn, 0, -1
            self._starts_ns, self._at_ns = [], []
        self.flushed = False
        if play_at_ns != self.end_ns:
            if len(self._starts_ns) == BREAKS_MAX:
                del self._starts_ns[0], self._at_ns[0]
            self._starts_ns.append(self.sent_ns)
            self._at_ns.append(play_at_ns)
        self.sent_ns += duration_ns
        self.end_ns = play_at_ns + duration_ns

    def flush(self, now_ns: int) -> None:
        """What was not played by now will not be: by our clock, until the client says how far it came."""
        self._cut(self.sent_ns - max(0, self.end_ns - now_ns))
        self.flushed = True

    def reported(self, played_ns: int) -> None:
        """The client has played so much of the turn: what it counts on from, if it has thrown away the rest."""
        if self.flushed:
            self._cut(min(played_ns, self.sent_ns))

    def _cut(self, sent_ns: int) -> None:
        while self._starts_ns and self._starts_ns[-1] > sent_ns:
            del self._starts_ns[-1], self._at_ns[-1]
        if self._starts_ns:
            self.end_ns = self._at_ns[-1] + sent_ns - self._starts_ns[-1]
        self.sent_ns = sent_ns

    def media_ns(self, played_ns: int) -> int:
        """Media time up to which a client has played that has played so much of the turn; what it cannot have played
        is beyond the end, though not by more than `BEYOND_NS`, and the kernel refuses it."""
        if self.sent_ns < played_ns <= self.sent_ns + self.padding_ns:
            played_ns = self.sent_ns  # with the silence that filled the last packet up
        played_ns = min(played_ns, self.sent_ns + BEYOND_NS)
        index = max(0, bisect_right(self._starts_ns, played_ns) - 1)
        if not self._starts_ns:
            return played_ns
        if index and played_ns == self._starts_ns[index]:
            index -= 1  # the end of what was before the break, not the beginning of what is behind it
        return self._at_ns[index] + played_ns - self._starts_ns[index]
