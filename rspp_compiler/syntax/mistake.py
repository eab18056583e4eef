"""One mistake: what stands there, what was expected, what is probably meant, and the tokens that would mend it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.syntax.brackets import CLOSER, CLOSERS, is_balanced
from rspp_compiler.syntax.expected import DECLARATIONS, TOP_LEVEL, phrase
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.hints import Place, hint
from rspp_compiler.syntax.machine import Machine
from rspp_compiler.syntax.misplaced import into_the_pipeline, out_of_the_pipeline
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tables import tables
from rspp_compiler.syntax.tree import Token

_SHOWN_MAX = 40  # characters of what was not expected
_TRIED_MAX = 300  # tokens that are read to see whether a change would help
# What people leave out, in the order in which it is tried.
_LEFT_OUT = (
    ("ARROW", "->"), ("EQUAL", "="), ("COLON", ":"), ("_COMMA", ","), ("WHEN", "when"), ("FROM", "from"),
    ("BEFORE", "before"), ("VERSION", "version"), ("OR", "or"), ("AND", "and"),
)  # fmt: skip


class Item(NamedTuple):
    """What is being read: the tokens `[start, end)`, behind the first `height` values of the machine.

    `line` is the height of the line of a block, or of the declaration, that it is or lies in.
    """

    start: int
    end: int
    height: int
    line: int
    is_outermost: bool  # no bracket is open around it


class Change(NamedTuple):
    """Tokens `[first, behind)` become `new`."""

    first: int
    behind: int
    new: list[Token]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    """What is probably meant. It may know better than the parser what is wrong, and where."""

    help: str = ""
    fix: Fix | None = None
    change: Change | None = None
    message: str = ""
    at: tuple[int, int] | None = None


class Mistake:
    """The token `at` does not fit into the item."""

    def __init__(self, tokens: list[Token], at: int, item: Item, machine: Machine, findings: Findings) -> None:
        self._tokens = tokens
        self._at = at
        self._item = item
        self._machine = machine
        self._findings = findings
        self._text = findings.source.text
        self._accepted = machine.accepted()
        if at and tokens[at - 1].kind == "ARROW":
            self._accepted.discard("_NL")  # the line may end here, and that would mend nothing

    def report(self) -> Change | None:
        """Reports the mistake: the change of tokens that makes the item, or more of it, readable; None if none does."""
        guess = (
            self._dangling_arrow()
            or self._hinted()
            or self._word()
            or self._blank()
            or self._misplaced()
            or self._misspelt()
            or self._twice()
            or self._undeclared()
            or self._goes_on()
            or self._belongs_above()
            or self._left_out()
            or self._too_much()
            or _Guess()
        )
        start, end = guess.at or self._place()
        message = guess.message or f"{self._found()}: expected {phrase(self._accepted)}"
        self._findings.add("E0110", message, start, end, help=guess.help, fix=guess.fix)
        return guess.change

    # ---- what stands there

    def _place(self) -> tuple[int, int]:
        token = self._tokens[self._at]
        if self._ends_early:
            end = self._tokens[self._at - 1].end if self._at else token.start
            return end, end
        return token.start, token.start + len(token.text.rstrip())

    @property
    def _ends_early(self) -> bool:
        """Whether the mistake is that nothing more comes; a bracket that was put in covers nothing."""
        token = self._tokens[self._at]
        return token.kind in ("_NL", "$END") or token.start == token.end

    def _found(self) -> str:
        token = self._tokens[self._at]
        if self._ends_early:
            return "the file ends too early" if token.kind == "$END" else "the line ends too early"
        if token.kind == "BAD_BLANK" or (token.kind == "BAD" and not token.text.isprintable()):
            name = unicodedata.name(token.text[0], "unnamed").lower()
            return f"unexpected character U+{ord(token.text[0]):04X} ({name})"
        if token.kind == "BAD" and len(token.text) == 1:
            return f"unexpected character `{token.text}`"
        word = token.text.split("\n")[0].rstrip()
        return f"unexpected `{word if len(word) <= _SHOWN_MAX else word[:_SHOWN_MAX] + '…'}`"

    # ---- what may be meant, the most telling first

    def _dangling_arrow(self) -> _Guess | None:
        """An arrow that ends its line, although the next one is a new statement."""
        end = self._at
        while end > self._item.start and self._tokens[end].kind != "_NL":
            end -= 1
        arrow, following = self._tokens[end - 1], self._tokens[end + 1 : end + 2]
        if end <= self._item.start or arrow.kind != "ARROW" or not following:
            return None
        if following[0].text not in DECLARATIONS and following[0].kind not in (*CLOSERS, "$END"):
            return None
        hops = sum(token.kind == "ARROW" for token in self._tokens[self._item.start : end])
        return _Guess(
            message="nothing follows this arrow",
            at=(arrow.start, arrow.end),
            help="say where the flow goes, or remove the arrow",
            fix=self._findings.change(arrow.start, arrow.end, "") if hops > 1 else None,
            change=Change(end - 1, end, []),
        )

    def _hinted(self) -> _Guess | None:
        """One of the mistakes that people make most."""
        found = hint(Place(self._text, self._place()[0], self._accepted))
        if found is None:
            return None
        if found.edit is None:
            return _Guess(help=found.help)
        start, end, text = found.edit
        change = self._change(start, end, text)
        fix = self._findings.change(start, end, text)
        fix = guess(fix) if found.is_guess else fix
        return _Guess(help=found.help, fix=fix, change=change if self._helps(change) else None)

    def _word(self) -> _Guess | None:
        """A name with letters beyond `a` to `z`. It is read as it is written."""
        token = self._tokens[self._at]
        if token.kind != "BAD_WORD":
            return None
        before = self._tokens[self._at - 1] if self._at else token
        is_split = before.end == token.start and before.text.isidentifier()
        word = before.text + token.text if is_split else token.text
        start = before.start if is_split else token.start
        if not word.isidentifier():
            return _Guess(message=f"`{word[:_SHOWN_MAX]}` is neither a name nor a number", at=(start, token.end))
        plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
        first = self._at - 1 if is_split else self._at
        return _Guess(
            message=f"`{word[:_SHOWN_MAX]}` has letters that a name cannot have",
            at=(start, token.end),
            help="names are made of the letters a to z, digits and `_`",
            fix=self._findings.change(start, token.end, plain) if plain.isidentifier() else None,
            change=Change(first, self._at + 1, [Token("NAME", word, start, token.end)]),
        )

    def _blank(self) -> _Guess | None:
        """A blank that looks like one, and is another character."""
        token = self._tokens[self._at]
        if token.kind != "BAD_BLANK":
            return None
        fix = self._findings.change(token.start, token.end, " ")
        return _Guess(help="write a plain blank", fix=fix, change=Change(self._at, self._at + 1, []))

    def _misplaced(self) -> _Guess | None:
        """A line that belongs into the pipeline, out of it, or out of the braces of another line."""
        tokens, (start, end, _, _, is_outermost) = self._tokens, self._item
        first, following = tokens[start].text, tokens[min(start + 1, end)]
        if "PIPELINE" in self._accepted and self._at == start:
            is_flow = first.isidentifier() and following.kind in ("ARROW", "DOT")
            if first not in DECLARATIONS and not is_flow:
                return None
            fix = into_the_pipeline(tokens, start, end, self._findings.source)
            return _Guess(help="a line like this belongs inside `pipeline NAME { … }`", fix=fix)
        if is_outermost or self._at != start + 1 or not following.text.isidentifier():
            return None
        if first in TOP_LEVEL:
            fix = out_of_the_pipeline(tokens, start, end, self._findings.source)
            help = f"`{first}` stands outside of the pipeline" if self._item.height == self._item.line else ""
            return _Guess(help=help, fix=fix) if help else None
        if first in ("node", "on", "party", "mode", "budget"):
            return _Guess(help=f"`{first}` begins a line of the pipeline itself, not one inside of another")
        return None

    def _misspelt(self) -> _Guess | None:
        """A word that is nearly one that may stand here."""
        token = self._tokens[self._at]
        words = [word for word, kind in tables().keywords.items() if kind in self._accepted]
        near = nearest(token.text, words) if token.text.isidentifier() else ""
        if not near:
            return None
        mended = Token(tables().keywords[near], near, token.start, token.end)
        return _Guess(
            help=f"did you mean `{near}`?",
            fix=self._findings.change(token.start, token.end, near),
            change=Change(self._at, self._at + 1, [mended]),
        )

    def _twice(self) -> _Guess | None:
        """A token that repeats the one before it."""
        for at in (self._at, self._at - 1):
            if at - 1 < self._item.start or self._tokens[at].text != self._tokens[at - 1].text:
                continue
            token, change = self._tokens[at], Change(at, at + 1, [])
            if self._helps(change):
                place, shown = (token.start, token.end), token.text.strip()
                fix = self._findings.change(*place, "")
                return _Guess(message=f"`{shown}` twice", at=place, help="remove one", fix=fix, change=change)
        return None

    def _undeclared(self) -> _Guess | None:
        """`voice : tts` or `llm { … }` without the word `node`."""
        first = self._tokens[self._item.start]
        change = Change(self._item.start, self._item.start, [Token("NODE", "node", first.start, first.start)])
        is_name = first.text not in DECLARATIONS and self._at == self._item.start + 1
        if self._tokens[self._at].kind not in ("COLON", "LBRACE") or not (is_name and self._mends(change)):
            return None
        fix = self._findings.change(first.start, first.start, "node ")
        return _Guess(help="is `node` missing?", fix=fix, change=change)

    def _goes_on(self) -> _Guess | None:
        """A line that ends in the middle: with the next one, it can be read."""
        line_end = self._tokens[self._at]
        if line_end.kind != "_NL":
            return None
        behind = item_end(self._tokens, self._at + 1, self._item.is_outermost) + 1
        kinds = [token.kind for token in self._tokens[self._at + 1 : behind][:_TRIED_MAX]]
        if self._machine.reach(kinds) < len(kinds):
            return None
        fix = (
            None
            if "#" in line_end.text
            else self._findings.change(self._place()[0], self._tokens[self._at + 1].start, " ")
        )
        return _Guess(
            help="the next line goes on: write both as one", fix=fix, change=Change(self._at, self._at + 1, [])
        )

    def _belongs_above(self) -> _Guess | None:
        """A line that begins with what only goes on. The one above was complete, and stays as it is."""
        token, before = self._tokens[self._at], self._tokens[self._at - 1] if self._at else None
        if before is None or before.kind != "_NL" or token.kind not in ("LBRACE", "COLON", "EQUAL"):
            return None
        end = self._tokens[self._at - 2].end if self._at > 1 else 0
        fix = None if "#" in before.text else self._findings.change(end, token.start, " ")
        return _Guess(help="this belongs to the line above: write both as one", fix=fix)

    def _left_out(self) -> _Guess | None:
        """A word or sign that makes the whole item readable when it is put in."""
        token = self._tokens[self._at]
        for kind, text in () if self._ends_early else _LEFT_OUT:
            if kind in self._accepted:
                change = Change(self._at, self._at, [Token(kind, text, token.start, token.start)])
                if self._mends(change):
                    place = self._tokens[self._at - 1].end if kind == "_COMMA" else token.start
                    fix = self._findings.change(place, place, text if kind == "_COMMA" else f"{text} ")
                    return _Guess(help=f"is `{text}` missing?", fix=fix, change=change)
        return None

    def _too_much(self) -> _Guess | None:
        """The token, when the whole item is readable without it. Where only a name may stand, a name is missing."""
        token = self._tokens[self._at]
        change = Change(self._at, self._at + 1, [])
        is_possible = self._at != self._item.end and self._accepted != {"NAME"} and is_balanced([token])
        if not (is_possible and self._mends(change)):
            return None
        return _Guess(help="remove it", fix=self._findings.change(token.start, token.end, ""), change=change)

    # ---- trying

    def _change(self, start: int, end: int, text: str) -> Change:
        """The change of tokens that goes with putting `text` in the place of the characters `[start, end)`."""
        first = self._item.start
        while first < self._item.end and self._tokens[first].end <= start:
            first += 1
        behind = first
        while behind < self._item.end and self._tokens[behind].start < end:
            behind += 1
        return Change(first, behind, [Token(kind, word, start, end) for kind, word, _, _ in scan(text)[:-1]])

    def _helps(self, change: Change) -> bool:
        """Whether the item can be read further than before. There may be a second mistake behind this one."""
        before = self._at - self._item.start - (change.behind - change.first) + len(change.new)
        reach = self._reach(change, self._item.start, self._item.height)
        is_sound = is_balanced(self._tokens[change.first : change.behind]) and is_balanced(change.new)
        return is_sound and reach > before

    def _mends(self, change: Change) -> bool:
        """Whether the item can be read to its end: from here on, or from its beginning if that changes."""
        is_ahead = change.first >= self._at
        start, height = (self._at, None) if is_ahead else (self._item.start, self._item.height)
        size = self._item.end + 1 - start - (change.behind - change.first) + len(change.new)
        return self._reach(change, start, height) >= min(size, _TRIED_MAX)

    def _reach(self, change: Change, start: int, height: int | None = None) -> int:
        """How many tokens from `start` on could be read after the change."""
        kinds = [token.kind for token in self._tokens[start : min(self._item.end + 1, start + _TRIED_MAX)]]
        first = change.first - start
        kinds[first : change.behind - start] = [token.kind for token in change.new]
        return self._machine.reach(kinds[:_TRIED_MAX], height)


def separators(is_outermost: bool) -> tuple[str, ...]:
    """What separates items: outside of every bracket, a comma does not."""
    return ("_NL",) if is_outermost else ("_NL", "_COMMA")


def item_end(tokens: list[Token], at: int, is_outermost: bool) -> int:
    """Where the item that token `at` belongs to ends: at what separates it, or closes the bracket around it."""
    depth = 0
    while (kind := tokens[at].kind) != "$END":
        if kind in CLOSER:
            depth += 1
        elif kind in CLOSERS and depth:
            depth -= 1
        elif not depth and (kind in separators(is_outermost) or kind in CLOSERS):
            break
        at += 1
    return at
