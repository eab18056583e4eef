"""The constants of the compiled kernel: `_layout.pxd`, table by table."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.emit.kernel_names import Names, duration, listed
from rspp_compiler.ir import memory
from rspp_compiler.ir.layout import EFFECT, Attempts, Plan


@dataclass(slots=True)
class Row:
    """One constant of `_layout.pxd`: name, value, and what the reader should know."""

    name: str
    value: str
    comment: str = ""


@dataclass(slots=True)
class Table:
    """Constants that belong together."""

    title: str
    rows: list[Row]


class _Constants:
    """Builds the tables in the order in which they are printed."""

    def __init__(self, plan: Plan, names: Names, source: str) -> None:
        self.plan, self.names, self.source = plan, names, source
        self.audio_edges = audio_edges(plan)

    def tables(self) -> list[Table]:
        plan, source = self.plan, self.source
        node_names = [node.name for node in plan.nodes]
        edge_names = [edge.name for edge in plan.edges]
        tables = [
            Table(
                "nodes",
                [
                    Row(
                        f"NODE_{self.names.node_ids[node.id].upper()}",
                        str(node.id),
                        f"{source}:{node.line}  {node.kind}",
                    )
                    for node in plan.nodes
                ],
            ),
            Table(
                "edges: the one nearest to the egress first",
                [
                    Row(
                        f"EDGE_{self.names.edge_ids[edge.id].upper()}",
                        str(edge.id),
                        f"{source}:{edge.line}  {edge.name}",
                    )
                    for edge in plan.edges
                ],
            ),
            Table(
                "events",
                [Row("NO_EVENT", "-1")]
                + [
                    Row(f"EVENT_{self.names.event_ids[event.id].upper()}", str(event.id), event.name)
                    for event in plan.events
                ],
            ),
            Table("events that decisions raise", self._raised()),
            Table(
                "output ports",
                [
                    Row(f"PORT_{self.names.port_ids[node.id, index].upper()}", str(index), f"{node.name}.{port.name}")
                    for node in plan.nodes
                    for index, port in enumerate(node.outputs)
                ],
            ),
            Table(
                "largest item of an output port, in bytes",
                [
                    Row(f"BYTES_{self.names.port_ids[node.id, index].upper()}", str(port.item_bytes_max))
                    for node in plan.nodes
                    for index, port in enumerate(node.outputs)
                ],
            ),
            Table(
                "pools of payload slots",
                [Row(f"POOL_{name.upper()}", str(index)) for index, name in enumerate(self.names.pool_ids)],
            ),
            Table("modes, and what is off in them", self._modes(node_names, edge_names)),
            Table(
                "how many there are",
                [
                    Row("NODES", str(len(plan.nodes))),
                    Row("EDGES", str(len(plan.edges))),
                    Row("TIMERS", str(memory.timers(plan)), "of the session, of each node, of each edge"),
                    *self._pause_timer(),
                    Row("POOLS", str(max(1, len(plan.pools)))),
                    Row("NODE_SLOTS", str(max(1, len(plan.nodes)))),
                    Row("EDGE_SLOTS", str(max(1, len(plan.edges)))),
                    Row("HEADERS", str(max(1, memory.headers(plan))), "one for each payload slot"),
                ],
            ),
            Table(
                "sets of nodes and edges, one bit each",
                [
                    Row("TURN_NODES", hex(plan.turn_nodes), listed(plan.turn_nodes, node_names)),
                    *self._soft(node_names, edge_names),
                    Row("SPEECH_NODES", hex(plan.speech_nodes), listed(plan.speech_nodes, node_names)),
                    Row(
                        "TURN_EDGES",
                        hex(plan.turn_edges),
                        "flushed when a turn ends: " + listed(plan.turn_edges, edge_names),
                    ),
                    Row(
                        "TURN_STAGES",
                        hex(sum(1 << node for node in plan.stages)),
                        "all must be complete before a turn is",
                    ),
                    Row("AUDIO_EDGES", hex(self.audio_edges), "paced: " + listed(self.audio_edges, edge_names)),
                ],
            ),
            Table(
                "durations, in nanoseconds",
                [
                    Row("TURN_NS", str(plan.turn_ns), f"{duration(plan.turn_ns)}: end of input to first output"),
                    Row("TURN_WARNING_NS", str(plan.turn_warning_ns), duration(plan.turn_warning_ns)),
                    Row("TURN_TOTAL_NS", str(plan.turn_total_ns), duration(plan.turn_total_ns)),
                    Row("GRACE_NS", str(plan.grace_ns), f"{duration(plan.grace_ns)}: from cancel to force"),
                    Row("LEAD_NS", str(plan.lead_ns), f"{duration(plan.lead_ns)}: audio is sent at most this early"),
                    Row("STALL_NS", str(plan.stall_ns), f"{duration(plan.stall_ns)}: to report what is due"),
                    Row("EVIDENCE_NS", str(plan.evidence_ns), duration(plan.evidence_ns)),
                    *self._pause_ns(),
                ],
            ),
            Table("deadlines and windows of effect nodes", self._deadlines()),
            Table("bounds of edges", self._bounds()),
            Table("capacities", self._capacities()),
            Table("payloads: slots, bytes of a slot, and where the pool begins", self._payloads()),
        ]
        return [table for table in tables if table.rows]

    def _soft(self, node_names: list[str], edge_names: list[str]) -> list[Row]:
        nodes, edges = self.plan.soft_nodes, self.plan.soft_edges
        if not nodes:
            return []
        return [
            Row("SOFT_NODES", hex(nodes), listed(nodes, node_names)),
            Row("SOFT_EDGES", hex(edges), listed(edges, edge_names)),
        ]

    def _pause_timer(self) -> list[Row]:
        plan, rows = self.plan, []
        if plan.pause_ns:
            rows.append(Row("TIMER_PAUSE", str(memory.pause_timer(plan)), "its slot"))
        if plan.soft_nodes:
            rows.append(Row("TIMER_STOP", str(memory.stop_timer(plan)), "its slot"))
        if plan.paths:
            rows.append(Row("TIMER_PATH", str(memory.path_timer(plan)), "the slot of the first path"))
            rows.append(Row("PATHS", str(len(plan.paths)), "with a budget of their own"))
        return rows

    def _pause_ns(self) -> list[Row]:
        plan, rows = self.plan, []
        if plan.pause_ns:
            rows.append(Row("PAUSE_NS", str(plan.pause_ns), f"{duration(plan.pause_ns)}: then it was an interruption"))
        if plan.apology_ns:
            rows.append(Row("APOLOGY_NS", str(plan.apology_ns), f"{duration(plan.apology_ns)}: at most one apology"))
        if plan.soft_nodes:
            rows.append(Row("SOFT_NS", str(plan.soft_ns), f"{duration(plan.soft_ns)}: the longest segment"))
        return rows

    def _raised(self) -> list[Row]:
        names = [self.names.event_ids[event.id].upper() for event in self.plan.events if event.signal]
        rows = [Row(f"RAISED_{name}", str(index)) for index, name in enumerate(names)]
        return [*rows, Row("RAISED", str(len(rows)), "how many")] if rows else []

    def _modes(self, node_names: list[str], edge_names: list[str]) -> list[Row]:
        rows: list[Row] = []
        for mode in self.plan.modes:
            const = f"MODE_{self.names.mode_ids[mode.id].upper()}"
            rows.append(Row(const, str(mode.id)))
            if mode.id or any(row.action.verb == "enter" and row.action.target == 0 for row in self.plan.reactions):
                nodes, edges = mode.nodes_off, mode.edges_off
                rows.append(Row(f"{const}_NODES_OFF", hex(nodes), listed(nodes, node_names)))
                rows.append(Row(f"{const}_EDGES_OFF", hex(edges), listed(edges, edge_names)))
        return rows

    def _deadlines(self) -> list[Row]:
        rows: list[Row] = []
        for node in self.plan.nodes:
            name = self.names.node_ids[node.id].upper()
            if node.execution == EFFECT:
                rows += [
                    Row(f"{name}_FIRST_NS", str(node.first_output_ns), duration(node.first_output_ns)),
                    Row(f"{name}_CHUNK_NS", str(node.chunk_ns), duration(node.chunk_ns)),
                    Row(f"{name}_WINDOW", str(node.window), "items fed and not yet taken"),
                ]
            if node.speakable_ns:
                rows.append(Row(f"{name}_SPEAKABLE_NS", str(node.speakable_ns), duration(node.speakable_ns)))
            if node.attempts is not None:
                rows += _attempts(name, node.attempts)
            if node.letters:
                rows.append(Row(f"{name}_LETTERS", str(node.letters), "items that it is working on are kept"))
            if node.execution == "kernel" and node.kind == "python":
                rows.append(Row(f"{name}_EMISSIONS", str(node.emissions_max), "of one call"))
        return rows

    def _bounds(self) -> list[Row]:
        rows: list[Row] = []
        for edge in self.plan.edges:
            name = self.names.edge_ids[edge.id].upper()
            rows += [
                Row(f"{name}_ITEMS", str(edge.items_max), edge.name),
                Row(f"{name}_BYTES", str(edge.bytes_max)),
                Row(f"{name}_ITEM_BYTES", str(memory.item_bytes_max(self.plan, edge)), "its largest item"),
                Row(f"{name}_RING", str(memory.power_of_two(edge.items_max)), "handles"),
            ]
            if edge.age_ns_max:
                rows.append(Row(f"{name}_AGE_NS", str(edge.age_ns_max), duration(edge.age_ns_max)))
            is_credited = edge.flow != "signal"
            if is_credited or (edge.overflow and edge.overflow[0].strategy == "block"):
                block_ns = edge.overflow[0].block_ns if edge.overflow else 0
                rows.append(Row(f"{name}_BLOCK_NS", str(block_ns), "0: as long as it takes"))
            if is_credited:
                rows.append(Row(f"{name}_CREDIT_LOT", str(max(1, edge.items_max // 4)), "places granted at once"))
            if edge.handoff:
                rows += [
                    Row(f"{name}_HANDOFF_NS", str(edge.handoff.age_ns_max), duration(edge.handoff.age_ns_max)),
                    Row(f"{name}_HANDOFF_BYTES", str(edge.handoff.bytes_max)),
                    *(
                        [Row(f"{name}_HANDOFF_MIN", str(edge.handoff.bytes_min), "bytes of a piece, at least")]
                        if edge.handoff.bytes_min > 1
                        else []
                    ),
                    Row(f"{name}_PENDING", str(memory.word(memory.pending_bytes(self.plan, edge)))),
                ]
        return rows

    def _capacities(self) -> list[Row]:
        plan = self.plan
        return [
            Row("CONTROL_OUT", str(plan.control_out_max), "outputs"),
            Row("CONTROL_STEP", str(plan.control_step_max), "control outputs of one step, at most"),
            Row("DATA_OUT", str(plan.data_out_max), "outputs"),
            Row("TELEMETRY_OUT", str(plan.telemetry_out_max), "outputs"),
            Row("INVOKE_SLOTS", str(3 + plan.context_items_max), "data outputs that an item for an effect may need"),
            Row("INBOX", str(plan.control_in_max), "entries"),
            Row("INBOX_RING", str(memory.power_of_two(plan.control_in_max))),
            Row("KEYS", str(plan.keys_max), "idempotency keys of input that are remembered"),
            Row("LEDGER", str(plan.ledger_max), "entries"),
            Row("LEDGER_RING", str(memory.power_of_two(plan.ledger_max))),
            Row("UTTERANCE_BYTES", str(plan.utterance_bytes_max)),
            Row("UTTERANCE_BUFFER", str(memory.word(plan.utterance_bytes_max))),
            Row("SPOKEN_BYTES", str(plan.spoken_bytes_max)),
            Row("SPOKEN_BUFFER", str(memory.word(plan.spoken_bytes_max))),
            Row("CONTEXT_ITEMS", str(plan.context_items_max), "messages"),
            Row("CONTEXT_SLOTS", str(memory.message_slots(plan))),
            Row("CONTEXT_BYTES", str(plan.context_bytes_max)),
            Row("CONTEXT_BUFFER", str(memory.word(memory.context_bytes(plan)))),
            *([Row("METERS", str(len(plan.meters)), "blocks of providers that are capped")] if plan.meters else []),
            *([_turn_cost(plan)] if plan.meters else []),
            Row("HASHES", str(memory.hashes(plan)), "turns between two drains"),
            Row("AUDIO_BYTES_PER_SECOND", str(plan.audio_bytes_per_second), "at egress.audio"),
            Row("MEMORY_BYTES", str(memory.memory_bytes(plan)), "of one session"),
        ]

    def _payloads(self) -> list[Row]:
        rows: list[Row] = []
        first, offset = 0, 0
        for pool, name in zip(self.plan.pools, self.names.pool_ids, strict=True):
            const, each = f"POOL_{name.upper()}", memory.word(pool.slot_bytes)
            rows += [
                Row(f"{const}_SLOTS", str(pool.slots)),
                Row(f"{const}_SLOT", str(each)),
                Row(f"{const}_FIRST", str(first), "handle"),
                Row(f"{const}_OFFSET", str(offset)),
            ]
            first, offset = first + pool.slots, offset + pool.slots * each
        rows.append(Row("PAYLOAD_BYTES", str(max(8, offset))))
        return rows


def _turn_cost(plan: Plan) -> Row:
    return Row("TURN_COST", str(plan.turn_cost_microusd * 1000), "thousandths of a micro-dollar a turn; 0: any")


def _attempts(name: str, attempts: Attempts) -> list[Row]:
    """How a node is tried again."""
    first_ns, backoff_ns, circuit = attempts.first_chunk_ns, attempts.backoff_ns, attempts.circuit
    rows = [
        Row(f"{name}_CANDIDATES", str(len(attempts.providers)), "providers: " + ", then ".join(attempts.providers)),
        Row(f"{name}_TIMES", str(attempts.times), "attempts of each, at most"),
        Row(f"{name}_ATTEMPT_NS", str(first_ns), f"{duration(first_ns)}: to the first output of one attempt"),
        Row(f"{name}_BACKOFF_NS", str(backoff_ns), duration(backoff_ns)),
        Row(f"{name}_RETAIN", str(attempts.retain_items), "items kept until the first output"),
    ]
    if circuit is not None:
        rows += [
            Row(f"{name}_CIRCUIT_ERRORS", str(circuit.errors)),
            Row(f"{name}_CIRCUIT_WITHIN_NS", str(circuit.within_ns), duration(circuit.within_ns)),
            Row(f"{name}_CIRCUIT_OPEN_NS", str(circuit.open_ns), duration(circuit.open_ns)),
        ]
    return rows


def audio_edges(plan: Plan) -> int:
    """The set of edges that are played, and therefore paced."""
    played = [
        edge.id
        for edge in plan.edges
        if edge.target == plan.egress and plan.nodes[edge.target].inputs[edge.target_port].type == "audio"
    ]
    return sum(1 << edge for edge in played)


def constants(plan: Plan, names: Names, source: str) -> list[Table]:
    """Every table, its columns aligned."""
    tables = _Constants(plan, names, source).tables()
    for table in tables:
        width = max(len(row.name) for row in table.rows)
        digits = max(len(row.value) for row in table.rows)
        for row in table.rows:
            row.name, row.value = row.name.ljust(width), row.value.rjust(digits)
    return tables
