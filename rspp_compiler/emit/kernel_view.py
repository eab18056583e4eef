"""The plan as the compiled kernel prints it: names, constants and the few facts that decide which lines are written.

The templates print this view and decide nothing but what to leave out. What a line does is in `rspp_runtime.kernel`.
"""

from __future__ import annotations

from rspp_compiler.emit.kernel_edges import edge_view, paths
from rspp_compiler.emit.kernel_events import TURN_EXHAUSTED, Events
from rspp_compiler.emit.kernel_guards import guard_lines
from rspp_compiler.emit.kernel_layout import constants
from rspp_compiler.emit.kernel_names import Names, listed
from rspp_compiler.emit.kernel_reasons import pressed
from rspp_compiler.emit.kernel_records import Domain, Group, JoinView, NodeView, PortView
from rspp_compiler.emit.templates import render_template
from rspp_compiler.ir import memory
from rspp_compiler.ir.abi import ABI_HASH, EDGES_MAX, NODES_MAX
from rspp_compiler.ir.layout import EFFECT, TURN, Join, Node, Plan, Port


def _literal(text: str) -> str:
    """A C string of the text's UTF-8 bytes."""
    return 'b"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in text.encode()) + '"'


class _View:
    """Builds the view from the tables, in the order of ids."""

    def __init__(self, plan: Plan, source: str) -> None:
        self.plan, self.source, self.names = plan, source, Names(plan)
        self.speech = memory.speech(plan)
        self.detector = plan.events[plan.speech_start].node if plan.speech_start >= 0 else -1
        self.events = Events(plan, self.names)
        self.maskable = 0
        for mode in plan.modes:
            self.maskable |= mode.edges_off
        self.edges = [edge_view(plan, self.names, self.maskable, edge) for edge in plan.edges]
        self.nodes = [self._node(node) for node in plan.nodes]

    def _port(self, node: Node, index: int, port: Port) -> PortView:
        plan = self.plan
        rows = [e for e in plan.edges if e.source == node.id and e.source_port == index]
        edges = [self.edges[edge.id] for edge in rows]
        groups: list[Group] = []
        for edge in sorted(edges, key=lambda edge: edge.handoff):  # a hand-off copies the text: any group of its scope
            same = [g for g in groups if g.turn == edge.turn and (edge.handoff or g.pool == edge.pool)]
            if same:
                same[0].edges.append(edge)
            else:
                groups.append(Group(edge.pool, edge.turn, [edge]))
        for group in groups:
            group.edges.sort(key=edges.index)
        event = next((e.id for e in plan.events if e.node == node.id and e.port == index), -1)
        return PortView(
            id=self.names.port_ids[node.id, index],
            const=f"PORT_{self.names.port_ids[node.id, index].upper()}",
            name=port.name,
            bytes_max=f"BYTES_{self.names.port_ids[node.id, index].upper()}",
            event=self.names.event(event) if port.type == "event" else "",
            final=node.id == plan.recogniser and port.name == "final",
            text=node.id == plan.ingress and port.name == "text",
            groups=groups,
            edges=edges,
            call=port.type == "call",
            said=self._said(node, port),
        )

    def _said(self, node: Node, port: Port) -> str:
        """What an item tells about the speech that guards of reactions ask for."""
        if node.id == self.plan.recogniser and port.type == "text" and self.speech:
            return f"said(core, event.b, {port.name == 'final'})"
        return "goes_on(core)" if node.id == self.detector and port.type != "event" and self.speech == "waits" else ""

    def _node(self, node: Node) -> NodeView:
        plan = self.plan
        named = {reaction.event for reaction in plan.reactions}
        role = {"kernel": "runs here", "effect": "an effect", "boundary": "a boundary"}[node.execution]
        view = NodeView(
            id=self.names.node_ids[node.id],
            const=f"NODE_{self.names.node_ids[node.id].upper()}",
            name=node.name,
            kind=node.kind,
            line=node.line,
            role=f"{role}, for {'a turn' if node.scope == TURN else 'the session'}",
            effect=node.execution == EFFECT,
            turn_scoped=node.scope == TURN,
            voice=bool(plan.speech_nodes >> node.id & 1),
            recogniser=node.id == plan.recogniser,
            each_item=node.kind == "python" and node.execution == EFFECT and node.first_output_ns > 0,
            context=node.kind == "llm",
            candidates=len(node.attempts.providers) if node.attempts else 0,
            retains=bool(node.attempts and node.attempts.retain_items),
            circuits=bool(node.attempts and node.attempts.circuit),
            ranges=[number for pair in node.attempts.ranges for number in pair] if node.attempts else [],
            providers=list(node.attempts.providers) if node.attempts else [],
            guards=[guard_lines(guard) for guard in node.attempts.guards] if node.attempts else [],
            started=f"react_{self.names.event_ids[node.event_started]}" if node.event_started in named else "",
            error=self.names.event(node.event_error),
            timeout=self.names.event(node.event_timeout),
            done=self.names.event(node.event_done),
            exhausted=self.names.event(node.event_exhausted),
            meter=node.meter,
            speakable=node.speakable_ns > 0,
            text=" ".join(node.text.split()),
            text_literal=_literal(node.text),
            interruptible=node.interruptible,
            handler=node.handler,
            join=self._join(node.join) if node.join else None,
            label=node.label,
            clock=node.clock,
            pause=node.pause,
            keys=node.keys,
            fired=self._reaction(node.event_timeout if node.keys else node.event_own),
            owns_turn=node.event_own >= 0 and node.event_own == plan.turn_owner,
            tool=node.tool,
            calls_max=node.calls_max,
            letters=node.letters > 0,
            ends=paths(plan, lambda path: path.ends_node == node.id != plan.recogniser),
            answers=self._answers(node),
        )
        view.outputs = [self._port(node, index, port) for index, port in enumerate(node.outputs)]
        view.edges_in = [self.edges[edge.id] for edge in plan.edges if edge.target == node.id]
        view.edges_out = [self.edges[edge.id] for edge in plan.edges if edge.source == node.id]
        view.events = self.events.of(node.id)
        return view

    def _reaction(self, event: int) -> str:
        """The function that reacts to an event; "" if nobody does."""
        named = any(row.event == event for row in self.plan.reactions)
        return f"react_{self.names.event_ids[event]}" if named else ""

    def _answers(self, node: Node) -> str:
        """Where answers of tools lie, or come in."""
        if node.tool is not None:
            own = (f"POOL_{self.names.pool_ids[e.pool].upper()}" for e in self.plan.edges if e.source == node.id)
            return next(own, "0")  # nobody waits for answers of one that only reactions call
        return next((str(index) for index, port in enumerate(node.inputs) if port.type == "call"), "")

    def _join(self, join: Join) -> JoinView:
        names = [self.plan.nodes[self.plan.edges[edge].source].name for edge in join.sources]
        words = f"{join.by} {join.field}".strip().replace("_", " ")
        return JoinView(
            rule=f"joins.RULE_{join.by.upper()}",
            field=f"joins.FIELD_{join.field.upper() or 'NONE'}",
            sources=[self.edges[edge].const for edge in join.sources],
            selects=join.by in ("first", "highest"),
            waits_for=hex(join.waits_for),
            within_ns=join.within_ns,
            words=f"{words} of {', '.join(names)}",
        )

    def mouth(self) -> PortView | None:
        """The port that utterances come from: the recogniser's; where people only type, that of the ingress."""
        plan = self.plan
        at, name = (plan.recogniser, "utterance") if plan.recogniser >= 0 else (plan.ingress, "text")
        ports = self.nodes[at].outputs if at >= 0 else []
        return next((port for port in ports if port.name == name and (port.groups or plan.recogniser >= 0)), None)

    def domains(self) -> list[Domain]:
        """Each set of edges that go on together, by its lowest edge."""
        found: dict[int, Domain] = {}
        for edge, view in zip(self.plan.edges, self.edges, strict=True):
            if view.together and edge.sync:
                mask = edge.sync.peers
                found.setdefault(mask, Domain(edge.sync.domain, hex(mask), [])).edges.append(view)
        return list(found.values())

    def stages(self) -> list[dict[str, object]]:
        """Turn-scoped nodes in topological order, with the masks that tell when one is complete."""
        rows: list[dict[str, object]] = []
        for id in self.plan.stages:
            node, view = self.plan.nodes[id], self.nodes[id]
            upstream = node.upstream & self.plan.turn_nodes
            rows.append(
                {
                    "id": view.id,
                    "join": view.join,
                    "const": view.const,
                    "name": node.name,
                    "upstream": hex(upstream),
                    "after": listed(upstream, [row.name for row in self.plan.nodes]),
                    "edges_in": hex(sum(1 << edge.id for edge in self.plan.edges if edge.target == id)),
                    "effect": view.effect,
                    "tried_again": view.candidates > 0,
                    "held": [edge for edge in view.edges_in if edge.handoff or edge.gather_ns or edge.together],
                }
            )
        return rows


