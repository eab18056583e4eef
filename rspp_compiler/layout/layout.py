"""The analysed graph as tables of integers: ids, rings, pools, masks, deadlines and capacities."""

from __future__ import annotations

from dataclasses import replace

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.layout import Assumption, Node, Plan, Policy
from rspp_compiler.ir.memory import power_of_two
from rspp_compiler.ir.plan import Layout, MemoryRow
from rspp_compiler.ir.spec import EventSpec
from rspp_compiler.ir.types import AudioType
from rspp_compiler.layout import sync, tables, tools
from rspp_compiler.layout.conditions import session_guard
from rspp_compiler.layout.control import Counter
from rspp_compiler.layout.events import detector
from rspp_compiler.layout.memory import is_addressable, memory_bytes, memory_table
from rspp_compiler.layout.meters import meters
from rspp_compiler.layout.paths import paths
from rspp_compiler.layout.pools import pauses, pools
from rspp_compiler.layout.tables import Ids, mask

UNHASHED = "0" * 64  # until `freeze`
TELEMETRY_OUT_MIN = 16  # taps and metrics that wait for the next drain; more are dropped
DATA_OUT_MIN = 32  # more than two egress leads of audio
LEDGER_MIN = 64


def layout(analysis: Analysis, ctx: Context) -> Layout | None:
    """The plan tables but for their hash. Reports E0601 and E0605; None where that leaves nothing to lay out."""
    fit = [_fits(one.graph, ctx) for one in (analysis, *analysis.variants)]  # each reports what does not
    if not all(fit):
        return None
    made = replace(_laid_out(analysis), variants=tuple(_laid_out(variant) for variant in analysis.variants))
    addressable = [is_addressable(one, ctx) for one in (made, *made.variants)]
    return made if all(addressable) else None


def _laid_out(analysis: Analysis) -> Layout:
    graph = analysis.graph
    spec, limits, ids = graph.spec, graph.spec.limits, Ids(graph)
    # An INVOKE needs room for itself, the conversation, a FEED and one more before it may run.
    invoke_slots = 3 + limits.context_items_max
    together = max((len(group) for group in sync.together(graph)), default=1)  # all of them move in one step
    data_out_max = power_of_two(max(DATA_OUT_MIN, together * invoke_slots))
    # Each turn that closes leaves one metric for each edge.
    telemetry_out_max = power_of_two(
        max(TELEMETRY_OUT_MIN, 2 * (len(graph.edges) + len(tools.ways(graph)) + len(tools.called(graph))))
    )
    ledger_max = _ledger_max(graph)
    pool_table, pool_of = pools(graph, data_out_max, telemetry_out_max, ledger_max)
    nodes = tables.nodes(graph, ids)
    edges = tables.edges(analysis, ids, pool_of, nodes)
    reactions, modes = tables.reactions(graph, ids), tables.modes(graph, ids, edges)
    recogniser = _only(nodes, "stt")
    speech_start = ids.events.get((detector(graph), "speech_start"), -1)
    barge_in = ids.events.get((detector(graph), "barge_in"), -1)
    soft = tables.soft(graph, nodes, edges)
    step_max = Counter(nodes, edges, reactions, modes, recogniser, speech_start, barge_in, soft.nodes).step_max()
    turn_nodes = [node.id for node in nodes if node.scope == "turn"]
    plan = Plan(
        pipeline=spec.name,
        pipeline_version=spec.version,
        profile=spec.profile,
        template_hash=UNHASHED,
        recording_level=spec.recording.level,
        nodes=nodes,
        edges=edges,
        pools=(*pool_table, *tools.pools(graph, data_out_max)),
        events=tables.events(graph, ids),
        reactions=reactions,
        modes=modes,
        ingress=_only(nodes, "ingress"),
        egress=_only(nodes, "egress"),
        turn_owner=ids.event(_owner(graph)),
        recogniser=recogniser,
        speech_start=speech_start,
        barge_in=barge_in,
        speech_nodes=mask(node.id for node in nodes if node.kind == "tts"),
        turn_nodes=mask(turn_nodes),
        turn_edges=mask(edge.id for edge in edges if edge.scope == "turn"),
        stages=tuple(node.id for node in nodes if node.scope == "turn" and (node.tool is None or node.upstream)),
        turn_ns=spec.budget.turn_ns,
        turn_warning_ns=spec.budget.turn_ns * spec.budget.warning_percent // 100,
        turn_total_ns=spec.budget.turn_total_ns,
        grace_ns=limits.cancel_grace_ns,
        lead_ns=limits.egress_lead_ns,
        evidence_ns=limits.evidence_append_ns,
        stall_ns=limits.egress_stall_ns,
        audio_bytes_per_second=_audio_rate(graph),
        utterance_bytes_max=limits.utterance_bytes_max,
        spoken_bytes_max=limits.spoken_bytes_max,
        context_items_max=limits.context_items_max,
        context_bytes_max=limits.context_bytes_max,
        control_in_max=limits.control_in_max,
        control_out_max=power_of_two(4 * step_max),  # a few steps go by between two drains
        control_step_max=step_max,
        data_out_max=data_out_max,
        telemetry_out_max=telemetry_out_max,
        ledger_max=ledger_max,
        memory_bytes=0,
        provider_bindings=_bindings(graph),
        pause_ns=spec.budget.turn_pause_ns if pauses(graph) else 0,
        soft_nodes=soft.nodes,
        soft_edges=soft.edges,
        soft_ns=soft.longest_ns,
        policies=tuple(Policy(one.id, session_guard(one.condition, ids.modes)) for one in spec.policies),
        assumptions=tuple(Assumption(one.id, one.kind, one.subject, one.limit) for one in analysis.assumptions),
        apology_ns=spec.budget.turn_apology_ns if ("turn", "error") in ids.events else 0,
        paths=paths(graph, ids, modes),
        meters=meters(graph),
        turn_cost_microusd=spec.budget.cost_microusd,
    )
    plan = replace(plan, memory_bytes=memory_bytes(plan))
    return Layout(
        policy=analysis.policy,
        plan=plan,
        memory=tuple(MemoryRow(*row) for row in memory_table(plan)),
        handlers=tuple(node.spec.implementation or "" for node in tables.in_kernel(graph)),
        analysis=analysis,
    )


