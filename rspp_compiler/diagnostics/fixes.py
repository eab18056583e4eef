"""Fixes: applied to texts, and built from nothing but a source and its spans.

remove(source, setting.span)                            a line or a setting, with what separates it
line_behind(source, node.span, "node voice : tts")      a line of its own, indented alike
line_before(source, flow.span, "node voice : tts")
setting_in(source, hop.span, block, "commit_point")     into the braces; `block` is None where there are none yet
both(remove(…), line_behind(…))                         one fix that changes several places
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace

from rspp_compiler.diagnostics.diagnostic import Edit, Fix
from rspp_compiler.source import Source, Span

_TOKEN = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|(?P<blank>#[^\n]*|\s+)|.')
_BLANKS = re.compile(r"[ \t]*")
_EMPTY = re.compile(r"[ \t\r]*\n")
_REST = re.compile(r"[ \t\r]*(#[^\n]*)?(?=\n|\Z)")  # of a line on which nothing more is said

# ---- applying


def apply(text: str, fixes: Iterable[Fix]) -> str:
    """The text of one file after the fixes, all of which lie in it.

    `text` is the whole file, a byte order mark included; bytes that are not UTF-8 stand in it as Python's
    `surrogateescape` writes them. Of two fixes that want the same place, the one that begins first is made.
    """
    fixes = list(fixes)
    file = fixes[0].span.file if fixes else ""
    return apply_all({file: text}, fixes)[0][file]


def apply_all(texts: Mapping[str, str], fixes: Iterable[Fix]) -> tuple[dict[str, str], tuple[Fix, ...]]:
    """All files after the fixes, and the fixes that were made, in the order of the source.

    A fix that touches what an earlier one changes, or a file that is not in `texts`, is left out as a whole.
    """
    made: list[Fix] = []
    edits: dict[str, list[Edit]] = {file: [] for file in texts}
    for fix in sorted(dict.fromkeys(fixes), key=lambda fix: (fix.span, fix.replacement)):
        if all(edit.span.file in edits and _fits(edit, edits[edit.span.file]) for edit in fix.edits):
            made.append(fix)
            for edit in fix.edits:
                _insert(edit, edits[edit.span.file])
    return {file: _edited(text, edits[file]) for file, text in texts.items()}, tuple(made)


def _place(edit: Edit) -> tuple[int, int]:
    return edit.span.start, edit.span.end


def _fits(edit: Edit, edits: list[Edit]) -> bool:
    """Whether `edit` overlaps none of `edits`, which lie one behind the other: looking at its neighbours is enough."""
    at = bisect_left(edits, _place(edit), key=_place)
    return not any(_clash(edit, other) for other in edits[max(0, at - 1) : at + 1])


def _insert(edit: Edit, edits: list[Edit]) -> None:
    """Puts `edit` in its place; the same edit of two fixes is made once."""
    at = bisect_left(edits, _place(edit), key=_place)
    if edits[at : at + 1] != [edit]:
        edits.insert(at, edit)


def _clash(one: Edit, other: Edit) -> bool:
    """Whether two different edits overlap. Two insertions at one place do: neither knows of the other."""
    a, b = _place(one), _place(other)
    return one != other and (a == b or (a[0] < b[1] and b[0] < a[1]))


def _edited(text: str, edits: Iterable[Edit]) -> str:
    data = text.encode("utf-8", "surrogateescape")
    pieces: list[bytes] = []
    behind = 0
    for edit in edits:
        pieces += [data[behind : edit.span.start], edit.replacement.encode("utf-8")]
        behind = edit.span.end
    return b"".join([*pieces, data[behind:]]).decode("utf-8", "surrogateescape")


# ---- building


def both(first: Fix, *others: Fix) -> Fix:
    """One fix that makes the edits of all."""
    every = (first, *others)
    edits = tuple(edit for fix in every for edit in fix.edits)
    return Fix(first.span, first.replacement, edits[1:], any(fix.is_guess for fix in every))


def guess(fix: Fix) -> Fix:
    """The fix, as one that makes the text compile and may not be what its author meant."""
    return replace(fix, is_guess=True)


def remove(source: Source, span: Span) -> Fix:
    """Removes a line, a setting or an item of a list, and the comma or the line end that separates it.

    What stands alone on its lines goes with them, and with the comment behind it. Where it stood between two empty
    lines, one of them goes as well.
    """
    start, end = _offsets(source, span)
    text = source.text
    line_start = text.rfind("\n", 0, start) + 1
    comma = re.compile(r"[ \t]*,").match(text, end)
    rest = _REST.match(text, comma.end() if comma else end)
    if rest and not text[line_start:start].strip():
        return Fix(source.span(line_start, _behind_gap(text, line_start, rest.end() + 1)), "")
    if comma:
        return Fix(source.span(start, comma.end() if rest else _behind_blanks(text, comma.end())), "")
    before = text[line_start:start].rstrip()
    if before.endswith(","):
        return Fix(source.span(line_start + len(before) - 1, end), "")
    follows = _behind_blanks(text, end)
    is_only = before[-1:] in ("{", "[", "(") and text[follows : follows + 1] in ("}", "]", ")")
    return Fix(source.span(start, follows if is_only else end), "")


def line_behind(source: Source, span: Span, text: str) -> Fix:
    """Adds a line behind the one that ends at `span`, indented like the line on which `span` begins.

    Where the block stands on one line, `text` is added behind a comma.
    """
    start, end = _offsets(source, span)
    rest = _REST.match(source.text, end)
    if rest is None:
        return Fix(source.span(end, end), f", {text}")
    at = rest.end() - (1 if source.text[end : rest.end()].endswith("\r") else 0)
    return Fix(source.span(at, at), _line_end(source) + _indented(text, source, start))


def line_before(source: Source, span: Span, text: str) -> Fix:
    """Adds a line before the one on which `span` begins, indented alike.

    Where something else stands before it on its line, `text` is added with a comma.
    """
    start, _ = _offsets(source, span)
    line_start = source.text.rfind("\n", 0, start) + 1
    if source.text[line_start:start].strip():
        return Fix(source.span(start, start), f"{text}, ")
    return Fix(source.span(line_start, line_start), _indented(text, source, start) + _line_end(source))


def setting_in(source: Source, owner: Span, block: Span | None, text: str) -> Fix:
    """Adds a setting as the last one of `block`, the braces included; with braces, behind `owner`, where it is None."""
    if block is None:
        _, end = _offsets(source, owner)
        return Fix(source.span(end, end), f" {{ {text} }}")
    start, end = _offsets(source, block)
    inner = [token for token in _TOKEN.finditer(source.text, start, end - 1) if token["blank"] is None]
    last = inner[-1]
    if len(inner) == 1:
        if source.text[last.end() : end - 1].strip():  # a comment
            return Fix(source.span(last.end(), last.end()), f" {text}")
        return Fix(source.span(last.end(), end - 1), f" {text} ")
    rest = _REST.match(source.text, last.end())
    if rest and "\n" in source.text[start : last.start()]:
        return line_behind(source, source.span(last.start(), last.end()), text)
    return Fix(source.span(last.end(), last.end()), f"{'' if last[0] == ',' else ','} {text}")


def _offsets(source: Source, span: Span) -> tuple[int, int]:
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


def _behind_blanks(text: str, offset: int) -> int:
    """Offset of the first character, from `offset` on, that is no blank."""
    blanks = _BLANKS.match(text, offset)
    return blanks.end() if blanks else offset


def _behind_gap(text: str, start: int, end: int) -> int:
    """`end`, or the end of the empty line behind it if another lies before `start`, or nothing does."""
    is_apart = start == 0 or re.search(r"(\A|\n)[ \t\r]*\n\Z", text[max(0, start - 80) : start]) is not None
    gap = _EMPTY.match(text, end)
    return gap.end() if gap and is_apart else end


def _indented(text: str, source: Source, offset: int) -> str:
    """`text`, each of its lines indented like the line at `offset`."""
    line = source.line(source.position(offset)[0])
    indent = line[: len(line) - len(line.lstrip())]
    return _line_end(source).join(indent + row for row in text.split("\n"))


def _line_end(source: Source) -> str:
    """The line end of the file, going by its first."""
    return "\r\n" if source.text[: source.text.find("\n")].endswith("\r") else "\n"
