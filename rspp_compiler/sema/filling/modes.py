"""Modes: settings of nodes that are otherwise while the mode holds."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.bound import BoundMode, FilledMode, FilledNode, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.filling.nodes import Nodes
from rspp_compiler.sema.language.catalog import Table
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.tables import node_table
from rspp_compiler.sema.reading.fields import read_one, unknown_key

# What a node is made of: no mode can change it while the session lives.
_FIXED = ("scope", "cancel", "work", "limit", "hooks", "state", "tunable", "place", "class", "timeout")


def fill_modes(
    modes: Iterable[BoundMode], nodes: Iterable[FilledNode], reader: Nodes, ctx: Context
) -> tuple[FilledMode, ...]:
    """`mode billing { llm.system = file("prompts/billing.md"), llm.tools = [refund] }`."""
    modes = tuple(modes)
    by_id = {node.bound.id: node for node in nodes} if any(mode.overrides for mode in modes) else {}
    return tuple(FilledMode(mode, _overrides(mode, by_id, reader, ctx)) for mode in modes)


def _overrides(
    mode: BoundMode, nodes: dict[str, FilledNode], reader: Nodes, ctx: Context
) -> tuple[tuple[str, str, Valued], ...]:
    found: dict[tuple[str, str], Valued] = {}
    for id, written in mode.overrides:
        node = nodes[id].bound
        table, key = _table(node.kind), written.key.text
        setting = table.by_name.get(key)
        if key in _FIXED and key in node_table(node.kind).names:
            message = f"`{key}` of `{id}` is the same in every mode"
            fix = remove(ctx.source(written.span), written.span)
            help = f"set it where `{id}` is declared"
            ctx.sink.add("E0314", message, written.key.span, secondary=[(node.span, "here")], help=help, fix=fix)
            continue
        if setting is None:
            unknown_key(written, table.of, table.names, ctx)
            continue
        value = read_one(setting, written, ctx)
        if value is not None and key == "provider":
            value = reader.pool(node, value, written)
        if value is not None and key == "tools":
            value = reader.known_tools(value, written)
        if value is not None:
            found[id, setting.field] = value
    return tuple((*place, found[place]) for place in sorted(found))  # the order of settings means nothing


def _table(kind: str) -> Table:
    """What a mode can set otherwise."""
    whole = node_table(kind)
    names = {setting.name for setting in KINDS[kind].settings} | {"provider"}
    return Table(whole.of, tuple(one for one in whole.settings if one.name in names and one.name not in _FIXED))
