"""What the simulator reads from a plan, once: who is joined with whom, and what can be known of each edge."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rspp_runtime.abi.plan import EFFECT, TURN, Check, Edge, Node, Plan
from rspp_runtime.simulation.choosing import ample, can_be_followed, share_kept


@dataclass(frozen=True, slots=True)
class Tables:
    """Ports are `(node, index)`. Lists have one entry for each edge."""

    edges_of: dict[tuple[int, int], tuple[int, ...]]  # by source port
    edges_into: dict[tuple[int, int], tuple[int, ...]]  # by target port
    edges_from_node: dict[int, tuple[int, ...]]
    tracked: tuple[bool, ...]  # every item of it is known by its sequence: neither assembled nor made by the kernel
    guards: tuple[tuple[Check, ...], ...]  # of edges that are tracked
    kept_percent: tuple[int, ...]  # of edges that thin out all that they are offered; 0: the others
    gather_ns: tuple[int, ...]  # of edges that gather; 0: the others
    ample: tuple[int, ...]  # items with which a stopped producer is started again
    together: tuple[bool, ...]  # it moves with other edges of its sync domain, or not at all
    turn_edge: tuple[bool, ...]
    egress_edge: tuple[bool, ...]
    turn_edges: tuple[int, ...]
    event_ports: frozenset[tuple[int, int]]
    audio_out: frozenset[tuple[int, int]]
    audio_edges: tuple[int, ...]
    tap_edges: tuple[int, ...]
    text_port: int  # of the ingress; -1: none
    key_ports: tuple[int, ...]  # of the ingress: keys and buttons
    twice_ports: frozenset[int]  # of these: those whose input is both an item and an event, each with a sequence
    repeats: bool  # a timer goes on for ever
    effects: tuple[Node, ...]
    turn_effects: tuple[int, ...]
    triggers: int  # reactions that make a say node speak, and tools that the kernel may answer for
    barge_in_cancels: bool  # whatever the turn has said
    joins: int  # merges and selects
    joined: int  # items that can wait for them
    budget_reacts: bool  # a line may let the turn go on when its budget is used up
    handlers: tuple[int, ...]  # node of each Python handler
    first_ns: tuple[int, ...]  # of each node: its budget until the first output; 0: none, or the recogniser
    chunk_ns: tuple[int, ...]  # of each node: its deadline between outputs; 0: none, the recogniser, or a voice
    of_turn: tuple[bool, ...]  # of each node: turn-scoped


def tables(plan: Plan) -> Tables:
    """Reads the plan."""
    of: dict[tuple[int, int], list[int]] = defaultdict(list)
    into: dict[tuple[int, int], list[int]] = defaultdict(list)
    by_node: dict[int, list[int]] = defaultdict(list)
    for edge in plan.edges:
        of[edge.source, edge.source_port].append(edge.id)
        into[edge.target, edge.target_port].append(edge.id)
        by_node[edge.source].append(edge.id)
    ingress = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
    verbs = {row.action.verb for row in plan.reactions if row.event == plan.barge_in and not row.guard}
    named = {plan.events[reaction.event].name for reaction in plan.reactions}
    python = sorted((node.handler, node.id) for node in plan.nodes if node.handler >= 0)
    return Tables(
        edges_of={key: tuple(ids) for key, ids in of.items()},
        edges_into={key: tuple(ids) for key, ids in into.items()},
        edges_from_node={key: tuple(ids) for key, ids in by_node.items()},
        tracked=tuple(edge.handoff is None and _is_from_outside(plan, edge.source, edge.source_port)
                      and not _is_taken_unseen(plan.nodes[edge.target]) and not _is_of_a_tool(plan, edge)
                      and plan.nodes[edge.target].kind != "label" and _is_told_apart(plan, edge)
                      and can_be_followed(plan, edge) for edge in plan.edges),
        guards=tuple(edge.guard for edge in plan.edges),
        kept_percent=tuple(share_kept(edge) for edge in plan.edges),
        gather_ns=tuple(edge.gather.ns if edge.gather else 0 for edge in plan.edges),
        ample=tuple(ample(edge) for edge in plan.edges),
        together=tuple(edge.sync is not None and edge.sync.policy == "atomic" and edge.sync.peers.bit_count() > 1
                       for edge in plan.edges),
        turn_edge=tuple(edge.scope == TURN for edge in plan.edges),
        egress_edge=tuple(edge.target == plan.egress for edge in plan.edges),
        turn_edges=tuple(edge.id for edge in plan.edges if edge.scope == TURN),
        event_ports=frozenset(
            (node.id, index)
            for node in plan.nodes
            if node.execution == EFFECT
            for index, port in enumerate(node.outputs)
            if port.type == "event"
        ),
        audio_out=frozenset(
            (plan.egress, index)
            for index, port in enumerate(plan.nodes[plan.egress].inputs if plan.egress >= 0 else ())
            if port.name == "audio"
        ),
        audio_edges=tuple(
            edge.id
            for edge in plan.edges
            if edge.target == plan.egress and plan.nodes[edge.target].inputs[edge.target_port].name == "audio"
        ),
        tap_edges=tuple(edge.id for edge in plan.edges if plan.nodes[edge.target].kind == "tap"),
        text_port=next((index for index, port in enumerate(ingress) if port.name == "text"), -1),
        key_ports=tuple(index for index, port in enumerate(ingress) if port.type == "event"),
        twice_ports=frozenset(
            event.port for event in plan.events if event.node == plan.ingress and (plan.ingress, event.port) in of
        ),
        repeats=any(node.clock and node.clock.every_ns for node in plan.nodes),
        effects=tuple(node for node in plan.nodes if node.execution == EFFECT),
        turn_effects=tuple(n.id for n in plan.nodes if n.execution == EFFECT and n.scope == TURN),
        triggers=sum(reaction.action.verb == "trigger" for reaction in plan.reactions)
        + sum(bool(node.tool) for node in plan.nodes),
        barge_in_cancels=plan.barge_in >= 0 and "cancel_turn" in verbs and all(one.interruptible for one in plan.nodes),
        joins=sum(bool(node.join or node.keys) for node in plan.nodes),
        joined=sum(edge.items_max for edge in plan.edges if _is_taken_unseen(plan.nodes[edge.target])),
        budget_reacts="turn.budget_exhausted" in named,
        handlers=tuple(node for _, node in python),
        first_ns=tuple(0 if n.id == plan.recogniser else n.first_output_ns for n in plan.nodes),
        chunk_ns=tuple(0 if n.id == plan.recogniser or plan.speech_nodes >> n.id & 1 else n.chunk_ns
                       for n in plan.nodes),
        of_turn=tuple(n.scope == TURN for n in plan.nodes),
    )  # fmt: skip


def _is_taken_unseen(node: Node) -> bool:
    """Whether the kernel takes what flows into it without a word: a join, an end-pointer, a collector of keys."""
    return bool(node.join or node.pause or node.keys)


def _is_told_apart(plan: Plan, edge: Edge) -> bool:
    """Whether no other edge brings the same sequences to that port: a label or a hand-off lets an item keep its own."""
    for other in plan.edges:
        is_beside = other.id != edge.id and (other.target, other.target_port) == (edge.target, edge.target_port)
        if is_beside and (edge.source, edge.source_port) in _kept_from(plan, other, is_kept=other.handoff is not None):
            return False
    return True


def _kept_from(plan: Plan, edge: Edge, *, is_kept: bool) -> set[tuple[int, int]]:
    """The ports whose items come by this edge under their own sequences, though not as they were."""
    source = plan.nodes[edge.source]
    if source.kind != "label":
        return {(source.id, edge.source_port)} if is_kept else set()
    return {port for before in source.edges_in for port in _kept_from(plan, plan.edges[before], is_kept=True)}


def _is_of_a_tool(plan: Plan, edge: Edge) -> bool:
    """Whether calls or answers flow there: they have a book of their own (`called.py`)."""
    return bool(plan.nodes[edge.source].tool or plan.nodes[edge.target].tool)


def _is_from_outside(plan: Plan, node: int, port: int) -> bool:
    """Whether items of that port are inputs of the session: then their sequences are known when they are offered."""
    if port < 0 or plan.nodes[node].execution not in (EFFECT, "boundary"):
        return False
    name = plan.nodes[node].outputs[port].name
    if node == plan.ingress and name == "text":
        return False  # what is typed is an utterance, and goes on when its turn opens
    return not (node == plan.recogniser and name == "utterance")
