"""Brackets that have no partner: found by the indentation, before the grammar sees them.

A missing `}` would otherwise show up as a puzzling error many lines below. What is missing is put in, as a token that
covers nothing, and what closes nothing is left out; so the grammar only ever meets balanced brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tree import Token

CLOSER = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
CLOSERS = frozenset(CLOSER.values())
_OPENER = {closer: opener for opener, closer in CLOSER.items()}
_TEXT = {"LBRACE": "{", "LPAR": "(", "LSQB": "[", "RBRACE": "}", "RPAR": ")", "RSQB": "]"}
_TOP_LEVEL = frozenset({"PIPELINE", "PROVIDER", "MODULE", "TOOL", "POLICY", "IMPORT"})
_DEPTH_MAX = 64
_LOOK_BACK_MAX = 64  # tokens of a line, among which a missing opener has its place


def brackets(text: str) -> Iterator[tuple[str, int]]:
    """Every bracket outside texts and comments, with its offset."""
    return ((token.text, token.start) for token in scan(text) if token.kind in _TEXT)


def mend_brackets(tokens: list[Token], findings: Findings) -> list[Token] | None:
    """The tokens with every bracket balanced; None when they are nested too deeply to be read."""
    if not is_balanced(tokens):
        return _Mend(tokens, findings).tokens()
    return tokens


def is_balanced(tokens: Sequence[Token]) -> bool:
    """Whether every bracket has its partner among the tokens, and none is nested too deeply."""
    expected: list[str] = []
    for token in tokens:
        kind = token.kind
        if kind in CLOSER:
            expected.append(CLOSER[kind])
            if len(expected) > _DEPTH_MAX:
                return False
        elif kind in CLOSERS and (not expected or expected.pop() != kind):
            return False
    return not expected


@dataclass(slots=True)
class _Open:
    """A bracket that waits for its partner; how far its line is indented, and the first line of its statement."""

    token: Token
    line: int
    indent: int
    of_statement: int

    @property
    def closer(self) -> str:
        return CLOSER[self.token.kind]


@dataclass(slots=True)
class _Line:
    """A line that deeper ones may follow: its last token, and how many brackets were open behind it.

    When one of these was closed since, a block behind this line would cut across others.
    """

    indent: int
    last: Token | None = None
    depth: int = 0
    is_cut: bool = False


class _Mend:
    """One walk over the tokens. Lines are compared by how far they are indented, as a reader does."""

    def __init__(self, tokens: list[Token], findings: Findings) -> None:
        self._given = tokens
        self._findings = findings
        self._source = findings.source
        self._made: list[Token] = []
        self._behind: dict[int, Token] = {}  # an opener to put behind the token of that identity
        self._open: list[_Open] = []
        self._lines: list[_Line] = []  # the lines that this one lies below, each deeper than the one before
        self._at = self._line = self._indent = self._of_statement = 0
        kinds = [token.kind for token in tokens]
        self._surplus = {closer: kinds.count(closer) - kinds.count(opener) for opener, closer in CLOSER.items()}

    def tokens(self) -> list[Token] | None:
        """All tokens, mended; None as soon as they are nested too deeply."""
        for at, token in enumerate(self._given):
            self._at = at
            is_first = token.kind not in ("_NL", "$END") and self._begins_line(token)
            if token.kind == "$END":
                while self._open:
                    self._close_last()
            elif is_first and token.kind not in CLOSERS:
                while self._open and self._has_ended(self._open[-1], token):
                    self._close_last()
            if token.kind in CLOSER:
                self._open.append(_Open(token, self._line, self._indent, self._of_statement))
                if len(self._open) > _DEPTH_MAX:
                    message = f"brackets are nested deeper than {_DEPTH_MAX}"
                    self._findings.add("E0110", message, token.start, token.end, help="take the inner ones out")
                    return None
            is_kept = token.kind not in CLOSERS or (self._ends_block(token) if is_first else self._ends_inline(token))
            if is_first:
                self._lines = [*self._below(), _Line(self._indent)]
            if is_kept:
                self._made.append(token)
                if self._lines and token.kind != "_NL":
                    self._lines[-1].last, self._lines[-1].depth = token, len(self._open)
        return [part for token in self._made for part in (token, self._behind.get(id(token))) if part]

    def _begins_line(self, token: Token) -> bool:
        """Whether the token is the first of its line; keeps count of the lines."""
        line, column = self._source.position(token.start)
        if line == self._line:
            return False
        self._line = line
        before = self._source.line(line)[: column - 1]
        if before.strip():  # the line begins in the middle of a long text
            return False
        self._indent = len(before.expandtabs(4))
        if not self._made or self._made[-1].kind in ("_NL", "_COMMA"):
            self._of_statement = self._indent
        return True

    def _below(self) -> list[_Line]:
        """The lines that a line of this indentation lies below."""
        return [line for line in self._lines if line.indent < self._indent]

    # ---- what is left open

    def _has_ended(self, opened: _Open, token: Token) -> bool:
        """Whether a line that begins with `token` cannot be inside the bracket: it is no deeper than the bracket's.

        The outermost block is judged by the lines' first words instead: some people do not indent what is inside.
        """
        is_outside = self._indent <= opened.of_statement and self._line > opened.line
        return is_outside and (len(self._open) > 1 or token.kind in _TOP_LEVEL)

    def _close_last(self) -> None:
        """Puts the missing partner of the last open bracket behind what was read so far; of two alike, drops one."""
        opened = self._pop()
        token = opened.token
        at = self._made_at(token)
        if self._made[at + 1 : at + 2] and self._made[at + 1].kind == token.kind:
            fix = self._findings.change(token.start, token.end, "")
            message = f"`{token.text}` is never closed"
            self._findings.add("E0111", message, token.start, token.end, help="remove one of the two", fix=fix)
            del self._made[at]
            return
        place = len(self._made)
        while self._made[place - 1].kind == "_NL":
            place -= 1
        end = self._made[place - 1].end
        missing = _TEXT[opened.closer]
        line = self._source.position(end)[0]
        if line == opened.line:
            where, text = "where the block ends", " }" if missing == "}" else missing
        else:
            where, text = f"behind line {line}", f"\n{self._source.line(opened.line)[: opened.indent]}{missing}"
        self._findings.add(
            "E0111",
            f"`{token.text}` is never closed",
            token.start,
            token.end,
            help=f"add `{missing}` {where}",
            fix=self._findings.change(end, end, text),
        )
        self._made.insert(place, Token(opened.closer, missing, end, end))

    def _made_at(self, token: Token) -> int:
        """The place of a token in what was made, looked for from the end."""
        at = len(self._made) - 1
        while self._made[at] is not token:
            at -= 1
        return at

    def _close(self, closer: str) -> None:
        """Closes the last bracket that `closer` may close; those above it were left open."""
        while self._open[-1].closer != closer:
            self._close_last()
        self._pop()

    def _pop(self) -> _Open:
        opened = self._open.pop()
        for line in self._lines:
            line.is_cut |= line.depth > len(self._open)
        return opened

    # ---- what closes

    def _ends_block(self, token: Token) -> bool:
        """A closer that begins its line: whether it closes something. It belongs to a line indented like itself."""
        while len(self._open) > 1 and self._open[-1].of_statement > self._indent:
            self._close_last()
        if not self._open or self._open[-1].indent < self._indent:
            head = next((line for line in reversed(self._lines) if line.indent <= self._indent), None)
            has_body = head is not None and head is not self._lines[-1]
            if head and has_body and head.indent == self._indent and self._may_open(head):
                return self._open_behind(head, token)
        if any(opened.closer == token.kind for opened in self._open) and not self._is_surplus(token):
            self._close(token.kind)
            return True
        return self._drop(token)

    def _may_open(self, line: _Line) -> bool:
        """Whether a block may begin behind a line."""
        last = line.last
        if last is None or last.kind in (*_TEXT, "PROFILE"):
            return False
        return not line.is_cut and id(last) not in self._behind

    def _is_surplus(self, token: Token) -> bool:
        """Whether there is a closer too many, and this one would end the outermost block before its lines do."""
        behind = self._given[self._at + 1]
        following = self._given[self._at + 2] if behind.kind == "_NL" else behind
        is_top_level = following.kind in _TOP_LEVEL and behind.kind == "_NL"
        is_early = not is_top_level and following.kind not in ("$END", *CLOSERS)
        return len(self._open) == 1 and self._surplus[token.kind] > 0 and is_early

    def _ends_inline(self, token: Token) -> bool:
        """A closer at the end of a line: whether it closes something."""
        matching = next((opened for opened in reversed(self._open) if opened.closer == token.kind), None)
        if matching and (matching.line == self._line or self._surplus[token.kind] <= 0):
            self._close(token.kind)
            return True
        before = self._inline_opener(token)
        if before is not None and before < len(self._made) and is_balanced(self._made[before:]):
            return self._open_before(before, token)
        return self._drop(token)

    def _inline_opener(self, closer: Token) -> int | None:
        """Before which token of its line the partner of a closer is missing, if that can be told."""
        if self._open and self._open[-1].line == self._line:
            return None
        line_start = self._source.offset(self._line, 1)
        first = len(self._made)
        while first and len(self._made) - first < _LOOK_BACK_MAX and self._made[first - 1].start >= line_start:
            first -= 1
        kinds = [token.kind for token in self._made[first:]]
        if closer.kind == "RPAR":  # a call's text: `secret "…")`
            is_call = kinds[-2:] == ["NAME", "STRING"]
            return len(self._made) - 1 if is_call else None
        if "EQUAL" not in kinds:
            return None
        if closer.kind == "RSQB":  # the last setting's value: `buffer = 64 items, 200ms]`
            return len(self._made) - kinds[::-1].index("EQUAL")
        key = first + kinds.index("EQUAL") - 1  # the first setting: `node stt language = "en" }`
        while key > first + 1 and self._made[key - 1].kind == "DOT":
            key -= 2
        return key if key > first else None

    def _open_before(self, at: int, closer: Token) -> bool:
        """Puts the missing opener before a token that was read."""
        self._surplus[closer.kind] -= 1
        missing, place = _TEXT[_OPENER[closer.kind]], self._made[at].start
        self._findings.add(
            "E0112",
            f"`{closer.text}` closes nothing",
            closer.start,
            closer.end,
            help=f"add `{missing}` before `{self._made[at].text}`, or remove it",
            fix=self._findings.change(place, place, f"{missing} " if missing == "{" else missing),
        )
        self._made.insert(at, Token(_OPENER[closer.kind], missing, place, place))
        return True

    def _open_behind(self, line: _Line, closer: Token) -> bool:
        """Puts the missing opener of a block where its first line ends."""
        head = line.last
        assert head
        self._surplus[closer.kind] -= 1
        missing = _TEXT[_OPENER[closer.kind]]
        self._behind[id(head)] = Token(_OPENER[closer.kind], missing, head.end, head.end)
        self._findings.add(
            "E0112",
            f"`{missing}` is missing: a block that was never opened ends below",
            head.end,
            head.end,
            secondary=[(closer.start, closer.end, "closes nothing")],
            help=f"add `{missing}` at the end of the line",
            fix=self._findings.change(head.end, head.end, f" {missing}"),
        )
        return True

    def _drop(self, token: Token) -> bool:
        self._surplus[token.kind] -= 1
        message, fix = f"`{token.text}` closes nothing", self._findings.change(token.start, token.end, "")
        self._findings.add("E0112", message, token.start, token.end, help="remove it", fix=fix)
        return False
