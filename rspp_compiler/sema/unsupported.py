"""What the grammar accepts and this compiler does not do yet: said clearly, never ignored."""

from __future__ import annotations

from rspp_compiler.diagnostics import Sink
from rspp_compiler.ir import ast
from rspp_compiler.source import Span

_ITEMS: dict[type, str] = {
    ast.Import: "imports",
    ast.Module: "modules",
    ast.Tool: "tools",
    ast.Policy: "policies",
}


def report_items(items: tuple[ast.Item, ...], sink: Sink) -> None:
    """Top-level constructs."""
    for item in items:
        if type(item) in _ITEMS:
            not_yet("E0901", _ITEMS[type(item)], item.span, sink)
        elif isinstance(item, ast.Provider):
            if item.kind is not None:
                not_yet("E0901", "named pools of providers", item.kind.span, sink, "name the block after its kind")
            for use in item.offers:
                if isinstance(use, ast.Use) and use.guard:
                    not_yet("E0907", "guards on providers", use.guard.span, sink)


def report_lines(lines: tuple[ast.Line, ...], sink: Sink) -> None:
    """Lines of a pipeline, and the parts of them."""
    for line in lines:
        match line:
            case ast.Party():
                not_yet("E0902", "parties", line.span, sink, "use `ingress` and `egress`, the only party's two halves")
            case ast.Record(settings=ast.Settings() as settings):
                for setting in settings.items:
                    not_yet("E0904", f"setting `{setting.key.text}` of record", setting.key.span, sink)
            case ast.Reaction(guard=ast.Guard() as guard):
                not_yet("E0907", "guards on reactions", guard.span, sink)
            case _:
                pass
        for hop in line.hops if isinstance(line, ast.Flow | ast.Reaction) else ():
            if hop.guard:
                not_yet("E0907", "guards on flows", hop.guard.span, sink)


def not_yet(code: str, what: str, at: Span, sink: Sink, help: str = "") -> None:
    """`imports are not supported yet by this compiler`."""
    plural = what.split()[0].endswith(("s", "ies")) and not what.startswith("setting")
    sink.add(code, f"{what} {'are' if plural else 'is'} not supported yet by this compiler", at, help=help)
