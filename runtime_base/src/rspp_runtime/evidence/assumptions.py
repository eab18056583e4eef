"""What the compiler's proofs rest on, against what a log says: the assumptions that a run broke, with their figures.

    check(plan, log.entries)      the broken assumptions of a whole log
    Watch(plan).add(entry)        the same, entry by entry; `broken` holds what was found so far
    broken(assumptions, seen)     any observations against any assumptions

A bound that the compiler printed holds for every run that breaks none. What each kind is measured by:

    first_output   first item fed → first output; of a recogniser: the end of its input → its final
    chunk          the last sign of life → the deadline that the kernel raised
    age, delay     an item comes to an edge → it is taken, or shed for its age
    handoff        the first text of a turn comes to an edge → the first of it is released
    work, timeout  how long a call of a user's node took
    rate           from one item of a party's to the next, on its own clock
    item           the size of an item in bytes
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rspp_runtime.abi.codes import Cause, In, Op, Result, Signal
from rspp_runtime.abi.plan import Assumption, Edge, Plan
from rspp_runtime.evidence.entries import Entry, Handler, Input, Out
from rspp_runtime.providers.contract import Outcome

MS_NS = 1_000_000
WAKE_NS = 5 * MS_NS  # a timer of the kernel that fires up to so much later, since its driver woke late, is on time


class Observation(NamedTuple):
    """`subject` was seen to take `value` (bytes, for an item). `gave_up`: what was waited for had not come by then."""

    kind: str
    subject: str
    value: int
    t_ns: int
    gave_up: bool = False


@dataclass(slots=True)
class Broken:
    """An assumption that did not hold: the worst that was `observed`, first at `t_ns`, and how many `times`."""

    assumption: Assumption
    observed: int
    t_ns: int
    times: int = 1

    def __str__(self) -> str:
        """`first_output:llm: 930 ms, assumed at most 800 ms (2 times)`."""
        bound = "at least" if self.assumption.kind == "rate" else "at most"
        observed, limit = (_shown(self.assumption.kind, value) for value in (self.observed, self.assumption.limit))
        times = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.assumption.id}: {observed}, assumed {bound} {limit}{times}"


def check(plan: Plan, entries: Iterable[Entry]) -> tuple[Broken, ...]:
    """The assumptions of `plan` that a log breaks, by id."""
    watch = Watch(plan)
    for entry in entries:
        watch.add(entry)
    return watch.result


def as_data(found: Iterable[Broken]) -> list[dict[str, Any]]:
    """The same as JSON has it."""
    return [
        {
            "id": one.assumption.id,
            "observed": one.observed,
            "limit": one.assumption.limit,
            "t_ns": one.t_ns,
            "times": one.times,
        }
        for one in sorted(found, key=lambda one: one.assumption.id)
    ]


def broken(assumptions: Iterable[Assumption], seen: Iterable[Observation]) -> tuple[Broken, ...]:
    """The assumptions that the observations break, by id; observations that nothing is assumed about say nothing."""
    found = _Ledger(assumptions)
    for one in seen:
        found.add(one)
    return found.result


class _Ledger:
    """Assumptions by id, and which of them were broken."""

    def __init__(self, assumptions: Iterable[Assumption]) -> None:
        self._known = {one.id: one for one in assumptions}
        self.broken: dict[str, Broken] = {}

    def knows(self, kind: str, subject: str) -> bool:
        """Whether something is assumed about it."""
        return f"{kind}:{subject}" in self._known

    def add(self, seen: Observation) -> None:
        id = f"{seen.kind}:{seen.subject}"
        known = self._known.get(id)
        is_rate = seen.kind == "rate"
        if known is None or not (seen.gave_up or (seen.value < known.limit if is_rate else seen.value > known.limit)):
            return
        before = self.broken.get(id)
        if before is None:
            self.broken[id] = Broken(known, seen.value, seen.t_ns)
            return
        before.times += 1
        before.observed = (min if is_rate else max)(before.observed, seen.value)

    @property
    def result(self) -> tuple[Broken, ...]:
        return tuple(self.broken[id] for id in sorted(self.broken))


@dataclass(slots=True)
class _Call:
    """One invocation: when it was first fed, last showed life, and was told that its input has ended (-1: not yet)."""

    fed_ns: int = -1
    alive_ns: int = -1
    finished_ns: int = -1
    answered: bool = False


@dataclass(slots=True)
class _Queue:
    """What waits on an edge that something is assumed about: media time and arrival of each item."""

    edge: Edge
    waiting: deque[tuple[int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.waiting = deque(maxlen=self.edge.items_max)  # no more can wait there

    def taken(self, media_ns: int) -> int | None:
        """When the item of that media time came; what came before it and was not taken is gone."""
        if not any(media == media_ns for media, _ in self.waiting):
            return None
        while self.waiting:
            media, came_ns = self.waiting.popleft()
            if media == media_ns:
                return came_ns
        return None


class _Row(NamedTuple):
    """What matters of the items of one output port."""

    name: str
    is_event: bool
    has_item: bool  # something is assumed about their size
    has_rate: bool  # and about their media time
    queues: list[_Queue]
    held: list[int]  # edges with a hand-off


class Watch:
    """Reads a log, entry by entry."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ledger = _Ledger(plan.assumptions)
        self._calls: dict[int, _Call] = {}
        subjects = {one.subject for one in plan.assumptions if one.kind in ("age", "delay")}
        self._queues = [_Queue(edge) for edge in plan.edges if edge.name in subjects and edge.handoff is None]
        self._held: dict[int, int] = {}  # edge with a hand-off → when the turn's first text came to it
        self._released: set[int] = set()
        self._rows: dict[tuple[int, int], _Row] = {}  # of the ports that were seen
        self._media_ns: dict[str, int] = {}  # of the last item of a party's port
        self._input_end_ns = -1

    @property
    def broken(self) -> dict[str, Broken]:
        """What was found so far, by id."""
        return self._ledger.broken

    @property
    def result(self) -> tuple[Broken, ...]:
        return self._ledger.result

    def add(self, entry: Entry) -> None:
        for seen in self._see(entry):
            self._ledger.add(seen)

    def _see(self, entry: Entry) -> Iterator[Observation]:
        if isinstance(entry, Input):
            yield from self._input(entry)
        elif isinstance(entry, Out):
            yield from self._decided(entry) if entry.op == Op.DECISION else self._moved(entry)
        elif isinstance(entry, Handler):
            name = self._plan.nodes[entry.node].name
            yield Observation("work", name, entry.end_ns - entry.start_ns, entry.end_ns)
            yield Observation("timeout", name, entry.end_ns - entry.start_ns, entry.end_ns)

    # ---- what came in

    def _input(self, entry: Input) -> Iterator[Observation]:
        if entry.op in (In.MEDIA, In.CHUNK) and entry.result != Result.FULL and self._has_port(entry.node, entry.port):
            yield from self._item(entry)
        elif entry.op == In.DONE and entry.result == Result.ACCEPTED:
            call = self._calls.pop(entry.invocation, None)
            if call is not None and entry.node == self._plan.recogniser and entry.a == Outcome.SUCCESS:
                name = self._plan.nodes[entry.node].name
                if call.finished_ns >= 0:
                    yield Observation("first_output", name, entry.now_ns - call.finished_ns, entry.now_ns)

    def _item(self, entry: Input) -> Iterator[Observation]:
        node = self._plan.nodes[entry.node]
        row = self._rows.get((entry.node, entry.port))
        if row is None:
            row = self._rows[entry.node, entry.port] = self._row(entry.node, entry.port)
        if row.has_item:
            yield Observation("item", row.name, entry.size, entry.now_ns)
        if entry.result != Result.ACCEPTED or row.is_event:
            return
        if row.has_rate and entry.op == In.MEDIA:
            before = self._media_ns.get(row.name)
            self._media_ns[row.name] = entry.media_ns
            if before is not None:
                yield Observation("rate", row.name, entry.media_ns - before, entry.now_ns)
        call = self._calls.get(entry.invocation)
        if call is not None:
            if not call.answered and node.id != self._plan.recogniser and call.fed_ns >= 0:
                yield Observation("first_output", node.name, entry.now_ns - call.fed_ns, entry.now_ns)
            call.answered, call.alive_ns = True, entry.now_ns
        for queue in row.queues:
            queue.waiting.append((entry.media_ns, entry.now_ns))
        for edge in row.held:
            self._held.setdefault(edge, entry.now_ns)

    def _row(self, node_id: int, port_id: int) -> _Row:
        node = self._plan.nodes[node_id]
        port, place = node.outputs[port_id], (node_id, port_id)
        name = f"{node.name}.{port.name}"
        return _Row(
            name=name,
            is_event=port.type == "event",
            has_item=self._ledger.knows("item", name),
            has_rate=port.type == "audio" and self._ledger.knows("rate", name),
            queues=[one for one in self._queues if (one.edge.source, one.edge.source_port) == place],
            held=[one.id for one in self._plan.edges if one.handoff and (one.source, one.source_port) == place],
        )

    def _has_port(self, node: int, port: int) -> bool:
        return 0 <= node < len(self._plan.nodes) and 0 <= port < len(self._plan.nodes[node].outputs)

    # ---- what was moved and decided

    def _moved(self, out: Out) -> Iterator[Observation]:
        if out.op in (Op.FEED, Op.TAP):
            for queue in self._queues:
                if (queue.edge.target, queue.edge.target_port) == (out.node, out.port):
                    came_ns = queue.taken(out.x)
                    if came_ns is not None:
                        yield Observation("age", queue.edge.name, out.t_ns - came_ns, out.t_ns)
                        yield Observation("delay", queue.edge.name, out.t_ns - came_ns, out.t_ns)
        if out.op == Op.FEED:
            call = self._calls.setdefault(out.invocation, _Call(fed_ns=out.t_ns))
            call.alive_ns = out.t_ns
            for edge in self._plan.edges:
                into = (edge.target, edge.target_port) == (out.node, out.port)
                if into and edge.handoff and edge.id in self._held and edge.id not in self._released:
                    self._released.add(edge.id)
                    held_ns = out.t_ns - self._held[edge.id]
                    is_on_time = 0 <= held_ns - edge.handoff.age_ns_max <= WAKE_NS
                    observed_ns = edge.handoff.age_ns_max if is_on_time else held_ns
                    yield Observation("handoff", edge.name, observed_ns, out.t_ns)
        elif out.op in (Op.FINISH, Op.RESUME) and (known := self._calls.get(out.invocation)) is not None:
            known.alive_ns = out.t_ns
            known.finished_ns = out.t_ns if out.op == Op.FINISH else known.finished_ns

    def _decided(self, out: Out) -> Iterator[Observation]:
        if out.code == Signal.TURN_OPEN_PROPOSED:
            self._input_end_ns = out.t_ns
        elif out.code == Signal.TURN_OPEN:
            self._held.clear()
            self._released.clear()
        elif out.code == Signal.DROP_NOTICE:
            for queue in self._queues:
                if queue.edge.id == out.node and queue.waiting and out.cause == Cause.QUEUE_AGE:
                    waited_ns = out.t_ns - queue.waiting[0][1]
                    yield Observation("age", queue.edge.name, waited_ns, out.t_ns, gave_up=True)
        elif out.code == Signal.PROVIDER_ERROR and out.cause == Cause.NODE_TIMEOUT:
            yield from self._given_up(out)

    def _given_up(self, out: Out) -> Iterator[Observation]:
        """A node ran into a deadline: that of its first output, or between two outputs."""
        call, name = self._calls.get(out.invocation, _Call()), self._plan.nodes[out.node].name
        is_recogniser = out.node == self._plan.recogniser
        if call.answered and not is_recogniser:
            yield Observation("chunk", name, out.t_ns - call.alive_ns, out.t_ns, gave_up=True)
            return
        began_ns = self._input_end_ns if is_recogniser else call.fed_ns
        yield Observation("first_output", name, out.t_ns - began_ns if began_ns >= 0 else 0, out.t_ns, gave_up=True)


def _shown(kind: str, value: int) -> str:
    if kind == "item":
        return f"{value:,} bytes"
    text = f"{value / MS_NS:,.3f}".rstrip("0").rstrip(".")
    return f"{text} ms"