def _check(plan: Plan) -> None:
    """What the templates rely on; a plan that breaks it comes from a fault of the compiler."""
    if len(plan.nodes) > NODES_MAX or len(plan.edges) > EDGES_MAX:
        raise ValueError(f"a pipeline has at most {NODES_MAX} nodes and {EDGES_MAX} edges")
    payloads = sum(pool.slots * memory.word(pool.slot_bytes) for pool in plan.pools)
    if payloads >= 1 << 32:
        raise ValueError(f"payloads of {payloads} bytes: at most 4 GiB")
    for edge in plan.edges:
        needed = memory.pending_bytes(plan, edge) if edge.handoff else memory.item_bytes_max(plan, edge)
        source = plan.nodes[edge.source]
        if source.kind == "say":
            needed = max(needed, len(source.text.encode()))
        is_typed = plan.recogniser < 0 and source.id == plan.ingress and source.outputs[edge.source_port].name == "text"
        if is_typed or (source.id == plan.recogniser and source.outputs[edge.source_port].name == "utterance"):
            needed = max(needed, plan.utterance_bytes_max)
        if plan.pools[edge.pool].slot_bytes < needed:
            raise ValueError(f"edge {edge.name!r}: slots of {plan.pools[edge.pool].slot_bytes} bytes, {needed} needed")


