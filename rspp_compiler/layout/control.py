"""The most control outputs that one step of the kernel can make, counted from the plan.

A step runs only with that many control slots free, so that no decision is ever lost (CONTRACTS §1). Each function
counts one paragraph of `docs/kernel.md`, never too low; where an order of events is impossible it may count too high.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rspp_compiler.ir.layout import EFFECT, TURN, Edge, Mode, Node, Reaction

_SHEDS = ("drop_oldest", "latest_only", "coalesce", "sample")
_CANCEL_CALL = 2  # CANCEL, and FORCE for one that was still being cancelled
_CALLS = 2  # an effect node has at most a live and an ending invocation
_PROPOSE = 1  # TURN_OPEN_PROPOSED, DEFER or REJECT


class Counter:
    """Counts over the tables of one plan."""

    def __init__(
        self,
        nodes: Sequence[Node],
        edges: Sequence[Edge],
        reactions: Sequence[Reaction],
        modes: Sequence[Mode],
        recogniser: int,
        speech_start: int,
        barge_in: int,
        soft_nodes: int = 0,
    ) -> None:
        self._nodes, self._edges, self._reactions, self._modes = nodes, edges, reactions, modes
        self._recogniser, self._speech_start, self._barge_in = recogniser, speech_start, barge_in
        self._soft_nodes = soft_nodes
        self._effects = [node for node in nodes if node.execution == EFFECT]
        self._out_of: defaultdict[tuple[int, int], list[Edge]] = defaultdict(list)
        for edge in edges:
            self._out_of[edge.source, edge.source_port].append(edge)
        self._on: defaultdict[int, list[Reaction]] = defaultdict(list)
        for reaction in reactions:
            self._on[reaction.event].append(reaction)
        self._raised: dict[int, int] = {}

    def step_max(self) -> int:
        """`Plan.control_step_max`: the largest of all kinds of step."""
        return max(
            self._ingest(),
            self._inbox(),
            self._timer(),
            self._cut(),
            self._resolve_ends(),
            self._end_session(),
            self._hand_over(),
            self._open(),
            self._finishing(),
            self._finish_hearing(),
            self._stopping(),
            self._move(),
            self._resume(),
        )

    # ---- kinds of step ---------------------------------------------------------------------------------------------

    def _ingest(self) -> int:
        """A refusal, or for each edge of the port XOFF or what a push sheds."""
        counts = [1]
        for node in self._nodes:
            for port in range(len(node.outputs)):
                edges = self._out_of[node.id, port]
                counts.append(max(len(edges), _circuit(node) + sum(self._push(edge) for edge in edges)))
        return max(counts)

    def _inbox(self) -> int:
        """CONNECTED and the like with its reactions; an event; the end of an invocation; a commit."""
        raises = [self._raise(event) for event in list(self._on)]
        signal = 1 + max(raises, default=0)
        cancel = 1 + max((self._cancel_node(node) for node in self._effects), default=0)
        owner = _PROPOSE + max(raises, default=0)
        speech = 2 + self._raise(self._speech_start) + self._raise(self._barge_in)  # HEARD, BARGE_IN
        done = max(
            (max(_circuit(n) + self._release() + self._raise(n.event_done), self._fail(n)) for n in self._effects),
            default=0,
        )
        commit = 2 + _PROPOSE  # COMMIT, CLOSE, and what was deferred
        return max(signal, cancel, owner, speech, done, commit)

    def _timer(self) -> int:
        """BUDGET_EXHAUSTED, the invocations it cancels, the node's failure; or a hand-off that is released."""
        turn = 1 + max((self._raise(event) for event in list(self._on)), default=0)  # its budget, and what follows
        first = max((1 + self._cancel_node(node) + self._fail(node) for node in self._effects), default=1)
        timed = [
            _PROPOSE + self._raise(node.event_own) + self._raise(node.event_timeout) + self._gathered(node)
            for node in self._nodes
            if node.clock or node.pause or node.keys
        ]
        first = max(first, turn, *timed, 0)
        return max(first, max((self._enqueue(edge) for edge in self._edges), default=0))

    def _cut(self) -> int:
        """An invocation that reached a cap is cancelled, and the node reacts or fails."""
        return max((self._cancel_node(node) + self._overspend(node) for node in self._effects), default=0)

    def _resolve_ends(self) -> int:
        """CANCEL or DEAUTHORIZED_DRAIN; flushes and cancels; 5 of the abort itself; and what was deferred.

        The 5: FLUSH, PLAYBACK_CANCELLED, ABORT, CLOSE, APPEND.
        """
        flushes = sum(1 + bool(edge.watermark) for edge in self._edges if edge.scope == TURN)
        cancels = sum(_CALLS * _CANCEL_CALL for node in self._effects if node.scope == TURN)
        return 1 + flushes + cancels + 5 + _PROPOSE

    def _end_session(self) -> int:
        """All invocations, and ENDED."""
        return sum(self._cancel_node(node) for node in self._effects) + 1

    def _hand_over(self) -> int:
        """Invocations and edges outside of turns, SESSION_HANDOFF, MIGRATION_FINISH; a turn has ended before."""
        cancels = sum(_CALLS * _CANCEL_CALL for node in self._effects if node.scope != TURN)
        flushes = sum(1 + bool(edge.watermark) for edge in self._edges if edge.scope != TURN)
        return cancels + flushes + 2

    def _open(self) -> int:
        """TURN_OPEN, the text of a greeting, the utterance."""
        said = [self._say(node) for node in self._nodes if node.kind == "say" or node.keys]
        return 1 + self._release() + max(said, default=0)

    def _finishing(self) -> int:
        """A hand-off released; or PLAYBACK_COMPLETED and APPEND."""
        return max(
            2, max((sum(self._enqueue(self._edges[e]) for e in node.edges_in) for node in self._nodes), default=0)
        )

    def _stopping(self) -> int:
        """The segment of one node is over; or the turn's cancel is accepted."""
        if not self._soft_nodes:
            return 0
        return max(self._resolve_ends(), *(1 + self._cancel_node(node) for node in self._effects))

    def _finish_hearing(self) -> int:
        """An earlier utterance given up, the waiting turn released."""
        return _CANCEL_CALL + self._release()

    def _move(self) -> int:
        """What is too old; then `started` of a new invocation, or the first output of a turn, or a handler's items."""
        started = max((self._begin(node) + self._raise(node.event_started) for node in self._effects), default=0)
        broken = max((self._fail(node) for node in self._effects if _circuit(node)), default=0)
        broken = max([broken, *map(self._overspend, self._effects)])
        handlers = [
            max(node.emissions_max * max(map(self._pushes, self._ports(node)), default=0), self._fail(node))
            for node in self._nodes
            if node.handler >= 0
        ]
        joins = [
            1 + max(map(self._pushes, self._ports(node)), default=0)  # SELECTED
            for node in self._nodes
            if node.join
        ]
        keys = [self._gathered(node) for node in self._nodes]
        shed = max((self._lost(edge) + bool(edge.watermark) for edge in self._edges), default=1)
        together = max((_together(edge) for edge in self._edges), default=1)
        # 2: OUTPUT_ACCEPTED, PLAYBACK_STARTED; edges that go on together move, or shed, in one step
        return together * (shed + max(2, started, broken, *handlers, *joins, *keys))

    def _resume(self) -> int:
        """At the end of `advance`: CREDIT_GRANT, XON where an edge can block, RESUME of its node."""
        credited = [edge for edge in self._edges if edge.flow != "signal"]
        blocking = [edge for edge in self._edges if edge.overflow and edge.overflow[0].strategy == "block"]
        held = {edge.id: edge for edge in (*blocking, *credited)}
        return len(credited) + len(held) + len({edge.source for edge in held.values()})

    # ---- parts of a step -------------------------------------------------------------------------------------------

    def _enqueue(self, edge: Edge) -> int:
        """One notice for what is too old, for what is joined, for each shedding step, for the new item, for a mark."""
        steps = sum(step.strategy in _SHEDS for step in edge.overflow)
        losses = bool(edge.age_ns_max) + steps + 1
        return losses * self._lost(edge) + bool(edge.gather) + bool(edge.watermark)

    def _lost(self, edge: Edge) -> int:
        """A notice; of a sync domain also that of the gap, or a notice and a mark for each other edge."""
        if edge.sync is None:
            return 1
        if edge.sync.policy != "atomic":
            return 2
        return sum(1 + bool(one.watermark) for one in self._edges if edge.sync.peers >> one.id & 1)

    def _push(self, edge: Edge) -> int:
        """A hand-off may release twice: because the piece does not fit, and because it ends a sentence."""
        return self._enqueue(edge) * (2 if edge.handoff else 1)

    def _pushes(self, port: tuple[int, int]) -> int:
        return sum(self._push(edge) for edge in self._out_of[port])

    def _ports(self, node: Node) -> list[tuple[int, int]]:
        return [(node.id, port) for port in range(len(node.outputs))]

    def _say(self, node: Node) -> int:
        return self._pushes((node.id, 0))

    def _gathered(self, node: Node) -> int:
        """The keys of a collector propose a turn, or go on."""
        return max(_PROPOSE, self._say(node)) if node.keys else 0

    def _release(self) -> int:
        """The utterance goes to its edges."""
        mouth = self._nodes[self._recogniser] if self._recogniser >= 0 else self._nodes[0]  # the ingress
        return max(map(self._pushes, self._ports(mouth)), default=0) if self._nodes else 0

    def _cancel_node(self, node: Node) -> int:
        """Both invocations; a recogniser that gives up lets the waiting turn go on."""
        return _CALLS * _CANCEL_CALL + (self._release() if node.id == self._recogniser else 0)

    def _fail(self, node: Node) -> int:
        """PROVIDER_ERROR and the reactions, or another attempt; CIRCUIT_EVENT."""
        timeout = self._raise(node.event_timeout) + self._raise(node.event_exhausted)
        reactions = max(self._raise(node.event_error), timeout)
        return 1 + max(reactions, node.attempts is not None) + _circuit(node)

    def _begin(self, node: Node) -> int:
        """CIRCUIT_EVENT of a probe, and PROVIDER_SWITCH past a provider that is left alone."""
        return 2 * _circuit(node)

    def _overspend(self, node: Node) -> int:
        """BUDGET_EXHAUSTED, then the reactions to it, or PROVIDER_ERROR and those to a failure."""
        if node.meter < 0:
            return 0
        return 1 + max(self._raise(node.event_exhausted), 1 + self._raise(node.event_error))

    def _raise(self, event: int) -> int:
        """Every line for an event; counted once an event."""
        if event < 0:
            return 0
        if event not in self._raised:
            self._raised[event] = sum(self._react(reaction) for reaction in self._on[event])
        return self._raised[event]

    def _react(self, reaction: Reaction) -> int:
        verb, target = reaction.action.verb, reaction.action.target
        if verb == "cancel_node":
            return 1 + self._cancel_node(self._nodes[target])
        if verb in ("cancel_session", "end_utterance", "open_turn", "enter"):
            return 1
        if verb in ("pause", "resume"):
            return 2  # FLUSH, PLAYBACK_PAUSED or PLAYBACK_RESUMED
        if verb == "degrade":
            mode = self._modes[target]
            cancels = sum(self._cancel_node(node) for node in self._effects if mode.nodes_off >> node.id & 1)
            marks = sum(1 for edge in self._edges if edge.watermark and mode.edges_off >> edge.id & 1)
            return 1 + cancels + mode.edges_off.bit_count() + marks
        if verb == "trigger":
            return 1 + self._say(self._nodes[target])  # FALLBACK, or the proposal of a turn
        return 0


def _together(edge: Edge) -> int:
    """How many edges move with this one."""
    return edge.sync.peers.bit_count() if edge.sync is not None and edge.sync.policy == "atomic" else 1


def _circuit(node: Node) -> int:
    """CIRCUIT_EVENT: a breaker opens, lets a probe through, or closes."""
    return int(node.attempts is not None and node.attempts.circuit is not None)
