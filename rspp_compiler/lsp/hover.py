"""What is under the cursor: the compiler's figures where it has some, else what the word means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsprotocol import types

from rspp_compiler.diagnostics.catalog import CODES, page
from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Mention, Symbol
from rspp_compiler.lsp import words
from rspp_compiler.lsp.figures import edge_lines, figures, node_lines
from rspp_compiler.lsp.findings import Finding
from rspp_compiler.lsp.navigate import mention_at
from rspp_compiler.lsp.positions import Text
from rspp_compiler.lsp.settings import BLOCKS, setting_lines, setting_of
from rspp_compiler.lsp.workspace import Reading, Workspace
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.source import Span

_WORD = re.compile(r"->|[A-Za-z_]\w*")


def hover(
    workspace: Workspace, path: str, position: types.Position, known: Iterable[Finding] = ()
) -> types.Hover | None:
    """The card for a position; None where there is nothing to say. `known` are the findings of the file."""
    text = workspace.text(path)
    reading = workspace.soon(path)
    mention = mention_at(workspace, reading, position) if reading else None
    span = mention.span if mention else _word_at(text, position)
    lines: list[str] = []
    if mention and reading:
        lines = _mention(workspace, reading, mention)
    elif span:
        word = text.source.line(span.line)[span.column - 1 : span.end_column - 1]
        lines = edge_lines(span, figures(workspace.results(path))) if word == "->" else words.word_lines(word)
    for found in known:
        if found.shown.range.start <= position <= found.shown.range.end:
            lines += _finding(found.diagnostic.code)
    if not lines:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(lines))
    return types.Hover(content, text.range(span) if span else None)


def _word_at(text: Text, position: types.Position) -> Span | None:
    """The word or arrow at a position, of a line that is no comment there."""
    offset = text.positions.offset(position)
    line, column = text.source.position(offset)
    start = offset - column + 1
    for word in _WORD.finditer(text.source.line(line)):
        if word.start() <= column - 1 <= word.end():
            return text.source.span(start + word.start(), start + word.end())
    return None


def _mention(workspace: Workspace, reading: Reading, mention: Mention) -> list[str]:
    known = figures(workspace.results_about(reading.path))
    symbol = mention.symbol
    if symbol is not None:
        lines = _symbol(reading, symbol)
        return lines + node_lines(symbol, known) if symbol.sort == "node" else lines
    match mention.sort:
        case "setting":
            return setting_lines(mention, known)
        case "kind" if mention.name in KINDS:
            return words.kind_lines(KINDS[mention.name])
        case "event":
            about = words.EVENTS.get(mention.name, "")
            owner = mention.owner.name if mention.owner else mention.of
            return [f"**event** `{owner}.{mention.name}`" + (f": {about}" if about else "")]
        case "port":
            return _port(mention)
        case "choice":
            return _choice(mention)
        case "engine":
            return [f"**provider** `{mention.name}` of `{mention.of}`"]
        case "node":
            return [f"`{mention.name}` is not declared"]
        case _:
            return _word(mention)


def _word(mention: Mention) -> list[str]:
    """A word of a closed list."""
    lists = {"verb": words.VERBS, "subject": words.SUBJECTS, "type": words.TYPES, "level": words.LEVELS}
    about = lists.get(mention.sort, {}).get(mention.name)
    if about:
        return [f"**{mention.sort}** `{mention.name}`", about]
    return words.word_lines("profile") if mention.sort == "profile" else []


def _choice(mention: Mention) -> list[str]:
    """A value out of several: what it means, and what else there is."""
    setting = setting_of(mention)
    lines = [f"`{mention.name}`: {words.CHOICES[mention.name]}"] if mention.name in words.CHOICES else []
    if setting and mention.name in setting.choices:
        others = ", ".join(f"`{one}`" for one in setting.choices)
        lines.append(f"`{setting.name}` is one of {others}" + (f": {setting.about}" if setting.about else ""))
    elif not lines and mention.path in BLOCKS:
        lines.append(BLOCKS[mention.path])
    return lines


def _port(mention: Mention) -> list[str]:
    """A port of a kind."""
    name = mention.owner.kind if mention.owner else mention.of
    kind = KINDS.get(name) or KINDS.get("ingress" if mention.owner and mention.owner.sort == "party" else "")
    if kind is None:
        return []
    for side, ports in (("input", kind.inputs), ("output", kind.outputs)):
        for port in ports:
            if port.name == mention.name:
                return [
                    f"**{side}** `{port.name} : {port.type}` of `{kind.name}`" + (", the main one" if port.main else "")
                ]
    return []


def _symbol(reading: Reading, symbol: Symbol) -> list[str]:
    """How it is declared, the comment above it, and what a node is made of."""
    source = reading.texts[symbol.at.file].source
    if symbol.implicit:
        return [f"**node** `{symbol.name}`, declared by its use", *_made_of(reading, symbol)]
    head = _head(symbol, source.line(symbol.span.line).strip())
    lines = [f"**{symbol.sort}**\n```rspp\n{head}\n```"]
    comment: list[str] = []
    for number in range(symbol.span.line - 1, 0, -1):
        if not source.line(number).lstrip().startswith("#"):
            break
        comment.insert(0, source.line(number).strip().lstrip("# "))
    if comment:
        lines.append(" ".join(comment))
    return lines + _made_of(reading, symbol)


def _made_of(reading: Reading, symbol: Symbol) -> list[str]:
    """What the kind of a node is for; of a module its ports, and the nodes inside."""
    if symbol.sort != "node":
        return []
    for other in reading.index.visible(symbol.at.file, symbol.parent):
        if other.sort == "module" and other.name == symbol.kind:
            inside = [f"`{one.name}`" for one in reading.index.inside(other) if one.sort == "node"]
            signature = other.item.signature
            ports = " -> ".join(f"({', '.join(map(_param, side))})" for side in (signature.inputs, signature.outputs))
            return [f"```rspp\nmodule {other.name} {ports}\n```", f"Inside: {', '.join(inside) or 'nothing'}."]
    kind = KINDS.get(symbol.kind)
    return [words.sentence(kind.about)] if kind else []


def _head(symbol: Symbol, line: str) -> str:
    """The line of a declaration, without a block that does not end on it."""
    if isinstance(symbol.item, ast.Param):
        return _param(symbol.item)
    return line.removesuffix("{").rstrip() if line.endswith("{") else line


def _param(item: ast.Param) -> str:
    """`heard : audio`."""
    return f"{item.name.text} : {item.type.name.text + '(…)' if isinstance(item.type, ast.Call) else item.type.text}"


def _finding(code: str) -> list[str]:
    """The page of a code, up to its first example."""
    if code not in CODES:
        return []
    about = page(code).partition("```")[0].strip().splitlines()
    return ["---", f"**{code}**: {CODES[code].title}", "\n".join(about[1:]).strip()]
