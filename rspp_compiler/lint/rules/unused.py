"""What is declared and never used: W02. It was either forgotten, or is about to be believed in."""

from __future__ import annotations

from rspp_compiler.diagnostics import Sink
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Declared, Symbol
from rspp_compiler.lint.subject import Subject


def mode(subject: Subject, sink: Sink) -> None:
    """W0201: a mode that no reaction enters or degrades to never happens."""
    _unused(subject, sink, "W0201", "mode", "no reaction enters it or degrades to it")


def tool(subject: Subject, sink: Sink) -> None:
    """W0202: a tool that no model has in its `tools`, and no reaction calls, is never called."""
    _unused(subject, sink, "W0202", "tool", "no model may call it, and no reaction does")


def module(subject: Subject, sink: Sink) -> None:
    """W0203: a module that no node is made of."""
    _unused(subject, sink, "W0203", "module", "no node is made of it")


def party(subject: Subject, sink: Sink) -> None:
    """W0205: a party that no flow comes from or goes to takes no part."""
    _unused(subject, sink, "W0205", "party", "no flow comes from it or goes to it")


def pool(subject: Subject, sink: Sink) -> None:
    """W0206: a pool of providers that no node names."""
    _unused(subject, sink, "W0206", "pool", "no node says `provider = {name}`")


def imported(subject: Subject, sink: Sink) -> None:
    """W0204: an imported name that the file does not use makes it depend on another for nothing.

    A policy or a provider block is used by being there.
    """
    if not subject.is_whole:
        return
    for line in (item for item in subject.items() if isinstance(item, ast.Import)):
        for name in line.names:
            found = [mention.symbol for mention in subject.index.mentions if mention.span == name.span]
            if any(symbol and symbol.sort in ("policy", "provider") for symbol in found):
                continue
            places = [one.span for symbol in found if symbol for one in subject.index.of(symbol)]
            if found and not any(place.file == name.span.file and place != name.span for place in places):
                sink.add(
                    "W0204",
                    f"`{name.text}` is imported and not used",
                    name.span,
                    help="remove it",
                    fix=remove(subject.source(line.span), name.span if len(line.names) > 1 else line.span),
                )


def provider(subject: Subject, sink: Sink) -> None:
    """W0207: a provider block of a kind that no node has."""
    if not subject.is_whole:
        return
    kinds = {symbol.kind for symbol in subject.index.symbols if symbol.sort == "node"}
    for symbol in subject.symbols("provider"):
        if symbol.name not in kinds and subject.has_pipeline(symbol.at.file):
            _report(subject, sink, "W0207", symbol, f"provider `{symbol.name}`", f"no node is a `{symbol.name}`")


def _unused(subject: Subject, sink: Sink, code: str, sort: Declared, why: str) -> None:
    """Every symbol of that sort that is mentioned nowhere but where it is declared."""
    if not subject.is_whole:
        return
    for symbol in subject.symbols(sort):
        used = any(not mention.is_declaration for mention in subject.index.of(symbol))
        if not used and (symbol.parent is not None or subject.has_pipeline(symbol.at.file)):
            _report(subject, sink, code, symbol, f"{sort} `{symbol.name}`", why.format(name=symbol.name))


def _report(subject: Subject, sink: Sink, code: str, symbol: Symbol, what: str, why: str) -> None:
    source = subject.source(symbol.span)
    sink.add(
        code,
        f"{what} is never used",
        symbol.at,
        label=why,
        help="use it, or remove it",
        fix=remove(source, symbol.span),
    )
