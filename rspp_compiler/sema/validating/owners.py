"""Who ends the utterance of each party: the event a reaction names, or that of the only detector (CONTRACTS §5)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_behind, remove
from rspp_compiler.ir.bound import Bound, BoundEdge, BoundEvent, BoundNode
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import EventSpec, OwnerSpec
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.reading.values import listed
from rspp_compiler.source import Span


def owners(bound: Bound, ctx: Context) -> tuple[OwnerSpec, ...]:
    """One for each party whose turns something other than text opens, in the order of the parties."""
    parties = [party.id for party in bound.parties] or [""]
    ends = [(event, one.span) for one in bound.reactions if one.verb == "end_utterance" for event in one.events]
    found = []
    for party in parties:
        heard = _heard(party, bound)
        named = [end for end in ends if len(parties) == 1 or _is_of(end[0], party, heard, bound)]
        if len(named) > 1:
            _two_owners(named, party, ctx)
        if named:
            event = named[0][0]
            spec = EventSpec(span=event.span, subject=event.subject, event=event.event)
            found.append(OwnerSpec(span=event.span, party=party, event=spec))
        elif owner := _detector(party, heard, bound, ctx):
            found.append(owner)
    return tuple(found)


def _heard(party: str, bound: Bound) -> frozenset[str]:
    """The nodes that what `party` says can reach."""
    starts = [node.id for node in bound.nodes if node.kind == "ingress" and node.party == party]
    return reached(starts, bound.edges)


def reached(starts: Iterable[str], edges: Iterable[BoundEdge]) -> frozenset[str]:
    """The nodes that flows lead to from `starts`, which belong to them."""
    out_of: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        out_of[edge.source.node.id].append(edge.target.node.id)
    found = set(starts)
    waiting = deque(sorted(found))
    while waiting:
        for target in out_of[waiting.popleft()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return frozenset(found)


def _is_of(event: BoundEvent, party: str, heard: frozenset[str], bound: Bound) -> bool:
    """Whether an event ends utterances of `party`: its own, or one that belongs to nobody in particular."""
    if event.subject in heard:
        return True
    subject = next((node for node in bound.nodes if node.id == event.subject), None)
    if subject is not None and KINDS[subject.kind].is_boundary:
        return subject.party == party
    return subject is None or not any(event.subject in _heard(other.id, bound) for other in bound.parties)


def _of(party: str) -> str:
    return f" of `{party}`" if party else ""


def _two_owners(named: list[tuple[BoundEvent, Span]], party: str, ctx: Context) -> None:
    first = named[0][0]
    for event, line in named[1:]:
        ctx.sink.add(
            "E0805",
            f"the end of the utterance{_of(party)} has a second owner",
            event.span,
            secondary=[(first.span, "the first owns it")],
            help="keep one event that ends the utterance",
            fix=remove(ctx.source(line), line) if line != named[0][1] else _without_event(event.span, ctx),
        )


def _without_event(span: Span, ctx: Context) -> Fix:
    """An event of a line goes, with the `or` before it."""
    source = ctx.source(span)
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    before = source.text[:start].rstrip().removesuffix("or").rstrip()
    return Fix(source.span(len(before), end), "")


def _detector(party: str, heard: frozenset[str], bound: Bound, ctx: Context) -> OwnerSpec | None:
    detectors: list[BoundNode] = [node for node in bound.nodes if node.id in heard and KINDS[node.kind].ends_utterance]
    if not detectors:
        return None
    first, *others = detectors
    event = KINDS[first.kind].ends_utterance
    if others:
        # What judges texts knows more than what hears sounds.
        chosen = next((node for node in detectors if node.kind == "endpointer"), first)
        line = f"on {chosen.id}.{KINDS[chosen.kind].ends_utterance} -> end utterance"
        last = max((edge.span for edge in bound.edges if bound.span.holds(edge.span)), default=None)
        ctx.sink.add(
            "E0801",
            f"{len(detectors)} detectors could end the utterance{_of(party)}: {listed(node.id for node in detectors)}",
            first.span,
            secondary=[(node.span, "this one too") for node in others],
            help=f"choose one: `{line}`",
            fix=line_behind(ctx.source(last), last, line) if last else None,
        )
        return None
    return OwnerSpec(
        span=first.span,
        party=party,
        event=EventSpec(
            span=first.span,
            origins={"event": Origin.derived(first.span, f"`{first.id}` is the only detector{_heard_by(party)}")},
            subject=first.id,
            event=event,
        ),
    )


def _heard_by(party: str) -> str:
    return f" that hears `{party}`" if party else ""
