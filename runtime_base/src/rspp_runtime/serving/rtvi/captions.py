"""What is said aloud, piece by piece, and how much of it was heard: the material of `bot-output`.

A piece is what a voice is given at once, a sentence as a rule. It is shown when the turn's playback has begun: what was
cut off before anybody heard it never was.
"""

from __future__ import annotations

from dataclasses import dataclass

PIECES_MAX = 256  # of one turn; older ones are not told of any more


@dataclass(slots=True)
class Piece:
    """`start` is its place in the turn's text, in bytes; `heard` how many of its bytes were heard."""

    number: int  # in the session
    text: str
    start: int
    size: int
    heard: int = 0

    @property
    def spoken(self) -> str:
        return self.text.encode()[: self.heard].decode("utf-8", "ignore")

    @property
    def is_whole(self) -> bool:
        return self.heard >= self.size


class Captions:
    """The pieces of the turn that is being played."""

    __slots__ = ("_end", "_number", "_pieces", "_playing", "_shown", "turn")

    def __init__(self) -> None:
        self.turn = 0
        self._number = 0
        self._pieces: list[Piece] = []
        self._shown = 0  # of the pieces
        self._end = 0  # bytes of the turn's text
        self._playing = False

    @property
    def is_empty(self) -> bool:
        return not self._pieces

    def begin(self, turn: int) -> None:
        if turn != self.turn:
            self.turn, self._pieces, self._shown, self._end, self._playing = turn, [], 0, 0, False

    def voiced(self, turn: int, text: str) -> list[Piece]:
        """A voice is given this; returns what is to be shown now."""
        self.begin(turn)
        self._number += 1
        size = len(text.encode())
        self._pieces.append(Piece(self._number, text, self._end, size))
        self._end += size
        if len(self._pieces) > PIECES_MAX:
            del self._pieces[0]
            self._shown = max(0, self._shown - 1)
        return self._show() if self._playing else []

    def started(self, turn: int) -> list[Piece]:
        """Its playback has begun; returns what is to be shown now."""
        self.begin(turn)
        self._playing = True
        return self._show()

    def heard(self, size: int) -> list[Piece]:
        """So many bytes of the turn's text were heard; returns the pieces of which more was heard than before."""
        more = []
        for piece in self._pieces[: self._shown]:
            heard = min(piece.size, max(0, size - piece.start))
            if heard > piece.heard:
                piece.heard = heard
                more.append(piece)
        return more

    def _show(self) -> list[Piece]:
        new, self._shown = self._pieces[self._shown :], len(self._pieces)
        return new
