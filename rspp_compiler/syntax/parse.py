"""parse: text → tree with spans, by `grammar/rspp.lark` (LALR). After a mistake it goes on behind it."""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePath
from typing import Any, cast

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.brackets import blank, brackets, mend
from rspp_compiler.syntax.expected import DECLARATIONS, TOP_LEVEL, hint, phrase

_ERRORS_MAX = 50
_DEPTH_MAX = 64
_LARGE_CHARS = 200_000  # beyond this, going on after a mistake costs more than it tells
_GO_ON = re.compile(r"[ \t]*(->|(when|otherwise|and|or)\b)")
_HEADER = re.compile(r"[ \t]*([A-Za-z_]\w*)[ \t]*([A-Za-z_]\w*)?")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's tree. `lost` are the names that lines which could not be read would have declared."""

    source: Source
    tree: Tree[Token]
    lost: frozenset[str]


@functools.cache
def parser() -> Lark:
    """The parser, built once a process."""
    grammar = resources.files("rspp_compiler._grammar").joinpath("rspp.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False)


def parse(sources: tuple[Source, ...], ctx: Context) -> tuple[Parsed, ...] | None:
    """Parses every source; None when one of them is beyond recovery."""
    parsed = [_parse(source, ctx) for source in sources]
    trees = tuple(tree for tree in parsed if tree is not None)
    return trees if len(trees) == len(parsed) else None


def _parse(source: Source, ctx: Context) -> Parsed | None:
    if not _looks_like_pipeline(source.text):
        help = "a file begins like `pipeline hello { … }`; `rsppc new NAME` writes one to start from"
        first = source.line_span(source.position(len(source.text) - len(source.text.lstrip()))[0])
        ctx.sink.add("E0105", f"{PurePath(source.name).name} does not look like a pipeline file", first, help=help)
        return None

    if (deep := _too_deep(source.text)) is not None:
        message = f"brackets are nested deeper than {_DEPTH_MAX}"
        ctx.sink.add("E0110", message, source.span(deep, deep + 1))
        return None
    text = mend(source.text, source, ctx.sink)
    if mend(text) != text:
        return None  # more brackets and texts without an end than are worth listing
    lost: set[str] = set()
    reported = {found.primary.line for found in ctx.sink.diagnostics if found.primary.file == source.name}
    for _ in range(_ERRORS_MAX if len(text) < _LARGE_CHARS else 5):
        try:
            return Parsed(source, parser().parse(text), frozenset(lost))
        except UnexpectedInput as error:
            offset = min(error.pos_in_stream or 0, len(text))
            if isinstance(error, UnexpectedToken) and error.token.type == "$END":
                offset = len(text.rstrip())
            if (arrow := _dangling_arrow(text, offset)) is not None:
                offset = arrow
            line = source.position(min(offset, len(source.text)))[0]
            if line not in reported:
                _report(error, source, text, offset, ctx)
                reported.add(line)
            mended = _without(text, offset, lost)
            if mended == text:
                return None
            text = mend(mended)
    return None


def _too_deep(text: str) -> int | None:
    """Offset of the first bracket that is nested too deeply."""
    depth = 0
    for bracket, offset in brackets(text):
        depth += 1 if bracket in "{([" else -1
        if depth > _DEPTH_MAX:
            return offset
    return None


def _looks_like_pipeline(text: str) -> bool:
    words = re.findall(r"^[ \t]*([A-Za-z_]\w*)", text, re.MULTILINE)[:2000]
    return any(difflib.get_close_matches(word, TOP_LEVEL, 1, 0.75) for word in dict.fromkeys(words))


def _report(error: UnexpectedInput, source: Source, text: str, offset: int, ctx: Context) -> None:
    """One syntax error: what stands there, what was expected, and what is probably meant."""
    end = offset + 1
    if _dangling_arrow(text, offset) == offset:
        help = "say where the flow goes, or remove the arrow"
        ctx.sink.add("E0110", "nothing follows this arrow", source.span(offset, offset + 2), help=help)
        return
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        kind, word = error.token.type, str(error.token)
        if kind == "$END":
            found = "the file ends too early"
        elif kind == "_NL":
            found = "the line ends too early"
        else:
            found, end = f"unexpected `{word.strip()}`", offset + len(word.rstrip())
    else:
        expected = set(cast(Any, error).interactive_parser.accepts())
        found = f"unexpected character `{text[offset : offset + 1]}`"
    if offset < len(text) and text[offset] == "\n":
        end = offset
    help, fix = hint(source, text, offset)
    label = f"expected {phrase(expected)}"
    ctx.sink.add("E0110", f"{found}: {label}", source.span(offset, end), help=help, fix=fix)


def _without(text: str, offset: int, lost: set[str]) -> str:
    """The text without the logical line that `offset` lies in; if that is the head of a block, with a mended head."""
    lines = text.split("\n")
    depths = _depths(text)
    at = text.count("\n", 0, offset)
    while at > 0 and (not lines[at].strip() or not lines[at].strip("})] \t\r,")):
        at -= 1  # the mistake shows only at the closing bracket: it lies in the line before

    first = at
    while first > 0 and (_GO_ON.match(lines[first]) or lines[first - 1].split("#")[0].rstrip().endswith("->")):
        first -= 1
    last = at
    while last + 1 < len(lines) and (
        (depths[last + 1] > depths[first] and _is_deeper(lines[last + 1], lines[first]))
        or _GO_ON.match(lines[last + 1])
        or (lines[last].rstrip().endswith("->") and _is_deeper(lines[last + 1], lines[first]))
    ):
        last += 1

    start = sum(len(line) + 1 for line in lines[:first])
    end = sum(len(line) + 1 for line in lines[: last + 1]) - 1
    brace = text.find("{", start, end)
    if depths[first] == 0 and brace >= 0 and "\n" in text[brace:end] and offset <= brace:
        return _with_header(text, start, offset, brace, lost)

    if (setting := _inner_block(text, start, offset)) and text[slice(*setting)].strip():
        lost.update(re.findall(r"\buse\b", text[slice(*setting)]))
        return blank(text, *setting)
    lost.update(re.findall(r"\b(?:node|mode|party|use)\s+([A-Za-z_]\w*)", text[start:end]))
    depth = 0
    kept: list[int] = []
    for bracket, where in brackets(text[start:end]):
        depth += 1 if bracket in "{([" else -1
        if depth < 0:  # closes a block that began before this line: it stays
            kept.append(start + where)
            depth = 0
    line = list(blank(text[start:end], 0, end - start))
    for where in kept:
        line[where - start] = text[where]
    return text[:start] + "".join(line) + text[end:]


def _dangling_arrow(text: str, offset: int) -> int | None:
    """Offset of an arrow that ends its line although the next line is a new one; where `offset` is, or right before."""
    here = text[offset : offset + 2] == "->"
    line_start = text.rfind("\n", 0, offset) + 1
    before = offset if here else text.rfind("->", 0, line_start)
    if before < 0 or text[before + 2 : before + 2 + 200].split("#")[0].lstrip(" \t\r")[:1] not in ("\n", ""):
        return None
    following = re.match(r"\s*(?:#[^\n]*\s*)*", text[before + 2 :])
    behind = text[before + 2 + (following.end() if following else 0) :]
    word = re.match(r"[a-z]+\b|[})\]]|$", behind)
    is_next = here or line_start <= before + 2 + (following.end() if following else 0) <= offset
    return before if word and is_next and (word[0] in DECLARATIONS or word[0] in "})]") else None


def _inner_block(text: str, start: int, offset: int) -> tuple[int, int] | None:
    """What lies between the innermost braces around `offset`, of those that open behind `start`; None without any."""
    opened: list[int] = []
    for bracket, where in brackets(text[start:]):
        if start + where >= offset and opened and bracket == "}":
            depth_end = start + where
            return opened[-1] + 1, depth_end
        if start + where >= offset and (not opened or bracket in "{(["):
            return None
        if bracket == "{":
            opened.append(start + where)
        elif bracket == "}" and opened:
            opened.pop()
    return None


def _is_deeper(line: str, head: str) -> bool:
    """Whether `line` belongs to a block that `head` opens, going by the indentation: the bracket may be missing."""
    indent, of_head = (len(text) - len(text.lstrip()) for text in (line, head))
    return indent > of_head or not line.strip() or line.lstrip()[0] in "})]"


def _with_header(text: str, start: int, offset: int, brace: int, lost: set[str]) -> str:
    """A block keeps its lines when only its head is wrong: `pipline hello {` is read as `pipeline hello {`."""
    head = text[start:brace]
    words = _HEADER.match(head)
    keyword = difflib.get_close_matches(words[1], TOP_LEVEL, 1, 0.6) if words else []
    room = brace - start
    for name in (words[2] if words and words[2] else "_", "_"):
        if keyword and len(candidate := f"{keyword[0]} {name}") <= room and candidate != head.rstrip():
            return text[:start] + candidate.ljust(room) + text[brace:]
    lost.add("*")
    return text


def _depths(text: str) -> list[int]:
    """How many brackets are open at the start of each line, and behind the last."""
    depths = [0]
    depth = 0
    marks = iter([*brackets(text), ("", len(text) + 1)])
    bracket, where = next(marks)
    position = 0
    for line in text.split("\n"):
        position += len(line) + 1
        while where < position and bracket:
            depth += 1 if bracket in "{([" else -1
            bracket, where = next(marks)
        depths.append(depth)
    return depths