def _fits(graph: Graph, ctx: Context) -> bool:
    """Whether every item fits its edge."""
    fits = True
    for edge in graph.edges:
        port = graph.source_port(edge)
        largest = port.item_bytes_max if port else 0
        if edge.spec.buffer_bytes < largest:
            fits = False
            at = edge.spec.origin("buffer_bytes").span
            ctx.sink.add(
                "E0601",
                f"`{edge.id}` holds {edge.spec.buffer_bytes} bytes, and one item of `{edge.source}.{edge.source_port}` "
                f"may have {largest}",
                at,
                label=f"less than one item of {largest} bytes",
                help=f"give it at least `{largest}B`",
                fix=Fix(at, f"{largest}B"),
            )
        if edge.spec.handoff and edge.spec.buffer_items < 2:
            fits = False
            at = edge.spec.origin("buffer_items").span
            ctx.sink.add(
                "E0601",
                f"`{edge.id}` holds 1 item, and a hand-off may release 2 at once",
                at,
                label="room for at least 2 items is needed",
                help="give it at least `2 items`",
                fix=Fix(at, "2 items"),
            )
    return fits


def _owner(graph: Graph) -> EventSpec | None:
    """What ends an utterance of the first party: the kernel of this version knows one."""
    return graph.spec.owners[0].event if graph.spec.owners else None


def _only(nodes: tuple[Node, ...], kind: str) -> int:
    return next((node.id for node in nodes if node.kind == kind), -1)


def _audio_rate(graph: Graph) -> int:
    """Bytes a second of what is played; the profile's format where nothing is."""
    for node in graph.of_kind("egress"):
        port = node.spec.input("audio")
        if port is not None and isinstance(port.type, AudioType):
            return port.type.bytes_per_second
    return 32_000


def _ledger_max(graph: Graph) -> int:
    """Frames that may be sent and not yet played. A segment's last frame can be short, hence four times as many."""
    frames = [
        port.item_ns for node in graph.of_kind("egress") for port in node.spec.inputs if port.type.name == "audio"
    ]
    shortest = min((ns for ns in frames if ns), default=20_000_000)
    return max(LEDGER_MIN, power_of_two(4 * -(-graph.spec.limits.egress_lead_ns // shortest)))


def _bindings(graph: Graph) -> tuple[tuple[str, str], ...]:
    """Node and first candidate of its provider, for each effect node."""
    rows: list[tuple[str, str]] = []
    for node in graph.nodes:
        provider = graph.spec.provider(node.spec.provider or node.kind)
        if node.kind == "python" and node.execution == "effect":
            rows.append((node.id, "python"))
        if node.execution == "effect" and provider is not None:
            rows.append((node.id, provider.candidates[0].name))
    return (*rows, *((tool.id, "tool") for tool in tools.tools(graph)))
