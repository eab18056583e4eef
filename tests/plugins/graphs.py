"""Graphs for tests of the analyses, made by hand: no front end is involved.

    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    sketch.flow("ingress.audio -> ears -> stt -> llm -> voice", handoff=handoff(150 * MS))
    sketch.flow("voice -> egress.audio").on("llm.timeout or llm.error", "sorry -> voice")
    graph, ctx = sketch.graph(), sketch.context()

Names and ports work as in the language: a kind may stand for its only node, a node for its main port. Every declaration
becomes a line of a text that looks like a pipeline's source, so that spans and fixes have something to point at. A
field that is given has its line as origin; the others are from the profile. Random graphs are in `random_graphs`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from graph_assembly import assemble, owners
from graph_kinds import COMMON_EVENTS, MS, SHAPES, ports
from rspp_compiler.ir.condition import Condition, Truth, Variable
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import (
    BudgetSpec,
    CandidateSpec,
    EdgeSpec,
    EventSpec,
    HandoffSpec,
    LimitsSpec,
    ModeSpec,
    NodeSpec,
    OverflowStep,
    OwnerSpec,
    PartySpec,
    PathBudgetSpec,
    PipelineSpec,
    PolicySpec,
    ProviderSpec,
    ReactionSpec,
    RecordingSpec,
    RetrySpec,
    SpecModel,
    Strategy,
    ToolSpec,
    TriggerSpec,
)
from rspp_compiler.source import Source, Span

M = TypeVar("M", bound=SpecModel)
S = 1000 * MS
FILE, PROFILE = "sketch.rspp", "execution_profile/simple/v1"
NOWHERE = Span(PROFILE, 0, 0, 1, 1, 1, 1)
VERBS = (
    "open turn", "end utterance", "cancel turn", "cancel session", "abort turn", "end session",
    "cancel", "degrade", "enter", "pause", "resume", "call",
)  # fmt: skip
BUDGET = {
    "turn_ns": 2 * S, "turn_total_ns": 120 * S, "turn_pause_ns": S, "turn_apology_ns": 3 * S,
    "path_ns": 1800 * MS, "edge_ns": 250 * MS,
    "node_ns": 800 * MS,
}  # fmt: skip
LIMITS = {
    "cancel_grace_ns": 75 * MS, "egress_lead_ns": 200 * MS, "egress_hold_ns": 2 * S, "egress_stall_ns": 500 * MS,
    "evidence_append_ns": 500 * MS, "utterance_bytes_max": 4096, "spoken_bytes_max": 8192, "context_items_max": 16,
    "context_bytes_max": 16384, "control_in_max": 32,
}  # fmt: skip


def flag(field: str = "final", subject: str = "event") -> Condition:
    """A condition: `event.final`."""
    return Truth(variable=Variable(subject=subject, field=field, type="flag"))


def handoff(age_ns: int = 150 * MS, **fields: Any) -> HandoffSpec:
    return _made(HandoffSpec, NOWHERE, {"age_ns_max": age_ns, **fields}, by="sentence", bytes_max=1024)


def retry(times: int, backoff_ns: int = 0) -> RetrySpec:
    return _made(RetrySpec, NOWHERE, {"times": times, "backoff_ns": backoff_ns})


def steps(*strategies: Strategy, **fields: Any) -> tuple[OverflowStep, ...]:
    """An overflow order; the fields are those of every step: `steps("block", "drop_oldest", block_ns=…)`."""
    return tuple(OverflowStep(strategy=strategy, **fields) for strategy in strategies)


def candidate(name: str, **fields: Any) -> CandidateSpec:
    """A `use` line: `candidate("deepgram", guard=…, accept=("PII",), price=…)`."""
    return CandidateSpec(span=NOWHERE, name=name, **fields)


def _made(model: type[M], span: Span, given: dict[str, Any], **defaults: Any) -> M:
    """A part of the spec: what is not `given` is from the profile."""
    profile = Origin.profile(NOWHERE)
    origins = {name: profile for name in model.model_fields if name not in given and name not in ("span", "origins")}
    return model(**{"span": span, **defaults, **given, "origins": origins | given.get("origins", {})})


class Sketch:
    """A pipeline under construction. Every method that adds something gives the sketch back."""

    def __init__(self, name: str = "sketch") -> None:
        self.name = name
        self._lines = [f"pipeline {name} {{", "  profile simple/v1"]
        self._end_of_text = sum(len(line.encode()) + 1 for line in self._lines)
        self._nodes: dict[str, NodeSpec] = {}
        self._edges: dict[str, EdgeSpec] = {}
        self._reactions: list[ReactionSpec] = []
        self._providers: dict[str, ProviderSpec] = {}
        self._tools: list[ToolSpec] = []
        self._modes: list[ModeSpec] = []
        self._parties: list[PartySpec] = []
        self._owners: list[OwnerSpec] = []
        self._budget: dict[str, Any] = {}
        self._whole: dict[str, Any] = {}
        self._policies: list[tuple[str, Condition, Sketch]] = []

    def __repr__(self) -> str:
        return self.source.text

    # ---- what a pipeline declares

    def node(self, id: str, kind: str = "", *, inputs: str = "", outputs: str = "", **fields: Any) -> Sketch:
        """A node. `inputs` and `outputs` replace the ports of its kind: `"question: text, context: text(PII)"`.

        A custom node whose `place` is not the kernel is an effect.
        """
        kind = kind or id
        self._add_node(id, kind, self._line(f"node {id} : {kind}"), inputs, outputs, fields)
        return self

    def flow(self, line: str, **fields: Any) -> Sketch:
        """Flows, `"ingress.audio -> ears -> stt.audio"`; the settings qualify the last arrow."""
        for edge in self._hops(line, self._line(line), fields):
            self._edges[edge.id] = edge
        return self

    def on(self, events: str, action: str, *, guard: Condition | None = None, **fields: Any) -> Sketch:
        """A reaction to `"llm.timeout or llm.error"`: a verb with its object, or a path whose last arrow the settings
        qualify.
        """
        span = self._line(f"on {events} -> {action}")
        id = f"on#{len(self._reactions) + 1}"
        told = tuple(_event(name, span) for name in events.split(" or "))
        verb = next((verb for verb in VERBS if f"{action} ".startswith(f"{verb} ")), "")
        name = "cancel_node" if verb == "cancel" else verb.replace(" ", "_")
        object = action.removeprefix(verb).strip() or None if verb else None
        path: tuple[EdgeSpec, ...] = ()
        trigger = None
        if not verb:
            first = action.partition("->")[0].strip()
            node, port = self._end(first, "inputs", span)
            trigger = TriggerSpec(span=span, node=node, port=port)
            path = self._hops(action, span, fields)
        about: dict[str, Any] = {"id": id, "events": told, "guard": guard, "verb": name or None, "object": object}
        self._reactions.append(ReactionSpec(span=span, trigger=trigger, path=path, **about))
        return self

    def provider(self, id: str, *uses: str | CandidateSpec, kind: str = "", **fields: Any) -> Sketch:
        """A provider block with its `use` lines, in order."""
        self._providers[id] = _provider(id, kind or id, self._line(f"provider {id}"), uses, fields)
        return self

    def tool(self, id: str, kind: str = "python", **fields: Any) -> Sketch:
        span = self._line(f"tool {id} : {kind}")
        self._tools.append(_made(ToolSpec, span, fields, id=id, kind=kind, implementation="m:f", timeout_ns=2 * S))
        return self

    def mode(self, id: str, *off: str, **fields: Any) -> Sketch:
        self._modes.append(
            ModeSpec(span=self._line(f"mode {id} {{ off = [{', '.join(off)}] }}"), id=id, off=off, **fields)
        )
        return self

    def party(self, id: str, members_max: int = 1) -> Sketch:
        """A party; its boundary nodes are `ID.ingress` and `ID.egress`, `ID.audio` in a flow means one or the other."""
        span = self._line(f"party {id}")
        self._parties.append(PartySpec(span=span, id=id, members_max=members_max))
        for kind in ("ingress", "egress"):
            self._add_node(f"{id}.{kind}", kind, span, "", "", {"party": id})
        return self

    def owner(self, event: str, party: str = "") -> Sketch:
        """Says by hand whose event ends an utterance; otherwise it is found as the language says."""
        span = self._line(f"on {event} -> end utterance")
        self._owners.append(OwnerSpec(span=span, party=party, event=_event(event, span)))
        return self

    def budget(self, **fields: Any) -> Sketch:
        """Budgets, `turn_ns=2 * S`."""
        span = self._line(f"budget {{ {', '.join(sorted(fields))} }}")
        self._budget |= {**fields, "origins": self._budget.get("origins", {}) | {f: Origin.user(span) for f in fields}}
        return self

    def path_budget(self, path: str, ns: int) -> Sketch:
        """`"ingress.audio -> stt.final"`, ports spelled out."""
        span = self._line(f"budget {{ {path} = {ns // MS}ms }}")
        (source, _, source_port), (target, _, target_port) = (end.rpartition(".") for end in path.split(" -> "))
        one = PathBudgetSpec(
            span=span, source=source, source_port=source_port, target=target, target_port=target_port, ns=ns
        )
        self._budget["paths"] = (*self._budget.get("paths", ()), one)
        return self

    def whole(self, **fields: Any) -> Sketch:
        """Fields of the pipeline itself: `recording=…`, `limits=…`."""
        self._whole |= fields
        return self

    def policy(self, id: str, change: Callable[[Sketch], object], condition: Condition | None = None) -> Sketch:
        """A variant: what `change` makes of a copy of this sketch. Declare policies last."""
        varied = copy.deepcopy(self)
        change(varied)
        self._lines += varied._lines[len(self._lines) :]
        self._end_of_text = varied._end_of_text
        self._policies.append((id, condition or flag("premium", "session"), varied))
        return self

    # ---- what comes of it

    def graph(self) -> Graph:
        """The graph, and one of each policy in `variants`."""
        variants = tuple(replace(assemble(varied.spec()), policy=id) for id, _, varied in self._policies)
        return replace(assemble(self.spec()), variants=variants)

    def context(self) -> Context:
        """A context whose sources hold the text that the graph's spans point into."""
        return Context(sources={FILE: self.source, PROFILE: Source(PROFILE, "# simple/v1\n")})

    @property
    def source(self) -> Source:
        return Source(FILE, "\n".join([*self._lines, "}", ""]))

    def spec(self) -> PipelineSpec:
        """The spec, with the provider blocks of the profile for kinds that have none here."""
        span = self.source.line_span(1)
        kinds = sorted({node.provider for node in self._nodes.values() if node.provider} - self._providers.keys())
        parties = tuple(self._parties) or (PartySpec(span=span, id=""),)
        paths = [edge for reaction in self._reactions for edge in reaction.path]
        edges = (*self._edges.values(), *paths)
        given = {
            "parties": parties,
            "nodes": tuple(self._nodes.values()),
            "edges": tuple(self._edges.values()),
            "reactions": tuple(self._reactions),
            "modes": tuple(self._modes),
            "tools": tuple(self._tools),
            "policies": tuple(PolicySpec(span=span, id=id, condition=of) for id, of, _ in self._policies),
            "budget": _made(BudgetSpec, span, self._budget, **BUDGET, warning_percent=80),
            "recording": _made(RecordingSpec, span, {}, level="L0"),
            "providers": (*self._providers.values(), *(_provider(kind, kind, NOWHERE, (), {}) for kind in kinds)),
            "limits": _made(LimitsSpec, span, {}, **LIMITS),
            "owners": tuple(self._owners) or owners(parties, self._nodes, edges, self._reactions),
        }
        return PipelineSpec(span=span, name=self.name, version="1.0.0", profile="simple/v1", **{**given, **self._whole})

    # ---- lines, nodes, edges

    def _line(self, text: str) -> Span:
        start, size = self._end_of_text + 2, len(text.encode())
        self._lines.append(f"  {text}")
        self._end_of_text = start + size + 1
        number = len(self._lines)
        return Span(FILE, start, start + size, number, 3, number, 3 + len(text))

    def _add_node(self, id: str, kind: str, span: Span, inputs: str, outputs: str, fields: dict[str, Any]) -> None:
        shape = SHAPES[kind]
        execution = shape.execution if fields.get("place", "kernel") == "kernel" else "effect"
        waits = execution == "effect"
        self._nodes[id] = _made(
            NodeSpec,
            span,
            fields,
            id=id,
            kind=kind,
            execution=execution,
            scope=shape.scope or "session",
            inputs=ports(inputs or shape.inputs, span),
            outputs=ports(outputs or shape.outputs, span),
            events=shape.events + COMMON_EVENTS,
            implementation="nodes:Node" if kind in ("python", "grpc", "wasm") else None,
            provider=kind if shape.has_provider else None,
            first_output_ns=(shape.first_output_ns or 800 * MS) if waits else 0,
            chunk_ns=1000 * MS if waits else 0,
            window_items=16 if waits else 0,
        )

    def _hops(self, line: str, span: Span, fields: dict[str, Any]) -> tuple[EdgeSpec, ...]:
        names = [name.strip() for name in line.split("->")]
        last = len(names) - 2
        return tuple(
            self._edge(self._end(a, "outputs", span), self._end(b, "inputs", span), span, fields if at == last else {})
            for at, (a, b) in enumerate(pairwise(names))
        )

    def _end(self, name: str, side: str, span: Span) -> tuple[str, str]:
        """Node and port that an end of a flow names."""
        owner, _, port = name.rpartition(".")
        if owner in {party.id for party in self._parties}:
            return f"{owner}.{'ingress' if side == 'outputs' else 'egress'}", port
        if name not in self._nodes and owner not in self._nodes:
            id = owner or name
            self._add_node(id, id, span, "", "", {"implicit": True})
        if name in self._nodes:
            return name, getattr(self._nodes[name], side)[0].name
        return owner, port

    def _edge(self, source: tuple[str, str], target: tuple[str, str], span: Span, fields: dict[str, Any]) -> EdgeSpec:
        type = next(port.type for port in self._nodes[target[0]].inputs if port.name == target[1])
        in_session = SHAPES[self._nodes[source[0]].kind].scope == "session" and source[1] != "utterance"
        return _made(
            EdgeSpec,
            span,
            fields,
            id=f"{source[0]}.{source[1]} -> {target[0]}.{target[1]}",
            source=source[0],
            source_port=source[1],
            target=target[0],
            target_port=target[1],
            scope="session",
            buffer_items=16,
            buffer_ns=200 * MS if in_session else 0,
            buffer_bytes=16 * 4096 if type.name != "audio" else 16 * 640,
            overflow=steps("drop_oldest") if in_session else steps("block", block_ns=250 * MS),
            latency_ns=200 * MS if in_session else 250 * MS,
        )


def _event(name: str, span: Span) -> EventSpec:
    subject, _, event = name.strip().rpartition(".")
    return EventSpec(span=span, subject=subject, event=event)


def _provider(
    id: str, kind: str, span: Span, uses: Iterable[str | CandidateSpec], fields: dict[str, Any]
) -> ProviderSpec:
    lines = tuple(CandidateSpec(span=span, name=use) if isinstance(use, str) else use for use in uses)
    return _made(
        ProviderSpec,
        span,
        fields,
        id=id,
        kind=kind,
        candidates=lines or (CandidateSpec(span=span, name="scripted"),),
        first_chunk_ns=1000 * MS,
        chunk_ns=1000 * MS,
        retry=retry(0),
    )
