"""Cancel, played with tokens: every place a token can be in, a cancel of the turn there, and all that may follow.

The rules are those of the language, and know nothing of the analysis. A token is at a node or in an edge, and belongs
to a turn or to none. Where an edge opens a turn, the token belongs to that one. A commit point lets go of a token. The
cancel takes away what is in the turn, but for what was let go of. Nodes of the session make tokens at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from rspp_compiler.ir.graph import Graph


class Token(NamedTuple):
    """`place` is a node or an edge. `came_by` is how it got away: an edge by which it came out of the session
    (`survivor`), or was let go of (`commit`).
    """

    place: str
    is_new: bool = False  # of a turn that was opened after the cancel
    let_go: bool = False
    cancelled: bool = False  # whether the cancel has happened
    came_by: tuple[str, str] | None = None


def heard_after_cancel(graph: Graph) -> set[tuple[str, str]]:
    """What is heard after the cancel without a new turn: (`survivor` or `commit`, the edge by which it came)."""
    game = _Game(graph)
    start = [Token(node.id) for node in graph.nodes if node.scope != "turn" and node.kind != "egress"]
    seen, waiting, heard = set(start), deque(start), set()
    while waiting:
        token = waiting.popleft()
        for after in game.moves(token):
            if game.is_heard(token, after) and token.came_by:
                heard.add(token.came_by)
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return heard


class _Game:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._edges = {edge.id: edge for edge in graph.edges}

    def moves(self, token: Token) -> Iterator[Token]:
        """Everything that can happen to the token next."""
        if not token.cancelled and not (self._is_in_turn(token.place) and not token.let_go):
            yield token._replace(cancelled=True)
        if token.place in self._edges:
            yield from self._arrives(token)
        else:
            yield from self._leaves(token)

    def is_heard(self, before: Token, after: Token) -> bool:
        """Whether the token has just come to the user after the cancel, and is not of a new turn."""
        edge = self._edges.get(before.place)
        at_egress = edge is not None and after.place == edge.target and self._graph.node(edge.target).kind == "egress"
        return at_egress and edge is not None and edge.target_port != "ambient" and after.cancelled and not after.is_new

    def _arrives(self, token: Token) -> Iterator[Token]:
        edge = self._edges[token.place]
        if edge.spec.commit_point:
            yield token._replace(place=edge.target, let_go=True, came_by=("commit", edge.id))
        if token.came_by or not edge.spec.commit_point:
            yield token._replace(place=edge.target, let_go=token.let_go or edge.spec.commit_point)

    def _leaves(self, token: Token) -> Iterator[Token]:
        node = self._graph.node(token.place)
        for edge in self._graph.out_of(node.id):
            target = self._graph.node(edge.target)
            after = token._replace(place=edge.id)
            if node.scope != "turn" and not edge.opens_turn and (target.kind, edge.target_port) == ("egress", "text"):
                continue  # text of the session is no part of a turn
            if edge.opens_turn:
                yield after._replace(is_new=token.cancelled, let_go=False, came_by=None)
            elif not token.let_go and node.scope != "turn" and (target.scope == "turn" or target.kind == "egress"):
                yield after._replace(came_by=("survivor", edge.id))
                if token.came_by:
                    yield after
            else:
                yield after

    def _is_in_turn(self, place: str) -> bool:
        edge = self._edges.get(place)
        return (edge.scope if edge else self._graph.node(place).scope) == "turn"
