"""Flows played item by item, to check rates, liveness and throughput: it knows nothing of how those analyses reckon.

Every edge is a queue of items, each with its length; the first may have been taken in part. Every flow makes its
producer wait when it is full. `deadlocks` plays all schedules, `pace` the one in which everything begins as early as it
can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from math import gcd, lcm

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode

FILTERS = ("vad",)
Items = tuple[tuple[int, int], ...]
"""Items or stretches of audio, as (length, time from which it is there)."""


class StuckError(Exception):
    """The game leads nowhere: nothing moves any more, or it is too large to be played."""


class Game:
    """The state of a pipeline. `rooms` are the items that edges hold, by id, where it is not as in the graph.

    Each item that a filter is given it hands on or swallows, and both are played. Where `silent` is given, those in it
    swallow all, and the others hand on all.
    """

    def __init__(self, graph: Graph, rooms: dict[str, int] | None = None, silent: frozenset[str] | None = None) -> None:
        self.graph = graph
        self.rooms = {edge.id: edge.spec.buffer_items for edge in graph.edges} | (rooms or {})
        self.silent = silent
        self.queues: dict[str, Items] = {edge.id: () for edge in graph.edges}
        self.taken = dict.fromkeys(self.queues, 0)  # of the first item
        self.hands: dict[tuple[str, str], Items] = {}  # what a node has taken and not handed on, by output
        self.busy: dict[str, tuple[int, ...]] = {node.id: () for node in graph.nodes}  # ends of its work
        self.moved: dict[str, int] = {node.id: 0 for node in graph.nodes}

    def copy(self) -> Game:
        other = Game.__new__(Game)
        other.__dict__ |= self.__dict__
        for name in ("queues", "taken", "hands", "busy", "moved"):
            setattr(other, name, dict(getattr(self, name)))
        return other

    def key(self, now: int = 0) -> object:
        """The same for states that are alike, seen from `now`."""

        def ahead(items: Items) -> Items:
            return tuple((length, max(0, at - now)) for length, at in items)

        return (
            tuple(ahead(items) for items in self.queues.values()),
            tuple(self.taken.values()),
            tuple((port, ahead(items)) for port, items in sorted(self.hands.items()) if items),
            tuple(tuple(end - now for end in ends if end > now) for ends in self.busy.values()),
        )

    def times(self) -> Iterator[int]:
        """When something was, or will be, there or done."""
        for items in (*self.queues.values(), *self.hands.values()):
            yield from (at for _, at in items)
        for ends in self.busy.values():
            yield from ends

    # ---- what can be done

    def moves(self, now: int = 0, timed: bool = False) -> Iterator[Move]:
        """Every move that can be made at `now`; work takes no time unless `timed`."""
        return (move for _, move in self.owned_moves(now, timed))

    def owned_moves(self, now: int = 0, timed: bool = False) -> Iterator[tuple[str, Move]]:
        """Every move, with the node that makes it."""
        for node in self.graph.nodes:
            work = node.spec.work_ns if timed else 0
            if node.kind == "ingress":
                yield from ((node.id, move) for move in self._sendings(node, now))
                continue
            yield from ((node.id, move) for move in self._emissions(node, now))
            if sum(end > now for end in self.busy[node.id]) < _slots(node):
                yield from ((node.id, move) for move in self._takings(node, now, work))

    def _sendings(self, node: GraphNode, now: int) -> Iterator[Move]:
        for port in sorted({edge.source_port for edge in self.graph.out_of(node.id)}):
            if self._fits(node, port, 1):
                yield partial(Game._act, node=node, takes=(), gives=((port, 1),), now=now, work=0)

    def _takings(self, node: GraphNode, now: int, work: int) -> Iterator[Move]:
        into, out = self.graph.into(node.id), self._used(node)
        act = partial(Game._act, node=node, now=now, work=work)
        if node.kind in ("merge", "select") and len(into) > 1 and not node.spec.settings.get("within_ns"):
            # One item of each in turn; by timestamp the same stretch of time of each.
            lengths = [self._given(edge) for edge in into]
            by_time = node.spec.settings.get("order") == "timestamp"
            counts = [lcm(*lengths) // length if by_time else 1 for length in lengths]
            takes = tuple((edge, count * length) for edge, count, length in zip(into, counts, lengths, strict=True))
            gives = tuple((port, sum(counts) if node.kind == "merge" else 1) for port in out)
            if all(self._there(edge, now) >= length for edge, length in takes) and self._all_fit(node, gives):
                yield partial(act, takes=takes, gives=gives)
            return
        for edge in into:
            length = self._wanted(edge)
            if self._there(edge, now) < length:
                continue
            take = partial(act, takes=((edge, length),))
            if node.kind in FILTERS:
                if self.silent is None or node.id in self.silent:
                    yield partial(take, gives=())
                if node.id not in (self.silent or ()) and self._all_fit(node, [(port, 1) for port in out]):
                    yield partial(take, gives=tuple((port, 1) for port in out))
            elif node.kind in ("python", "grpc") and out:
                yield from self._conversions(node, take, length, out)
            else:
                yield partial(take, gives=())

    def _conversions(
        self, node: GraphNode, take: Callable[..., None], length: int, out: dict[str, int]
    ) -> Iterator[Move]:
        """As much audio out as in. Where the frames allow it, a node of the kernel takes and gives in one step."""
        if node.execution == "kernel" and all(length % frame == 0 for frame in out.values()):
            gives = tuple((port, length // frame) for port, frame in out.items())
            if self._all_fit(node, gives):
                yield partial(take, gives=gives)
            return
        room = {port: _slots(node) * length + frame - gcd(length, frame) for port, frame in out.items()}
        if all(_total(self.hands.get((node.id, port), ())) + length <= room[port] for port in out):
            yield partial(take, gives=(), into_hand=tuple(out), length=length)

    def _emissions(self, node: GraphNode, now: int) -> Iterator[Move]:
        for port, frame in self._used(node).items():
            held = self.hands.get((node.id, port), ())
            if frame and _total(held, now) >= frame and self._fits(node, port, 1):
                yield partial(Game._emit, node=node, port=port, frame=frame, now=now)

    # ---- doing it

    def _act(
        self,
        node: GraphNode,
        takes: tuple[tuple[GraphEdge, int], ...],
        gives: tuple[tuple[str, int], ...],
        now: int,
        work: int,
        into_hand: tuple[str, ...] = (),
        length: int = 0,
    ) -> None:
        for edge, amount in takes:
            self._take(edge.id, amount)
        for port in into_hand:
            self.hands[node.id, port] = (*self.hands.get((node.id, port), ()), (length, now + work))
        for port, count in gives:
            self._give(node, port, count, now + work)
        if work:
            self.busy[node.id] = (*(end for end in self.busy[node.id] if end > now), now + work)
        self.moved[node.id] += 1

    def _emit(self, node: GraphNode, port: str, frame: int, now: int) -> None:
        held, rest = list(self.hands[node.id, port]), frame
        while rest:
            length, at = held.pop(0)
            if length > rest:
                held.insert(0, (length - rest, at))
            rest -= min(rest, length)
        self.hands[node.id, port] = tuple(held)
        self._give(node, port, 1, now)

    def _take(self, edge: str, amount: int) -> None:
        self.taken[edge] += amount
        while self.queues[edge] and self.taken[edge] >= self.queues[edge][0][0]:
            self.taken[edge] -= self.queues[edge][0][0]
            self.queues[edge] = self.queues[edge][1:]

    def _give(self, node: GraphNode, port: str, count: int, at: int) -> None:
        for edge in self.graph.out_of(node.id, port):
            self.queues[edge.id] += ((self._given(edge), at),) * count

    # ---- looking

    def _used(self, node: GraphNode) -> dict[str, int]:
        """The outputs that something flows from, with the length of their items."""
        used = {edge.source_port for edge in self.graph.out_of(node.id)}
        return {port.name: port.item_ns for port in node.spec.outputs if port.name in used}

    def _given(self, edge: GraphEdge) -> int:
        port = self.graph.source_port(edge)
        return port.item_ns if port is not None else 0

    def _wanted(self, edge: GraphEdge) -> int:
        """What the input takes at once: a frame of its own, or an item as it comes."""
        port = self.graph.target_port(edge)
        as_it_comes = (
            port is None or port.type.name != "audio" or self.graph.node(edge.target).kind in ("merge", "select")
        )
        return self._given(edge) if as_it_comes or port is None else port.item_ns

    def _there(self, edge: GraphEdge, now: int) -> int:
        return _total(self.queues[edge.id], now) - self.taken[edge.id]

    def _fits(self, node: GraphNode, port: str, count: int) -> bool:
        edges = self.graph.out_of(node.id, port)
        return all(len(self.queues[edge.id]) + count <= self.rooms[edge.id] for edge in edges)

    def _all_fit(self, node: GraphNode, gives: tuple[tuple[str, int], ...] | list[tuple[str, int]]) -> bool:
        return all(self._fits(node, port, count) for port, count in gives)


Move = Callable[[Game], None]


def _slots(node: GraphNode) -> int:
    limit = node.spec.limit
    return max(1, limit.concurrency) if limit is not None and node.execution == "effect" else 1


def _total(items: Items, now: int | None = None) -> int:
    return sum(length for length, at in items if now is None or at <= now)


def deadlocks(game: Game, states_max: int = 30_000) -> bool:
    """Plays every schedule: whether in one of them nothing can move any more. `StuckError` if the game is too large."""
    seen, open_ = {game.key()}, [game]
    while open_:
        state = open_.pop()
        is_dead = True
        for move in state.moves():
            is_dead = False
            after = state.copy()
            move(after)
            key = after.key()
            if key not in seen:
                seen.add(key)
                open_.append(after)
        if is_dead:
            return True
        if len(seen) > states_max:
            raise StuckError(f"more than {states_max} states")
    return False


def starving(game: Game, moves_max: int = 400) -> set[str]:
    """The joins that something waits for, and that have never taken anything, when nothing moves or much has."""
    for _ in range(moves_max):
        # The one that has moved least goes first, so that everybody who can move does.
        moves = sorted(game.owned_moves(), key=lambda one: game.moved[one[0]])
        if not moves:
            break
        moves[0][1](game)
    waited = {edge.target for edge in game.graph.edges if game.queues[edge.id]}
    joins = {node.id for node in game.graph.nodes if node.kind in ("merge", "select")}
    return {id for id in joins & waited if not game.moved[id]}


def pace(game: Game, node: str, steps_max: int = 3_000) -> Fraction:
    """Everything begins as early as it can: the time from one move of `node` to the next, in the long run, exactly.

    `StuckError` when nothing moves, or no state comes twice.
    """
    now = 0
    seen: dict[object, tuple[int, int]] = {}
    for _ in range(steps_max):
        _settle(game, now, steps_max)
        key = game.key(now)
        if key in seen:
            before, moved = seen[key]
            return Fraction(now - before, game.moved[node] - moved)
        seen[key] = now, game.moved[node]
        later = [at for at in game.times() if at > now]
        if not later:
            raise StuckError("nothing moves any more")
        now = min(later)
    raise StuckError("no state came twice")


def _settle(game: Game, now: int, moves_max: int) -> None:
    """Makes moves until there is none: in which order makes no difference."""
    for _ in range(moves_max):
        move = next(game.moves(now, timed=True), None)
        if move is None:
            return
        move(game)
    raise StuckError("it never takes any time")
