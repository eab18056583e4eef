"""The memory of a session, to the byte: what the generated package's `struct Memory` holds.

The kernel keeps a session in one block, sized here. The sizes of its structs repeat those of the runtime
(`rspp_runtime/kernel/state.pxd`); a test holds them equal, and a generated package asserts the sum when it is imported.
"""

from __future__ import annotations

from typing import NamedTuple

from rspp_compiler.ir.layout import Attempts, Edge, Plan, Port

CORE_BYTES = 1248
NODE_BYTES = 280
ATTEMPTS_BYTES = 144
CIRCUIT_BYTES = 40
JOIN_BYTES = 56
PAUSE_BYTES = 40
HAPPENED_BYTES = 64
SPEECH_BYTES = 72
APOLOGIES_BYTES = 24
STOPPING_BYTES = 144
KEYS_BYTES = 88
LETTERS_BYTES = 24
PATHS_BYTES = 16
PATH_BYTES = 56
EDGE_BYTES = 208
SYNC_BYTES = 48
SPENDING_BYTES = 40
CALLING_BYTES = 72
METER_BYTES = 160
PRICE_BYTES = 40  # of one provider
POOL_BYTES = 24
HEADER_BYTES = 64
OUTPUT_BYTES = 64
ENTRY_BYTES = 64
PLAYED_BYTES = 24
KEY_BYTES = 16
MESSAGE_BYTES = 16
TIMER_BYTES = 8
HANDLE_BYTES = 4
RETAINED_BYTES = 8
RANGE_BYTES = 8
HASH_BYTES = 32

TIMERS_SESSION, TIMERS_NODE, TIMERS_EDGE = 4, 3, 2
OUTPUTS_PER_TURN = 4
"""Control outputs that each opened turn leaves at least: proposed, opened, committed or aborted, closed."""


class Block(NamedTuple):
    """One row of the memory table: `number` things of `each` bytes."""

    what: str
    number: int
    each: int
    total: int


def power_of_two(count: int) -> int:
    """The smallest power of two that is not below `count`, at least 2."""
    return 1 << max(1, (count - 1).bit_length())


