"""Reads tokens to a tree, and goes on behind every mistake.

A mistake is mended if one change makes the rest of its item readable: the item then stays. If not, what was complete of
it stays, or else the item is left out: a setting, a line, or a whole declaration, whichever is the smallest.
"""

from __future__ import annotations

from itertools import pairwise

from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.syntax.brackets import CLOSER, CLOSERS, is_balanced
from rspp_compiler.syntax.expected import DECLARATIONS, TOP_LEVEL
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.machine import Machine
from rspp_compiler.syntax.mistake import Change, Item, Mistake, item_end, separators
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tables import tables
from rspp_compiler.syntax.tree import Token, Tree

_MENDS_MAX = 4  # in one item
_LOOKED_INTO_MAX = 500  # mistakes of one file; behind them, items are only left out
_WITH_A_BODY = ("PIPELINE", "MODULE", "PROVIDER", "POLICY")
_DECLARES = ("node", "mode", "party", "use", "tool", "provider", "module", "policy", "pipeline")
# The head of a block whose own head cannot be read.
_HEADS = {
    "pipeline": "pipeline {name} {{",
    "module": "module {name} () {{",
    "provider": "provider {name} {{",
    "policy": "policy {name} when _ {{",
}


class Recovery:
    """Reads the tokens of one file, brackets balanced. `lost` are names that nothing may declare any more.

    `"*"` in it stands for any name, `"->"` for a line, which may have been a flow, and `"use"` for an engine of a pool.
    """

    def __init__(self, tokens: list[Token], findings: Findings) -> None:
        self.lost: set[str] = set()
        self._tokens = tokens
        self._findings = findings
        self._machine = Machine(tables())
        self._resumed: dict[int, int] = {}  # the first token behind what was left out last, by its height
        self._behind_a_declaration = -1  # the same, of a declaration at the top level
        self._looked_into = 0
        self._mended_at, self._mends = -1, 0  # the item that was mended last, by its first token, and how often

    def tree(self) -> Tree:
        """The tree of what can be read."""
        at = self._machine.run(self._tokens, 0)
        while at < len(self._tokens):
            at = self._machine.run(self._tokens, self._behind(at))
        (tree,) = self._machine.values
        assert isinstance(tree, Tree)
        return tree

    def _behind(self, at: int) -> int:
        """Where to read on behind the mistake at token `at`; the machine is put into the state for it."""
        item = self._item(at)
        change = self._look_into(at, item)
        if change:
            self._tokens[change.first : change.behind] = change.new
            return at if change.first >= at else self._anew(item)
        self._mute(item)
        if at > item.start and self._is_complete(item):  # only the rest of it is too much
            self._lose(item, at)
            return item.end
        if item.is_outermost:
            if self._mend_head(item):
                return self._anew(item)
            self.lost.add("*")
        return self._leave_out(item)

    def _is_complete(self, item: Item) -> bool:
        """Whether what was read of the item could be all of it. Behind an arrow, a line end ends nothing."""
        is_open = _kind(self._machine.values[-1]) == "ARROW"
        return not is_open and self._machine.reach([self._tokens[item.end].kind]) > 0

    def _look_into(self, at: int, item: Item) -> Change | None:
        """Reports the mistake, and decides whether to mend it."""
        self._looked_into += 1
        if self._findings.is_full or self._looked_into > _LOOKED_INTO_MAX:
            token = self._tokens[at]
            self._findings.add("E0110", f"unexpected `{token.text}`", token.start, token.end)
            return None
        if item.is_outermost and item.start == self._behind_a_declaration:
            return None  # its first line told enough: what belongs into a block lies outside
        change = Mistake(self._tokens, at, item, self._machine, self._findings).report()
        self._mends = self._mends + 1 if item.start == self._mended_at else 1
        self._mended_at = item.start
        if change and self._mends <= _MENDS_MAX:
            self._mute(item)
            return change
        return None

    def _leave_out(self, item: Item) -> int:
        """Forgets the item, and those around it as long as nothing readable is left of them."""
        while True:
            self._lose(item, item.start)
            self._machine.cut(item.height)
            kind = self._tokens[item.end].kind
            is_separator = kind in ("_NL", "_COMMA")
            if is_separator or self._machine.reach([kind]):
                break
            self._machine.cut(item.height - 1)  # the bracket around it
            item = self._item(item.end + 1)
        behind = self._resumed[item.height] = item.end + is_separator
        if item.is_outermost:
            self._behind_a_declaration = behind
        return behind

    def _mend_head(self, item: Item) -> bool:
        """A block keeps its lines when only its head is wrong: the head is taken for the nearest that can be read."""
        tokens = self._tokens[item.start : item.end]
        brace = next((at for at, token in enumerate(tokens) if token.kind == "LBRACE"), 0)
        if not is_balanced(tokens[:brace]):
            return False
        words = [token for token in tokens[:brace] if token.text.isidentifier()]
        keyword = nearest(words[0].text, _HEADS) if words else ""
        if (
            not keyword
            or words[0].text in DECLARATIONS
            or any(_kind(value) == "LBRACE" for value in self._machine.values[item.height :])
        ):
            return False
        named = next((token for token in words[1:] if token.text not in TOP_LEVEL), None)
        places = {"{": tokens[brace], **({named.text: named} if named else {})}
        made = []
        for kind, text, _, _ in scan(_HEADS[keyword].format(name=named.text if named else "_"))[:-1]:
            place = places.get(text, tokens[0])
            made.append(Token(kind, text, place.start, place.end))
        if [token.text for token in tokens[: brace + 1]] == [token.text for token in made]:
            return False
        self.lost.update(token.text for token in words[1:])
        self._tokens[item.start : item.start + brace + 1] = made
        return True

    def _anew(self, item: Item) -> int:
        """Reads the item once more, from its first token on."""
        self._machine.cut(item.height)
        self._resumed = {height: at for height, at in self._resumed.items() if at <= item.start}
        return item.start

    # ---- where things begin and end

    def _item(self, at: int) -> Item:
        """The item that token `at` belongs to. It reaches to what separates it, or closes the bracket around it."""
        levels = self._levels()
        before = self._machine.values[levels[-1] - 1] if levels[-1] else None
        start = at
        while start > self._resumed.get(levels[-1], 0) and self._tokens[start - 1] is not before:
            start -= 1
        end = item_end(self._tokens, at, len(levels) == 1)
        first = self._machine.values[levels[0]] if len(levels) > 1 else None
        has_body = isinstance(first, Token) and first.kind in _WITH_A_BODY
        return Item(start, end, levels[-1], levels[has_body], len(levels) == 1)

    def _levels(self) -> list[int]:
        """How many values stand before what is being read: first at the outermost level, then in each open bracket."""
        levels = [0]
        before = ""
        for at, value in enumerate(self._machine.values):
            kind = _kind(value)
            if kind in CLOSER:
                levels.append(at + 1)
            elif kind in CLOSERS:
                levels.pop()
            elif kind in separators(len(levels) == 1) and before != "ARROW":
                levels[-1] = at + 1
            before = kind
        return levels

    # ---- what goes with a mistake

    def _mute(self, item: Item) -> None:
        """What later passes would find in the line or the declaration around a mistake is not what the user meant."""
        values = self._machine.values
        start = values[item.line].start if item.line < len(values) else self._tokens[item.start].start
        until = self._tokens[item.end].start
        if item.is_outermost:  # the lines of a block are judged, whatever its head is like
            block = (token.start for token in self._tokens[item.start : item.end] if token.kind == "LBRACE")
            until = next(block, until)
        self._findings.mute(start, until)

    def _lose(self, item: Item, start: int) -> None:
        """Remembers what the tokens of the item from `start` on, which nobody reads, would have declared."""
        texts = [token.text for token in self._tokens[start : item.end]]
        is_import = texts[:1] == ["import"]
        for before, text in pairwise(texts):
            if before in _DECLARES or (is_import and text.isidentifier()):
                self.lost.add(text if text.isidentifier() else "*")
        if "use" in texts:
            self.lost.add("use")
        if item.height == item.line:
            self.lost.add("->")


def _kind(value: Tree | Token) -> str:
    return value.kind if isinstance(value, Token) else ""
