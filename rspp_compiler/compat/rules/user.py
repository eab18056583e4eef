"""What clients hear, see and may do."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.compare import Compared, compare
from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.graph import GraphNode
from rspp_compiler.ir.spec import PartySpec
from rspp_compiler.source import Span

_KEYS = ("dtmf", "button_down", "button_up")


def _used(version: Version, kind: str) -> dict[str, Span]:
    """Ports of the ingresses or egresses that something flows through, with the place of one such flow."""
    graph = version.analysis.graph
    found: dict[str, Span] = {}
    for node in graph.of_kind(kind):
        for edge in graph.out_of(node.id) if kind == "ingress" else graph.into(node.id):
            port = edge.source_port if kind == "ingress" else edge.target_port
            found.setdefault(f"{node.id}.{port}", edge.spec.span)
    return found


@rule("OUTPUT_REMOVED", "WIRE", "A client waits for what no longer comes.", breaks=True, is_boundary=True)
def output_removed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = _used(old, "egress"), _used(new, "egress")
    for port in before.keys() - after.keys():
        yield Difference(f"nothing goes to `{port}` any more", before[port])


@rule("OUTPUT_ADDED", "WIRE", "A client gets something that it did not get.", breaks=False, is_boundary=True)
def output_added(old: Version, new: Version) -> Iterator[Difference]:
    before, after = _used(old, "egress"), _used(new, "egress")
    for port in after.keys() - before.keys():
        yield Difference(f"`{port}` is new", None, after[port])


@rule("INPUT_REMOVED", "WIRE", "What a client sends is ignored.", breaks=True, is_boundary=True)
def input_removed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = _used(old, "ingress"), _used(new, "ingress")
    for port in before.keys() - after.keys():
        yield Difference(f"nothing listens to `{port}` any more", before[port])


@rule("KEYS_IGNORED", "WIRE", "A key or button that did something does nothing.", breaks=True, is_boundary=True)
def keys_ignored(old: Version, new: Version) -> Iterator[Difference]:
    heard = [_keys(version) for version in (old, new)]
    for event in heard[0].keys() - heard[1].keys():
        yield Difference(f"no line answers `{event}` any more", heard[0][event])


def _keys(version: Version) -> dict[str, Span]:
    return {
        str(event): event.span
        for reaction in version.spec.reactions
        for event in reaction.events
        if event.event in _KEYS
    }


@rule("AUDIO_FORMAT_CHANGED", "WIRE", "A client sends or plays another format.", breaks=True, is_boundary=True)
def audio_format_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(_boundaries(old), _boundaries(new), lambda node: node.id).kept:
        ports = compare(
            (*before.spec.inputs, *before.spec.outputs),
            (*after.spec.inputs, *after.spec.outputs),
            lambda port: port.name,
        )
        for one, other in ports.kept:
            if one.type != other.type:
                message = f"`{after.id}.{other.name}` was {one.type} and is {other.type}"
                yield Difference(message, before.spec.span, after.spec.span)


def _boundaries(version: Version) -> tuple[GraphNode, ...]:
    return version.analysis.graph.of_kind("ingress", "egress")


@rule("PARTY_REMOVED", "WIRE", "A participant is no longer part of it.", breaks=True, is_boundary=True)
def party_removed(old: Version, new: Version) -> Iterator[Difference]:
    for party in _parties(old, new).removed:
        yield Difference(f"party `{party.id or 'ingress, egress'}` is gone", party.span)


@rule("PARTY_SMALLER", "WIRE", "Fewer can take part at once.", breaks=True, is_boundary=False)
def party_smaller(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _parties(old, new).kept:
        if after.members_max < before.members_max:
            message = f"`{after.id}` was up to {before.members_max}, and is up to {after.members_max}"
            yield Difference(message, before.span, after.span)


def _parties(old: Version, new: Version) -> Compared[PartySpec]:
    return compare(old.spec.parties, new.spec.parties, lambda party: party.id)


@rule("CLASS_RAISED", "WIRE", "Data of a more sensitive class reaches the client.", breaks=True, is_boundary=False)
def class_raised(old: Version, new: Version) -> Iterator[Difference]:
    before, after = (_classes(version) for version in (old, new))
    for port in before.keys() & after.keys():
        raised = sorted((after[port][0] - before[port][0]) & {"PII", "PHI"})
        if raised:
            yield Difference(f"`{port}` now carries {', '.join(raised)}", before[port][1], after[port][1])


def _classes(version: Version) -> dict[str, tuple[frozenset[str], Span]]:
    graph = version.analysis.graph
    found: dict[str, tuple[frozenset[str], Span]] = {}
    for node in graph.of_kind("egress"):
        for edge in graph.into(node.id):
            port = graph.source_port(edge)
            name = f"{node.id}.{edge.target_port}"
            known = found.get(name, (frozenset(), edge.spec.span))
            of = getattr(port.type, "payload_class", "") if port else ""
            found[name] = (known[0] | {of}, edge.spec.span)
    return found
