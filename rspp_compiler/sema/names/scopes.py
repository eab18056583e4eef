"""Hearing or turn: how long each node lives, and with which flows a turn begins (CONTRACTS §5).

Hearing goes on all the time: ingress, detectors, recognisers. A model, a voice and what is said belong to a turn. Other
nodes belong to a turn when anything of a turn reaches them. A turn begins where a whole utterance leaves hearing. What
several members of a party say is gathered first: a `merge` or `redact` of it is hearing still, the turn begins behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEdge, BoundEnd, BoundInsert, BoundNode, BoundPolicy, BoundReaction
from rspp_compiler.ir.spec import Scope
from rspp_compiler.sema.language.kinds import KINDS


class Scopes:
    """The scopes of one pipeline's nodes and edges."""

    def __init__(self, nodes: Iterable[BoundNode], edges: Iterable[BoundEdge]) -> None:
        self._of: dict[str, Scope | None] = {node.id: written(node) or node.scope for node in nodes}
        self._edges = list(edges)
        self._out_of: defaultdict[str, list[BoundEdge]] = defaultdict(list)
        for edge in self._edges:
            self._out_of[edge.source.node.id].append(edge)
        self._gathering = self._gathered()
        self._spread()

    def node(self, node: BoundNode) -> BoundNode:
        """The node with its scope."""
        return replace(node, scope=self._of.get(node.id, node.scope) or "session")

    def edge(self, edge: BoundEdge) -> BoundEdge:
        """The edge, its ends with their scopes and its own."""
        source, target = self._end(edge.source), self._end(edge.target)
        opens = self._opens(edge)
        scope: Scope = "turn" if opens or source.node.scope == "turn" else "session"
        return replace(edge, source=source, target=target, scope=scope, opens_turn=opens)

    def reaction(self, reaction: BoundReaction) -> BoundReaction:
        trigger = self._end(reaction.trigger) if reaction.trigger else None
        return replace(reaction, trigger=trigger, path=tuple(self.edge(edge) for edge in reaction.path))

    def policy(self, policy: BoundPolicy) -> BoundPolicy:
        """A policy's node belongs to a turn when it is inserted before one that does."""
        before = {insert.node.id: self._of.get(insert.target.node.id) for insert in policy.inserts}
        for node in policy.nodes:
            self._of[node.id] = written(node) or node.scope or before.get(node.id) or "session"
        inserts = tuple(self._insert(insert) for insert in policy.inserts)
        return replace(policy, nodes=tuple(self.node(node) for node in policy.nodes), inserts=inserts)

    def _insert(self, insert: BoundInsert) -> BoundInsert:
        edge = self.edge(insert.edge)
        return replace(insert, node=edge.source.node, target=edge.target, edge=edge)

    def _end(self, end: BoundEnd) -> BoundEnd:
        return replace(end, node=self.node(end.node))

    def _opens(self, edge: BoundEdge) -> bool:
        """Whether a turn begins here: an utterance that goes to something else than the gathering of a party."""
        source = edge.source.node
        if edge.target.node.id in self._gathering:
            return False
        if source.id in self._gathering:
            return edge.target.node.execution != "boundary"
        return edge.source.port.name in KINDS[source.kind].opens_turn

    def _gathered(self) -> set[str]:
        """Nodes that gather what the members of a party say, before any turn."""
        waiting = [
            edge.target.node
            for edge in self._edges
            if self._of[edge.source.node.id] == "party"
            and edge.source.port.name in KINDS[edge.source.node.kind].opens_turn
        ]
        found: set[str] = set()
        while waiting:
            node = waiting.pop()
            if self._of[node.id] in (None, "session") and node.execution != "boundary" and node.id not in found:
                found.add(node.id)
                waiting += [edge.target.node for edge in self._out_of[node.id]]
        return found

    def _spread(self) -> None:
        """What anything of a turn reaches belongs to it, unless its kind or the user says otherwise."""
        waiting = [id for id, scope in self._of.items() if scope == "turn"]
        waiting += [edge.target.node.id for edge in self._edges if self._opens(edge) and self._floats(edge.target.node)]
        seen: set[str] = set()
        while waiting:
            id = waiting.pop()
            if id in seen:
                continue
            seen.add(id)
            if self._of[id] is None:
                self._of[id] = "turn"
            waiting += [edge.target.node.id for edge in self._out_of[id] if self._floats(edge.target.node)]

    def _floats(self, node: BoundNode) -> bool:
        return self._of[node.id] is None and node.id not in self._gathering


def written(node: BoundNode) -> Scope | None:
    """The scope that the user gave to a node; what is no scope is reported when settings are read."""
    for setting in node.settings:
        if setting.key.text == "scope" and isinstance(setting.value, ast.Ref):
            choices: dict[str, Scope] = {"session": "session", "turn": "turn", "party": "party"}
            return choices.get(setting.value.text)
    return None
