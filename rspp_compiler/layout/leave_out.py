"""How a construct is taken out of a pipeline again: what `target` offers for what the runtime cannot run yet.

Each function gives a fix where one clear edit does it, and None where only its author knows what would be left. `span`
is the place of the finding. What hung on the construct goes with it, as far as nothing else needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from rspp_compiler.diagnostics import Fix, statements
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import EventSpec, ModeSpec, PartySpec, ReactionSpec, ToolSpec
from rspp_compiler.source import Span

_SKIPPED = r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*'
_VARIABLE = re.compile(r" ?\$\{[^}]*\}")
INSTEAD = {"cancel_session": "end session"}

# ---- parts of a line


def line(ctx: Context, span: Span) -> Fix:
    return remove(ctx.source(span), span)


def setting(ctx: Context, span: Span) -> Fix:
    return statements.without_setting(ctx.source(span), span)


def guard(ctx: Context, span: Span) -> Fix | None:
    return statements.without_guard(ctx.source(span), span)


def guards(graph: Graph, of: GraphEdge, ctx: Context, _span: Span) -> Fix | None:
    """The guards of a flow and of its siblings: `otherwise` would be left alone."""
    siblings = [edge.spec for edge in graph.out_of(of.source, of.source_port)]
    return _together(
        found for one in siblings if (one.guard or one.otherwise) and (found := guard(ctx, one.span)) is not None
    )


def flow(ctx: Context, span: Span) -> Fix:
    return statements.without_flow(ctx.source(span), span)


def variables(ctx: Context, span: Span) -> Fix | None:
    """The text without its variables: `"Hello ${session.name}."` is `"Hello."`."""
    written = _text(ctx, span)
    left = _VARIABLE.sub("", written)
    return guess(Fix(span, left)) if left.strip('" \n') else None


def secret(name: str, ctx: Context, span: Span) -> Fix:
    """The secret, from the environment."""
    return guess(Fix(span, f'secret("env://{name}")'))


# ---- declarations, and what names them


def party(graph: Graph, of: PartySpec, ctx: Context, span: Span) -> Fix | None:
    """The only party is nameless: what was `ana.audio` is `ingress.audio` before an arrow and `egress.audio` behind.

    Its events are those of one of the two.
    """
    if len(graph.spec.parties) > 1 or of.members_max > 1:
        return None
    source = ctx.source(span)
    start, end = statements.offsets(source, graph.spec.span)
    refs = re.compile(rf"{_SKIPPED}|(?P<ref>(?<![\w.]){of.id}(?=\.\w))")
    events = [event for one in graph.spec.reactions for event in one.events]
    halves = {event.span.start: event.subject.rpartition(".")[2] for event in events}
    fixes = [remove(source, span)]
    for found in refs.finditer(source.text, start, end):
        if found["ref"]:
            at = source.span(*found.span())
            is_end = source.text[: found.start()].rstrip().endswith("->")
            fixes.append(Fix(at, "egress" if is_end else halves.get(at.start, "ingress")))
    return _together(fixes)


def tool(graph: Graph, of: ToolSpec, ctx: Context, span: Span) -> Fix | None:
    """The tool, its name in the lists of models, and the reactions that it has to do with."""
    if span.file != graph.spec.span.file or any(mode.overrides for mode in graph.spec.modes):
        return None
    fixes = [line(ctx, span)]
    for node in graph.nodes:
        if of.id in node.spec.tools:
            at = node.spec.origin("tools").span
            rest = [name for name in node.spec.tools if name != of.id]
            fixes.append(Fix(at, f"[{', '.join(rest)}]") if rest else setting(ctx, at))
    for one in graph.spec.reactions:
        if one.verb == "call" and one.object == of.id:
            fixes.append(line(ctx, one.span))
        else:
            fixes += _without_subject(graph, one, of.id, ctx)
    return _together(fixes)


def overrides(graph: Graph, of: ModeSpec, ctx: Context, span: Span) -> Fix | None:
    """What the mode sets; the mode, and the reactions that enter it, where it turns nothing off."""
    source = ctx.source(span)
    if not of.off:
        entered = [one for one in graph.spec.reactions if one.verb in ("enter", "degrade") and one.object == of.id]
        return _together([line(ctx, span), *(line(ctx, one.span) for one in entered)])
    block, off = statements.braces(source, span), statements.setting_at(source, span, "off")
    return Fix(block, f"{{ {_text(ctx, off)} }}") if block and off else None


def node(graph: Graph, of: GraphNode, ctx: Context, span: Span) -> Fix | None:
    """The node and the flows into it; where one flow goes in and one comes out, they become one."""
    into, out = graph.into(of.id), graph.out_of(of.id)
    is_named = any(of.id in mode.off or any(one.node == of.id for one in mode.overrides) for mode in graph.spec.modes)
    if of.id in graph.converters or is_named or "." in of.id or any(edge.reactions for edge in (*into, *out)):
        return None
    if any(one.trigger and one.trigger.node == of.id for one in graph.spec.reactions):
        return None
    fixes = [] if of.spec.implicit else [line(ctx, of.spec.span)]
    if not out:
        fixes += [flow(ctx, edge.spec.span) for edge in into]
    elif len(into) == len(out) == 1 and _may_join(graph, into[0], out[0]):
        first, second = into[0].spec.span, out[0].spec.span
        fixes += statements.bypass(ctx.source(first), first, ctx.source(second), second)
    else:
        return None
    for one in graph.spec.reactions:
        fixes += _without_subject(graph, one, of.id, ctx)
    return _together(fixes)


def _may_join(graph: Graph, first: GraphEdge, second: GraphEdge) -> bool:
    """Whether what flows in could flow on as it is."""
    source, target = graph.source_port(first), graph.target_port(second)
    is_alike = source is not None and target is not None and target.type.name in (source.type.name, "any")
    return is_alike and first.scope == second.scope


# ---- reactions


def reaction(graph: Graph, of: ReactionSpec, ctx: Context, _span: Span) -> Fix | None:
    """The reaction, and the nodes at both of its ends that nothing else has to do with."""
    fixes = [line(ctx, of.span)]
    others = [one for one in graph.spec.reactions if one is not of]
    named = {event.subject for one in others for event in one.events} | {one.object for one in others}
    named |= {one.trigger.node for one in others if one.trigger} | {id for mode in graph.spec.modes for id in mode.off}
    ends = {event.subject for event in of.events} | ({of.trigger.node} if of.trigger else set())
    for end in (node for node in graph.nodes if node.id in ends - named and not node.spec.implicit):
        edges = (*graph.into(end.id), *graph.out_of(end.id))
        if end.execution != "boundary" and all(edge.reactions == (of.id,) for edge in edges):
            fixes.append(line(ctx, end.spec.span))
    return _together(fixes)


def event(graph: Graph, of: ReactionSpec, gone: EventSpec, ctx: Context, span: Span) -> Fix | None:
    """One event of a line; the whole line where it is the only one."""
    if len(of.events) == 1:
        return reaction(graph, of, ctx, span)
    every = [one.span for one in of.events]
    return statements.without_events(ctx.source(of.span), of.span, every, [gone.span])


def action(graph: Graph, of: ReactionSpec, ctx: Context, span: Span) -> Fix | None:
    """The action that comes nearest; without one, the reaction goes."""
    instead = INSTEAD.get(of.verb or "")
    if instead is None:
        return reaction(graph, of, ctx, span)
    source = ctx.source(of.span)
    _, end = statements.offsets(source, of.span)
    return guess(Fix(source.span(statements.arrow(source, of.span), end), f"-> {instead}"))


def _without_subject(graph: Graph, of: ReactionSpec, subject: str, ctx: Context) -> list[Fix]:
    """The events of one subject go; with the last one, the reaction."""
    every = [one.span for one in of.events]
    gone = [one.span for one in of.events if one.subject == subject]
    if len(gone) < len(every):
        return [statements.without_events(ctx.source(of.span), of.span, every, gone)] if gone else []
    whole = reaction(graph, of, ctx, of.span)
    return [whole] if whole else []


# ---- all of it


def _text(ctx: Context, span: Span) -> str:
    source = ctx.source(span)
    start, end = statements.offsets(source, span)
    return source.text[start:end]


def _together(fixes: Iterable[Fix]) -> Fix | None:
    """One fix of all; None where two of them want the same place."""
    every = list(dict.fromkeys(fixes))
    edits = sorted(dict.fromkeys(edit for one in every for edit in one.edits), key=lambda edit: edit.span)
    if not edits or any(a.span.file == b.span.file and b.span.start < a.span.end for a, b in pairwise(edits)):
        return None
    return Fix(edits[0].span, edits[0].replacement, tuple(edits[1:]), any(one.is_guess for one in every))
