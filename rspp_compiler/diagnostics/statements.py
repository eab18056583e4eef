"""Fixes that know what a statement of the language looks like: where it begins and ends, and what can be taken out.

Everything is read from a text and a span: of a flow, a declaration, a value. In a text that is not of the language,
such as JSON, they are of no use and do no harm: whoever adapts them to it looks at what comes of each.

without_flow(source, flow.span)          `b -> c` out of `a -> b -> c -> d`
from_elsewhere(source, flow.span, "x")   `b -> c` as `x -> c`
bypass(source, into, source, out)        `x` out of `a -> x -> b`
without_setting(source, value.span)      `key = value`, and the braces that it leaves empty
without_guard(source, flow.span)         `when …` or `otherwise`
without_events(source, line, all, gone)  `c.d` out of `on a.b or c.d -> …`
without_use(source, name.span)           a `use` line
setting_at(source, owner.span, "cap")    where a setting stands in the braces of a declaration, a flow, a name
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rspp_compiler.diagnostics.diagnostic import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.source import Source, Span

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|->|\n|[{}()\[\],]|\w+|[^\w"#{}()\[\],\-\n]+|.'
)
_GOES_ON = re.compile(r"(?:\s|#[^\n]*\n)*(?:->|(?:when|otherwise|and|or)\b)")
_TARGET = re.compile(r"->(?:\s|#[^\n]*\n)*((\w+)(?:\.\w+)*)")
_KEY = re.compile(r"(?:[\w.]+\s*->\s*)*[\w.]+\s*=\s*\Z")
_NEEDS_BRACES = re.compile(r"(?<!\w)(?:budget|meta)\s*\Z")


def offsets(source: Source, span: Span) -> tuple[int, int]:
    """The characters `[start, end)` of a span."""
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


# ---- where things are


def begin(source: Source, span: Span) -> int:
    """Offset of the statement that `span` lies in: a flow may go on over lines that begin or end with an arrow."""
    number, end = span.line, source.offset(span.line, span.column)
    while number > 1 and (
        _GOES_ON.match(source.line(number)) or source.line(number - 1).partition("#")[0].rstrip().endswith("->")
    ):
        number -= 1
        end = source.offset(number, len(source.line(number)) + 1)
    starts = [source.offset(number, 1)]
    for token in _TOKEN.finditer(source.text, starts[0], end):
        if token[0] in ("{", "["):
            starts.append(token.end())
        elif token[0] in ("}", "]") and len(starts) > 1:
            starts.pop()
        elif token[0] == ",":
            starts[-1] = token.end()
    start = starts[-1]
    return start + len(source.text[start:end]) - len(source.text[start:end].lstrip())


def finish(source: Source, offset: int) -> int:
    """Offset at which the statement ends that goes on at `offset`: behind it is a line end, a comma or a bracket."""
    depth = 0
    end = offset
    for token in _TOKEN.finditer(source.text, offset):
        mark = token[0]
        depth += (mark in "{[(") - (mark in "}])")
        ends = mark == "," or (mark == "\n" and not _GOES_ON.match(source.text, token.end()))
        if depth < 0 or (depth == 0 and ends):
            break
        if mark.strip() and not mark.startswith("#"):
            end = token.start() + len(mark.rstrip())
    return end


def braces(source: Source, span: Span) -> Span | None:
    """The braces that end a declaration, `{ … }`; None where it has none."""
    opened: list[int] = []
    block: tuple[int, int] | None = None
    for token in _TOKEN.finditer(source.text, *offsets(source, span)):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}" and opened:
            block = (opened.pop(), token.end())
        elif token[0].strip() and not opened:
            block = None
    return source.span(*block) if block else None


def block_behind(source: Source, name: Span) -> Span | None:
    """The braces that follow a name on its line, a guard between them aside; None where none do."""
    opened: list[int] = []
    depth = 0  # of brackets
    for token in _TOKEN.finditer(source.text, source.offset(name.end_line, name.end_column)):
        depth += (token[0] == "[") - (token[0] == "]")
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            if len(opened) < 2:
                return source.span(opened[0], token.end()) if opened else None
            opened.pop()
        elif not opened and depth == 0 and token[0] in (",", "->", "\n"):
            return None
    return None


def setting_at(source: Source, owner: Span, key: str) -> Span | None:
    """Where a setting stands, from its key on, in the braces that `owner` ends with or that follow it; None if not."""
    block = braces(source, owner) or block_behind(source, owner)
    if block is None:
        return None
    start, end = offsets(source, block)
    depth = 0
    is_next = False
    for token in _TOKEN.finditer(source.text, start, end):
        if depth == 1 and is_next and token[0] == key:
            return source.span(token.start(), finish(source, token.start()))
        depth += (token[0] in "{[(") - (token[0] in "}])")
        if token[0].strip():
            is_next = token[0] in ("{", ",")
        elif token[0] == "\n":
            is_next = True
    return None


def arrow(source: Source, span: Span) -> int:
    """Offset of the first arrow of a flow; its end where there is none."""
    start, end = offsets(source, span)
    return next((token.start() for token in _TOKEN.finditer(source.text, start, end) if token[0] == "->"), end)


def target_of(source: Source, span: Span) -> Span | None:
    """The reference that the first arrow of a flow leads to: `b.in` of `a -> b.in { … }`."""
    found = _TARGET.match(source.text, arrow(source, span))
    return source.span(*found.span(1)) if found else None


def indent(source: Source, offset: int) -> str:
    """The blanks before the line that `offset` lies in."""
    line = source.line(source.position(offset)[0])
    return line[: len(line) - len(line.lstrip())]


# ---- what can be taken out


def without_flow(source: Source, span: Span) -> Fix:
    """Takes one flow out of its line; `span` runs from the node before its arrow to the end of what qualifies it.

    `a -> b -> c -> d` without `b -> c` is `a -> b` and, on a line of its own, `c -> d`.
    """
    start, end = offsets(source, span)
    first = begin(source, span)
    target = _TARGET.match(source.text, arrow(source, span), end)
    is_last = _GOES_ON.match(source.text, end) is None
    if target is None or (first == start and is_last):
        return remove(source, span)
    if first == start:
        return Fix(span, target[2])
    line = "" if is_last else f"\n{indent(source, first)}{target[2]}"
    return Fix(source.span(end_of_first(source, span), end), line)


def from_elsewhere(source: Source, span: Span, ref: str) -> Fix:
    """Lets what a flow leads to be fed by `ref`: of `a -> b -> c`, the second flow becomes a line `ref -> c`."""
    start, _ = offsets(source, span)
    first, head = begin(source, span), end_of_first(source, span)
    if first == start:
        return Fix(source.span(start, head), ref)
    at = arrow(source, span)
    return Fix(source.span(head, at), f"\n{indent(source, first)}{ref} ")


def end_of_first(source: Source, span: Span) -> int:
    """Offset behind the node that a flow begins at."""
    start, _ = offsets(source, span)
    return start + len(source.text[start : arrow(source, span)].rstrip())


def bypass(first: Source, into: Span, second: Source, out: Span) -> list[Fix]:
    """Leads what flows into a node past it: `a -> x` and `x -> b` are `a -> b`, in one line or in two."""
    start, end = offsets(first, into)
    head = end_of_first(first, into)
    if first.name == second.name and start <= second.offset(out.line, out.column) < end:
        return [Fix(first.span(head, end), "")]
    return [without_flow(first, into), from_elsewhere(second, out, first.text[start:head])]


def without_setting(source: Source, value: Span) -> Fix:
    """Takes a setting out, of which `value` is the value or the whole, and the braces that it would leave empty."""
    start, end = offsets(source, value)
    key = _KEY.search(source.text, source.text.rfind("\n", 0, start) + 1, start)
    start = key.start() if key else start
    before, behind = source.text[:start].rstrip(), re.compile(r"\s*,?\s*\}").match(source.text, end)
    if not before.endswith("{") or behind is None:
        return remove(source, source.span(start, end))
    owner = before[:-1].rstrip()
    if owner.endswith("="):
        return without_setting(source, source.span(len(before) - 1, behind.end()))
    needs = _NEEDS_BRACES.search(owner)
    if needs:
        return remove(source, source.span(needs.start(), behind.end()))
    return Fix(source.span(len(owner), behind.end()), "")


def without_guard(source: Source, span: Span) -> Fix | None:
    """Takes out the guard of a flow or reaction, or the one behind the name in a `use` line; None where none is."""
    start, end = offsets(source, span)
    found: int | None = None
    depth = 0
    for token in _TOKEN.finditer(source.text, start, max(end, finish(source, end))):
        depth += (token[0] in "{[(") - (token[0] in "}])")
        if found is None and depth == 0 and token[0] in ("when", "otherwise"):
            found = len(source.text[: token.start()].rstrip())
        elif token[0] == "->" or (token[0] == "{" and depth == 1):
            if found is not None:
                return Fix(source.span(found, token.start()), " ")
            if token.start() >= end:
                return None
    return None if found is None else Fix(source.span(found, finish(source, found)), "")


def without_events(
    source: Source, line: Span, events: Sequence[Span], gone: Collection[Span], instead: str = ""
) -> Fix:
    """Takes events out of a reaction, and puts another in their place; the whole line goes where none is left."""
    subject = ""
    written: list[str] = []
    last = ""  # the subject of the event written last: a bare event keeps it
    for event in events:
        start, end = offsets(source, event)
        before, _, name = source.text[start:end].rpartition(".")
        subject = before or subject
        if event not in gone:
            written.append(name if subject == last else f"{subject}.{name}")
            last = subject
    if not written and not instead:
        return remove(source, line)
    return Fix(events[0].to(events[-1]), " or ".join([*written, instead] if instead else written))


def without_use(source: Source, name: Span) -> Fix:
    """Removes a whole `use` line; `name` is the provider's name in it."""
    start, end = offsets(source, name)
    return remove(source, source.span(source.text.rfind("use", 0, start), finish(source, end)))
