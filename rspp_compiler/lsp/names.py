"""The names that may stand in a block: what its file declares, and the ports, events and fields that those have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Index, Symbol
from rspp_compiler.lsp.cursor import Cursor
from rspp_compiler.sema.language.catalog import Kind
from rspp_compiler.sema.language.events import (
    ITEM_FIELDS,
    SESSION_EVENTS,
    SESSION_FIELDS,
    TOOL_EVENTS,
    TURN_EVENTS,
    TURN_FIELDS,
    event_fields,
)
from rspp_compiler.sema.language.kinds import KINDS, events_of


class Names:
    """What a line of the `container` sort called `name` in `file` may mention; nothing without an index."""

    def __init__(self, index: Index | None, file: str, container: str, name: str) -> None:
        self._index = index
        around = [one for one in index.symbols if one.sort == container and one.name == name] if index else []
        self._container = next((one for one in around if one.at.file == file), None)
        self._visible = list(index.visible(file, self._container)) if index else []

    def symbols(self, *sorts: str) -> list[Symbol]:
        """The visible symbols of some sorts, each name once."""
        found = {symbol.name: symbol for symbol in reversed(self._visible) if symbol.sort in sorts}
        return list(reversed(found.values()))

    def module(self, name: str) -> Symbol | None:
        return next((one for one in self._visible if one.sort == "module" and one.name == name), None)

    def inner(self, kind: str) -> list[Symbol]:
        """The nodes of a module that is used as a kind."""
        module = self.module(kind)
        inside = self._index.inside(module) if self._index and module else ()
        return [symbol for symbol in inside if symbol.sort == "node"]

    def reach(self, ref: str) -> Symbol | None:
        """The node that a dotted name leads to; inside a module's braces it may begin with a node of the module."""
        head, *rest = ref.split(".")
        found = next((one for one in self.symbols("node") if one.name == head), None)
        if found is None and self._index:
            found = next((one for one in self._index.symbols if one.sort == "node" and one.name == head), None)
        for part in rest:
            found = next((one for one in self.inner(found.kind) if one.name == part), None) if found else None
        return found

    def kind_of(self, head: str) -> str:
        """The kind that the head of a block names: `vad` of `node ears : vad`; a name without one is the kind."""
        kind = re.search(r":\s*(\w+)[^:()]*(?:\([^()]*\))?\s*$", head)
        words = re.findall(r"[A-Za-z_]\w*", head)
        return kind[1] if kind else words[1] if len(words) > 1 else ""

    def provider_of(self, here: Cursor) -> str:
        """The kind of the provider block around a `use` line."""
        head = next((block.head for block in reversed(here.blocks) if block.place == "provider"), "")
        return self.kind_of(head)

    # ---- ports, events, fields

    def ports(self, ref: str, side: str) -> Iterator[tuple[str, str, bool]]:
        """Name, type and whether it is the main one, of each port that may stand on that side of an arrow."""
        node = self.reach(ref)
        signature = self._signature(node) if node else None
        if signature:
            params = signature.inputs if side == "input" else signature.outputs
            for position, param in enumerate(params):
                type = param.type.name.text if isinstance(param.type, ast.Call) else param.type.text
                yield param.name.text, type, position == 0
            return
        kind = KINDS.get(node.kind) if node else self._boundary(ref, side)
        for port in (kind.inputs if side == "input" else kind.outputs) if kind else ():
            yield port.name, port.type, port.main

    def events(self, ref: str) -> tuple[str, ...]:
        """The events of a subject, and the ports that occur as events."""
        if ref in ("session", "turn"):
            return SESSION_EVENTS if ref == "session" else TURN_EVENTS
        node = self.reach(ref)
        if node is None and any(one.name == ref for one in self.symbols("tool")):
            return TOOL_EVENTS
        if node is None and any(one.name == ref for one in self.symbols("party")):
            return (*KINDS["ingress"].events, *KINDS["egress"].events)
        kind = KINDS.get(node.kind if node else ref)
        return tuple(dict.fromkeys(events_of(kind))) if kind else ()

    def fields(self, subject: str, event: str, of: str = "") -> list[tuple[str, str]]:
        """The fields of `session`, `turn` or `event` with their types; `event` is the reaction's, that of `of`; "" in a
        flow.
        """
        if subject == "session":
            return list(SESSION_FIELDS.items())
        if subject == "turn":
            return list(TURN_FIELDS.items())
        if event:
            return list(event_fields(event, of).items())
        return list({name: type for fields in ITEM_FIELDS.values() for name, type in fields.items()}.items())

    def _signature(self, node: Symbol) -> ast.Signature | None:
        module = self.module(node.kind)
        item = module.item if module else node.item
        found: ast.Signature | None = getattr(item, "signature", None)
        return found

    def _boundary(self, ref: str, side: str) -> Kind | None:
        """`ingress`, `egress`, or the half of a party that stands on that side."""
        if ref in ("ingress", "egress"):
            return KINDS[ref]
        if any(one.name == ref for one in self.symbols("party")):
            return KINDS["egress" if side == "input" else "ingress"]
        return None
