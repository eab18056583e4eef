"""Rules for sizes: what flows fits the port that takes it, and a text fits one item."""

from __future__ import annotations

import re
from itertools import pairwise

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, line_behind
from rspp_compiler.diagnostics.statements import arrow, offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import PortSpec, TextTemplate
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS, KINDS
from rspp_compiler.sema.mending import without_flow
from rspp_compiler.sema.rules.types import agree

_TEXT = re.compile(r'(?P<quotes>"""|")(?P<text>.*)(?P=quotes)', re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…。！？][\s\"')]")


def fit(graph: Graph, ctx: Context) -> None:
    """E0402: the largest item of the source fits the target's port. E0415: and a say node's text its own."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or not agree(source.type, target.type):
            continue
        if edge.spec.handoff or KINDS[graph.node(edge.target).kind].is_triggered or source.type.name == "audio":
            continue
        if source.item_bytes_max > target.item_bytes_max:
            ctx.sink.add(
                "E0402",
                f"an item of `{edge.source}.{source.name}` may have {source.item_bytes_max} bytes, and "
                f"`{edge.target}.{target.name}` takes {target.item_bytes_max}",
                edge.spec.span,
                label="longer items would be refused",
                help=f"let `{edge.target}.{target.name}` take {_size(source.item_bytes_max)}, "
                f"or `{edge.source}.{source.name}` hold less",
                fix=_as_large(graph.node(edge.target), target, source.item_bytes_max, ctx)
                or without_flow(edge.spec.span, ctx),
            )
    for node in graph.of_kind("say"):
        _text_fits(graph, node, ctx)


def _size(count: int) -> str:
    return f"{count // 1000}kB" if count % 1000 == 0 else f"{count}B"


def _as_large(node: GraphNode, port: PortSpec, size: int, ctx: Context) -> Fix | None:
    """The port's size, raised where the user wrote the port."""
    if node.kind not in CUSTOM_KINDS:
        return None
    source = ctx.source(port.span)
    start, end = (
        source.offset(port.span.line, port.span.column),
        source.offset(port.span.end_line, port.span.end_column),
    )
    written = source.text[start:end]
    size_at = re.search(r"\d+(\.\d+)?(B|kB|MB)", written)
    if size_at:
        return Fix(source.span(start + size_at.start(), start + size_at.end()), _size(size))
    closing = written.endswith(")")
    at = end - 1 if closing else end
    return Fix(source.span(at, at), f", {_size(size)}" if closing else f"({_size(size)})")


def _text_fits(graph: Graph, node: GraphNode, ctx: Context) -> None:
    port, text = node.spec.output("text"), node.spec.settings.get("text", "")
    data = (text.template if isinstance(text, TextTemplate) else str(text)).encode("utf-8")
    if port is None or len(data) <= port.item_bytes_max:
        return
    ctx.sink.add(
        "E0415",
        f"the text of `{node.id}` has {len(data)} bytes; one item has at most {port.item_bytes_max}",
        node.spec.origin("settings.text").span,
        label=f"{len(data)} bytes",
        help=f"say it in fewer words, or in two nodes: `on {node.id}.done -> {node.id}_2 -> …`",
        fix=_in_parts(graph, node, port.item_bytes_max, ctx),
    )


def _in_parts(graph: Graph, node: GraphNode, most: int, ctx: Context) -> Fix | None:
    """Further nodes that say the rest, each when the one before is done; None where the text is not in the file."""
    span, at = node.spec.span, node.spec.origin("settings.text").span
    starts = [one for one in graph.spec.reactions if one.trigger and one.trigger.node == node.id]
    source = ctx.source(span)
    start, end = offsets(source, span)
    text_start, text_end = offsets(source, at)
    written = _TEXT.fullmatch(source.text, text_start, text_end)
    if written is None or not span.holds(at) or not starts or not starts[0].path or "." in node.id:
        return None
    parts = _parts(written["text"], most)
    names = [node.id, *(f"{node.id}_{number}" for number in range(2, len(parts) + 1))]
    if any(graph.find(name) for name in names[1:]):
        return None
    way, line = starts[0].path[0].span, starts[0].span
    tail = source.text[arrow(source, way) : offsets(source, line)[1]]
    before, behind = source.text[start:text_start].replace(node.id, "{}", 1), source.text[text_end:end]
    declared = [
        before.replace("{}", name, 1) + written["quotes"] + part + written["quotes"] + behind
        for name, part in zip(names, parts, strict=True)
    ]
    reactions = [f"on {first}.done -> {second} {tail}" for first, second in pairwise(names)]
    line_break = line_behind(source, span, "")  # a text over several lines stays as it is, not indented anew
    return both(
        Fix(at, written["quotes"] + parts[0] + written["quotes"]),
        Fix(line_break.span, "".join(line_break.replacement + one for one in declared[1:])),
        line_behind(ctx.source(line), line, "\n".join(reactions)),
    )


def _parts(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` bytes, each up to the end of a sentence, or else of a word."""
    parts = []
    while len(text.encode()) > most:
        head = text.encode()[:most].decode(errors="ignore")
        ends = [found.end() for found in _SENTENCE_END.finditer(head)] or [max(head.rfind(" "), 0) or len(head)]
        parts.append(text[: ends[-1]].rstrip())
        text = text[ends[-1] :].lstrip()
    return [*parts, text]