def kernel_view(plan: Plan, source: str) -> dict[str, object]:
    """Everything that the three templates print."""
    _check(plan)
    view = _View(plan, source)
    says = [node for node in view.nodes if node.kind == "say" or (node.keys and node.keys.opens)]
    events = [event for node in (-1, -2, *range(len(plan.nodes))) for event in view.events.of(node)]
    raised = sorted((event for event in events if event.raised), key=lambda event: view.names.event_ids.index(event.id))
    by_name = {event.name: view.names.event(event.id) for event in plan.events}
    detector = plan.nodes[view.detector].name if view.detector >= 0 else ""
    return {
        "package": plan.pipeline,
        "pipeline": plan.pipeline,
        "version": plan.pipeline_version,
        "source": source,
        "template_hash": plan.template_hash,
        "abi_hash": ABI_HASH,
        "memory_bytes": f"{memory.memory_bytes(plan):,}",
        "modes": [mode.name for mode in plan.modes],
        "attributes": memory.asks(plan),
        "choices": memory.chooses(plan),
        "policies": [{"name": one.name, "guard": guard_lines(one.guard) or ["True"]} for one in plan.policies],
        "choosers": [node for node in view.nodes if node.ranges or node.guards],
        "chooses_providers": any(node.guards for node in view.nodes),
        "tables": constants(plan, view.names, source),
        "nodes": view.nodes,
        "meters": plan.meters,
        "edges": view.edges,
        "pools": [f"POOL_{name.upper()}" for name in view.names.pool_ids],
        "credited": [edge for edge in view.edges if edge.credit],
        "synchronised": [edge for edge in view.edges if edge.sync],
        "domains": view.domains(),
        "session_events": view.events.of(-1) + view.events.of(-2),
        "events": events,
        "raised": raised,
        "watched": " | ".join(f"bit({signal})" for signal in dict.fromkeys(event.signal for event in raised)),
        "speech": view.speech,
        "speech_end": by_name.get(f"{detector}.speech_end", "NO_EVENT"),
        "idle": by_name.get(f"{detector}.idle", "NO_EVENT"),
        "says": says,
        "effects": [node for node in view.nodes if node.effect],
        "handoffs": [edge for edge in view.edges if edge.handoff],
        "timed": [node for node in view.nodes if node.clock or node.pause or node.keys],
        "clocks": [node for node in view.nodes if node.clock],
        "keys": [node for node in view.nodes if node.keys],
        "lettered": [node for node in view.nodes if node.letters],
        "joins": [node for node in view.nodes if node.join],
        "tools": [node for node in view.nodes if node.tool],
        "tried_again": [node for node in view.nodes if node.candidates],
        "pauses": plan.pause_ns > 0,
        "paths": plan.paths,
        "recogniser_id": plan.recogniser,
        "apologises": plan.apology_ns > 0,
        "soft": plan.soft_nodes != 0,
        "pressed": {what: pressed(plan, view.names, what) for what in ("button_down", "button_up", "dtmf")},
        "audio_port": next((i for i, p in enumerate(plan.nodes[plan.egress].inputs) if p.name == "audio"), -1),
        "python": [node for node in view.nodes if node.kind == "python" and not node.effect],
        "stages": view.stages(),
        "mouth": view.mouth(),
        "recogniser": view.nodes[plan.recogniser] if plan.recogniser >= 0 else None,
        "ingress": view.nodes[plan.ingress] if plan.ingress >= 0 else None,
        "egress": str(plan.egress) if plan.egress < 0 else view.nodes[plan.egress].const,
        "speech_start": view.names.event(plan.speech_start),
        "turn_owner": view.names.event(plan.turn_owner),
        "barge_in": view.names.event(plan.barge_in),
        "connected": by_name.get("session.connected", "NO_EVENT"),
        "exhausted": by_name.get(TURN_EXHAUSTED, "NO_EVENT"),
        "words": {node.id: len(node.text.split()) for node in view.nodes},
        "sizes": {view.names.node_ids[node.id]: len(node.text.encode()) for node in plan.nodes},
    }


def kernel_files(plan: Plan, source: str) -> dict[str, str]:
    """The kernel's files by name: `_layout.pxd`, `_kernel.pyx`, `_kernel.pyi`. `source` is the pipeline's file name.

    Raises ValueError for a plan that the kernel cannot hold.
    """
    view = kernel_view(plan, source)
    return {name: render_template(f"package/{name}.j2", view) for name in ("_layout.pxd", "_kernel.pyx", "_kernel.pyi")}