def word(size: int) -> int:
    """`size` rounded up to whole 64-bit words, at least one."""
    return max(8, (size + 7) // 8 * 8)


def timers(plan: Plan) -> int:
    """Timer slots: of the session, of each node, of each edge, of a pause and of a soft cancel where they can be, of
    each path with a budget of its own.
    """
    return path_timer(plan) + len(plan.paths)


def pause_timer(plan: Plan) -> int:
    """The slot of a pause's deadline, behind all others."""
    return TIMERS_SESSION + TIMERS_NODE * len(plan.nodes) + TIMERS_EDGE * len(plan.edges)


def stop_timer(plan: Plan) -> int:
    """The slot of a soft cancel's deadline, behind a pause's."""
    return pause_timer(plan) + bool(plan.pause_ns)


def path_timer(plan: Plan) -> int:
    """The slot of the first path's budget, behind a soft cancel's deadline."""
    return stop_timer(plan) + bool(plan.soft_nodes)


def headers(plan: Plan) -> int:
    """Headers: one for each payload slot."""
    return sum(pool.slots for pool in plan.pools)


def hashes(plan: Plan) -> int:
    """Plan hashes that can wait to be drained: as many as turns can open before the control outputs are full."""
    return plan.control_out_max // OUTPUTS_PER_TURN + 1


ATTRIBUTES = ("id", "tenant", "language", "region", "tier", "name", "channel", "caller")
"""What conditions may ask of a session, in the order of the runtime's `Attribute`; a test holds them equal."""


def asks(plan: Plan) -> bool:
    """Whether a condition asks for an attribute of the session."""
    tried = [node.attempts for node in plan.nodes if node.attempts]
    guards = [row.guard for row in plan.edges] + [row.guard for row in plan.reactions]
    guards += [row.guard for row in plan.policies]
    guards += [guard for attempts in tried for guard in attempts.guards]
    return any({check.field, check.other} & {*ATTRIBUTES} for guard in guards for check in guard)


def chooses(plan: Plan) -> bool:
    """Whether something is chosen when a turn's plan freezes."""
    return bool(plan.policies) or any(node.attempts and node.attempts.guards for node in plan.nodes)


def raised(plan: Plan) -> int:
    """Events that decisions raise."""
    return sum(1 for event in plan.events if event.signal)


def speech(plan: Plan) -> str:
    """What is kept of the user's speech for guards of reactions: "", "kept", or "waits" where an interruption does.

    An interruption waits for more words or a longer speech.
    """
    asked = [{name for check in row.guard for name in (check.field, check.other)} for row in plan.reactions]
    waits = any(
        names & {"spoken", "speech"} and row.event == plan.barge_in
        for names, row in zip(asked, plan.reactions, strict=True)
    )
    kept = any(names & {"spoken", "speech", "idles", "idle"} for names in asked)
    return "waits" if waits else "kept" if kept else ""


def source_port(plan: Plan, edge: Edge) -> Port | None:
    """The output that the edge comes from; None for a reaction's path into its first node."""
    return plan.nodes[edge.source].outputs[edge.source_port] if edge.source_port >= 0 else None


def item_bytes_max(plan: Plan, edge: Edge) -> int:
    """The largest item that is offered to the edge: of the port it comes from, else of the port it goes to."""
    port = source_port(plan, edge) or plan.nodes[edge.target].inputs[edge.target_port]
    return port.item_bytes_max


def pending_bytes(plan: Plan, edge: Edge) -> int:
    """Text that a hand-off can hold: its bound, or one item that is larger."""
    if edge.handoff is None:
        return 0
    return max(edge.handoff.bytes_max, item_bytes_max(plan, edge))


def message_slots(plan: Plan) -> int:
    """Messages of the conversation that stay readable: one more than it has."""
    return plan.context_items_max + 1


def context_bytes(plan: Plan) -> int:
    """The ring of the conversation's text: its bound, and room for an utterance or a tool's answer before the oldest is
    overwritten.
    """
    answers = (node.outputs[0].item_bytes_max for node in plan.nodes if node.tool)
    return plan.context_bytes_max + max([plan.utterance_bytes_max, *answers])


def _attempts_bytes(attempts: Attempts) -> int:
    """What a node needs to be tried again: its own state, what it retains, and a breaker for each provider."""
    total = ATTEMPTS_BYTES + attempts.retain_items * RETAINED_BYTES + len(attempts.ranges) * RANGE_BYTES
    if attempts.circuit is not None:
        total += len(attempts.providers) * (CIRCUIT_BYTES + attempts.circuit.errors * TIMER_BYTES)
    return total


def memory_table(plan: Plan) -> list[Block]:
    """What a session's block holds, in the order in which it lies there."""

    def block(what: str, count: int, each: int) -> Block:
        return Block(what, count, each, count * each)

    table = [
        block("state", 1, CORE_BYTES),
        block("nodes", max(1, len(plan.nodes)), NODE_BYTES),
        block("edges", max(1, len(plan.edges)), EDGE_BYTES),
        block("pools", max(1, len(plan.pools)), POOL_BYTES),
        block("timers", timers(plan), TIMER_BYTES),
        block("control outputs", plan.control_out_max, OUTPUT_BYTES),
        block("data outputs", plan.data_out_max, OUTPUT_BYTES),
        block("telemetry outputs", plan.telemetry_out_max, OUTPUT_BYTES),
        block("inbox", power_of_two(plan.control_in_max), ENTRY_BYTES),
        block("keys", plan.keys_max, KEY_BYTES),
        block("ledger", power_of_two(plan.ledger_max), PLAYED_BYTES),
        block("messages", message_slots(plan), MESSAGE_BYTES),
        block("plan hashes", hashes(plan), HASH_BYTES),
    ]
    table += [block(f"ring: {edge.name}", power_of_two(edge.items_max), HANDLE_BYTES) for edge in plan.edges]
    table += [
        block(f"hand-off: {edge.name}", 1, word(pending_bytes(plan, edge))) for edge in plan.edges if edge.handoff
    ]
    table += [block(f"sync: {edge.name}", 1, SYNC_BYTES) for edge in plan.edges if edge.sync]
    table += [
        block(f"attempts: {node.name}", 1, _attempts_bytes(node.attempts)) for node in plan.nodes if node.attempts
    ]
    table += [
        block(f"dead letters: {node.name}", 1, LETTERS_BYTES + node.letters * RETAINED_BYTES)
        for node in plan.nodes
        if node.letters
    ]
    if any(node.tool for node in plan.nodes):
        table.append(block("calls of tools", len(plan.nodes), CALLING_BYTES))
    if plan.meters:
        table.append(block("spending", 1, SPENDING_BYTES))
        table += [block(f"meter: {one.name}", 1, METER_BYTES + len(one.prices) * PRICE_BYTES) for one in plan.meters]
    table += [block("attributes", len(ATTRIBUTES), 8)] if asks(plan) else []
    table += [block("raised events", raised(plan), HAPPENED_BYTES)] if raised(plan) else []
    table += [block("speech", 1, SPEECH_BYTES)] if speech(plan) else []
    table += [block("apologies", 1, APOLOGIES_BYTES)] if plan.apology_ns else []
    table += [
        block(f"join: {node.name}", 1, JOIN_BYTES + word(len(node.join.sources) * HANDLE_BYTES))
        for node in plan.nodes
        if node.join
    ]
    if plan.pause_ns:
        table += [block("pause", 1, PAUSE_BYTES), block("paused frames", power_of_two(plan.ledger_max), HANDLE_BYTES)]
    if plan.soft_nodes:
        table.append(block("soft cancels", 1, STOPPING_BYTES))
    table += [block("paths", 1, PATHS_BYTES)] if plan.paths else []
    table += [block(f"path: {path.name}", 1, PATH_BYTES) for path in plan.paths]
    table += [block(f"keys: {node.name}", 1, KEYS_BYTES) for node in plan.nodes if node.keys]
    table += [
        block("utterance", 1, word(plan.utterance_bytes_max)),
        block("spoken text", 1, word(plan.spoken_bytes_max)),
        block("conversation", 1, word(context_bytes(plan))),
        block("item headers", max(1, headers(plan)), HEADER_BYTES),
    ]
    table += [block(f"payloads: {pool.name}", pool.slots, word(pool.slot_bytes)) for pool in plan.pools]
    return table


def memory_bytes(plan: Plan) -> int:
    """Bytes of a session's block; equal to `sizeof(Memory)` of the generated kernel."""
    return sum(block.total for block in memory_table(plan))
