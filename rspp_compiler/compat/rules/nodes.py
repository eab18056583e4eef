"""Nodes and their ports."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.compare import compare
from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.spec import NodeSpec, PortSpec

_CUSTOM = ("python", "grpc", "wasm")


def _pairs(old: Version, new: Version) -> list[tuple[NodeSpec, NodeSpec]]:
    return compare(_declared(old), _declared(new), lambda node: node.id).kept


def _declared(version: Version) -> list[NodeSpec]:
    converters = version.analysis.graph.converters
    return [node for node in version.spec.nodes if node.id not in converters]


def _custom(old: Version, new: Version) -> Iterator[tuple[NodeSpec, NodeSpec]]:
    for before, after in _pairs(old, new):
        if before.kind in _CUSTOM and after.kind in _CUSTOM:
            yield before, after


def _ports(before: NodeSpec, after: NodeSpec) -> Iterator[tuple[str, list[PortSpec], list[PortSpec]]]:
    yield "input", list(before.inputs), list(after.inputs)
    yield "output", list(before.outputs), list(after.outputs)


@rule("NODE_REMOVED", "SOURCE", "Layers, modes and dashboards name nodes.", breaks=True, is_boundary=True)
def node_removed(old: Version, new: Version) -> Iterator[Difference]:
    for node in compare(_declared(old), _declared(new), lambda node: node.id).removed:
        yield Difference(f"node `{node.id}` is gone", node.span)


@rule("NODE_ADDED", "PLAN", "A new node takes part.", breaks=False, is_boundary=True)
def node_added(old: Version, new: Version) -> Iterator[Difference]:
    for node in compare(_declared(old), _declared(new), lambda node: node.id).added:
        yield Difference(f"node `{node.id}` is new", None, node.span)


@rule("NODE_KIND_CHANGED", "SOURCE", "A name stands for something else.", breaks=True, is_boundary=True)
def node_kind_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _pairs(old, new):
        if before.kind != after.kind:
            yield Difference(f"`{after.id}` was a `{before.kind}` and is a `{after.kind}`", before.span, after.span)


@rule("NODE_SETTING_CHANGED", "PLAN", "A node behaves in another way.", breaks=False, is_boundary=True)
def node_setting_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _pairs(old, new):
        for key in sorted(before.settings.keys() | after.settings.keys()):
            values = before.settings.get(key), after.settings.get(key)
            if values[0] != values[1] and before.kind == after.kind:
                yield Difference(
                    f"`{after.id}`: `{key}` was {_shown(values[0])} and is {_shown(values[1])}",
                    before.origin(f"settings.{key}").span,
                    after.origin(f"settings.{key}").span,
                )


@rule("NODE_SCOPE_CHANGED", "PLAN", "State lives longer or shorter than before.", breaks=False, is_boundary=True)
def node_scope_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _pairs(old, new):
        if before.scope != after.scope:
            message = f"`{after.id}` lived as long as the {before.scope}, and lives as long as the {after.scope}"
            yield Difference(message, before.span, after.span)


@rule("PORT_REMOVED", "ABI", "Code that fills or reads the port does it in vain.", breaks=True, is_boundary=True)
def port_removed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        for side, ports, others in _ports(before, after):
            for port in compare(ports, others, lambda port: port.name).removed:
                yield Difference(f"{side} `{port.name}` of `{after.id}` is gone", port.span, after.span)


@rule("PORT_ADDED", "ABI", "Code does not know the new port.", breaks=True, is_boundary=True)
def port_added(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        for side, ports, others in _ports(before, after):
            for port in compare(ports, others, lambda port: port.name).added:
                yield Difference(f"{side} `{port.name}` of `{after.id}` is new", before.span, port.span)


@rule("PORT_TYPE_CHANGED", "ABI", "Code gets or makes something of another type.", breaks=True, is_boundary=True)
def port_type_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        for side, ports, others in _ports(before, after):
            for one, other in compare(ports, others, lambda port: port.name).kept:
                if one.type != other.type:
                    message = f"{side} `{other.name}` of `{after.id}` was {one.type} and is {other.type}"
                    yield Difference(message, one.span, other.span)


@rule("PORT_ITEM_SMALLER", "ABI", "What used to fit is refused.", breaks=True, is_boundary=False)
def port_item_smaller(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        for side, ports, others in _ports(before, after):
            for one, other in compare(ports, others, lambda port: port.name).kept:
                if other.item_bytes_max < one.item_bytes_max and one.type == other.type:
                    sizes = f"{one.item_bytes_max} bytes, now {other.item_bytes_max}"
                    yield Difference(f"{side} `{other.name}` of `{after.id}` took {sizes}", one.span, other.span)


@rule("IMPLEMENTATION_CHANGED", "ABI", "Another piece of code is called.", breaks=True, is_boundary=True)
def implementation_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        if (before.kind, before.implementation) != (after.kind, after.implementation):
            was, now = (f'{node.kind}("{node.implementation}")' for node in (before, after))
            yield Difference(f"`{after.id}` called {was} and calls {now}", before.span, after.span)


@rule("PLACE_CHANGED", "ABI", "Code that may not wait waits, or the other way round.", breaks=True, is_boundary=True)
def place_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _custom(old, new):
        if before.place != after.place:
            yield Difference(f"`{after.id}` ran in: {before.place}, now: {after.place}", before.span, after.span)


@rule("TUNABLE_REMOVED", "SOURCE", "Layers of tenants and sessions set it.", breaks=True, is_boundary=False)
def tunable_removed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _pairs(old, new):
        for one in compare(before.tunable, after.tunable, lambda tunable: tunable.field).removed:
            yield Difference(f"`{after.id}.{one.field}` can no longer be tuned", one.span, after.span)


@rule("TUNABLE_NARROWED", "SOURCE", "A layer's value may now be out of bounds.", breaks=True, is_boundary=False)
def tunable_narrowed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _pairs(old, new):
        for one, other in compare(before.tunable, after.tunable, lambda tunable: tunable.field).kept:
            lows, highs = (one.low, other.low), (one.high, other.high)
            if (lows[1] is not None and (lows[0] is None or lows[1] > lows[0])) or (
                highs[1] is not None and (highs[0] is None or highs[1] < highs[0])
            ):
                yield Difference(f"`{after.id}.{other.field}` can be tuned less than before", one.span, other.span)


def _shown(value: object) -> str:
    return "not set" if value is None else f"`{value}`"
