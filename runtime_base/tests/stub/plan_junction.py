"""Merges and selects of every rule, inside and outside of turns, by hand: see `plans`."""

from __future__ import annotations

from typing import Any

from units import BLOCK, LATEST, MS, NEWEST, OLDEST, S, mask

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.plan import (
    Action,
    Edge,
    Event,
    Gather,
    Handoff,
    Join,
    Mode,
    Node,
    Overflow,
    Plan,
    Pool,
    Port,
)
from rspp_runtime.abi.plan import Reaction as Line

INGRESS, STT, LEFT, RIGHT, SORRY, BEST, LINES, BOTH, STRICT, ALTER, QUICK, VOICE, WATCH, EGRESS = range(14)
AUDIO, TEXT, PROMPT = Port("audio", "audio", 320), Port("text", "text", 200), Port("prompt", "text", 300)
START, END, LEFT_ERROR = range(3)

# name, source, its port, target, its port, scope, pool, settings
FLOWS: tuple[tuple[str, int, int, int, int, str, int, dict[str, Any]], ...] = (
    (
        "voice -> egress.audio",
        VOICE,
        0,
        EGRESS,
        0,
        "turn",
        0,
        {"items_max": 8, "bytes_max": 8 * 320, "commit_point": True, "overflow": (Overflow(BLOCK),)},
    ),
    ("both -> egress.text", BOTH, 0, EGRESS, 1, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    (
        "strict -> egress.text",
        STRICT,
        0,
        EGRESS,
        1,
        "turn",
        1,
        {"overflow": (Overflow(BLOCK, 30 * MS), Overflow(NEWEST))},
    ),
    (
        "lines -> voice",
        LINES,
        0,
        VOICE,
        0,
        "turn",
        2,
        {"handoff": Handoff(80 * MS, 240), "bytes_max": 1000, "overflow": (Overflow(OLDEST),)},
    ),
    ("alter -> watch", ALTER, 0, WATCH, 0, "session", 1, {"overflow": (Overflow(LATEST),)}),
    ("quick -> watch", QUICK, 0, WATCH, 0, "session", 1, {"overflow": (Overflow(NEWEST),)}),
    ("best -> lines", BEST, 0, LINES, 0, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    ("sorry -> lines", SORRY, 0, LINES, 0, "turn", 1, {"items_max": 2, "overflow": (Overflow(NEWEST),)}),
    ("left -> best", LEFT, 0, BEST, 0, "turn", 1, {"overflow": (Overflow(BLOCK, 60 * MS), Overflow(OLDEST))}),
    ("right -> best", RIGHT, 0, BEST, 0, "turn", 1, {"age_ns_max": 90 * MS, "overflow": (Overflow(OLDEST),)}),
    ("left.final -> both", LEFT, 1, BOTH, 0, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    ("right.final -> both", RIGHT, 1, BOTH, 0, "turn", 1, {"overflow": (Overflow(BLOCK, 40 * MS), Overflow(LATEST))}),
    ("left.final -> strict", LEFT, 1, STRICT, 0, "turn", 1, {"overflow": (Overflow(NEWEST),)}),
    ("right -> strict", RIGHT, 0, STRICT, 0, "turn", 1, {"items_max": 3, "overflow": (Overflow(OLDEST),)}),
    ("stt.partial -> alter", STT, 1, ALTER, 0, "session", 1, {"overflow": (Overflow(OLDEST),)}),
    ("stt.final -> alter", STT, 2, ALTER, 0, "session", 1, {"age_ns_max": 50 * MS, "overflow": (Overflow(OLDEST),)}),
    (
        "stt.partial -> quick",
        STT,
        1,
        QUICK,
        0,
        "session",
        1,
        {"gather": Gather(40 * MS, "latest_partial"), "overflow": (Overflow(OLDEST),)},
    ),
    ("stt.final -> quick", STT, 2, QUICK, 0, "session", 1, {"overflow": (Overflow(OLDEST),)}),
    ("stt -> left", STT, 0, LEFT, 0, "turn", 3, {"items_max": 2, "overflow": (Overflow(OLDEST),)}),
    ("stt -> right", STT, 0, RIGHT, 0, "turn", 3, {"items_max": 2, "overflow": (Overflow(OLDEST),)}),
    ("ingress.audio -> stt", INGRESS, 0, STT, 0, "session", 0, {"bytes_max": 4 * 320, "overflow": (Overflow(OLDEST),)}),
)
EDGES = {name: id for id, (name, *_) in enumerate(FLOWS)}


def _edges(*names: str) -> tuple[int, ...]:
    return tuple(EDGES[name] for name in names)


RULES = {
    BEST: ("best", "turn", Join("highest", _edges("left -> best", "right -> best"), mask(8, 9), 60 * MS, "words")),
    LINES: ("lines", "turn", Join("priority", _edges("sorry -> lines", "best -> lines"))),
    BOTH: (
        "both",
        "turn",
        Join("timestamp", _edges("left.final -> both", "right.final -> both"), mask(10, 11), 40 * MS),
    ),
    STRICT: ("strict", "turn", Join("round_robin", _edges("right -> strict", "left.final -> strict"), mask(12, 13))),
    ALTER: (
        "alter",
        "session",
        Join("round_robin", _edges("stt.partial -> alter", "stt.final -> alter"), mask(14, 15), 30 * MS),
    ),
    QUICK: ("quick", "session", Join("first", _edges("stt.partial -> quick", "stt.final -> quick"), 0, 50 * MS)),
}


def _node(id: int, name: str, kind: str, execution: str, scope: str, **more: Any) -> Node:
    into = [edge for edge, flow in enumerate(FLOWS) if flow[3] == id]
    turn_scoped = {LEFT, RIGHT, SORRY, BEST, LINES, BOTH, STRICT, VOICE}
    return Node(
        id=id,
        name=name,
        kind=kind,
        execution=execution,
        scope=scope,
        line=id + 1,
        edges_in=tuple(into),
        upstream=mask(*({FLOWS[edge][1] for edge in into} & turn_scoped)) if scope == "turn" else 0,
        **more,
    )


def _nodes() -> tuple[Node, ...]:
    def model(id: int, name: str, error: int) -> Node:
        return _node(
            id, name, "llm", "effect", "turn", inputs=(PROMPT,), outputs=(TEXT, Port("final", "text", 200)),
            window=2, first_output_ns=500 * MS, event_error=error,
        )  # fmt: skip

    def join(id: int) -> Node:
        name, scope, rule = RULES[id]
        kind = "select" if rule.by in ("first", "highest") else "merge"
        into, out = Port("in", "text", 200), Port("out", "text", 200)
        return _node(id, name, kind, "kernel", scope, inputs=(into,), outputs=(out,), join=rule)

    hearing = (
        Port("utterance", "text", 300), Port("partial", "text", 200), Port("final", "text", 200),
        Port("speech_start", "event", 64), Port("speech_end", "event", 64),
    )  # fmt: skip
    return (
        _node(INGRESS, "ingress", "ingress", "boundary", "session", outputs=(AUDIO, TEXT)),
        _node(
            STT, "stt", "stt", "effect", "session", inputs=(AUDIO,), outputs=hearing, window=3, first_output_ns=300 * MS
        ),
        model(LEFT, "left", LEFT_ERROR),
        model(RIGHT, "right", -1),
        _node(SORRY, "sorry", "say", "kernel", "turn", outputs=(TEXT,), text="Sorry, once more please."),
        *(join(id) for id in (BEST, LINES, BOTH, STRICT, ALTER, QUICK)),
        _node(
            VOICE, "voice", "tts", "effect", "turn", inputs=(TEXT,), outputs=(AUDIO,), window=2,
            first_output_ns=300 * MS, chunk_ns=250 * MS,
        ),
        _node(WATCH, "watch", "tap", "kernel", "session", inputs=(Port("in", "any", 320),)),
        _node(EGRESS, "egress", "egress", "boundary", "turn", inputs=(AUDIO, TEXT)),
    )  # fmt: skip


def junction() -> Plan:
    """Two models race and take turns; partials and finals too."""
    rest = {"items_max": 4, "bytes_max": 600}
    edges = tuple(
        Edge(
            id=id,
            name=name,
            line=20 + id,
            source=source,
            source_port=port,
            target=target,
            target_port=into,
            scope=scope,
            pool=pool,
            **(rest | settings),
        )
        for id, (name, source, port, target, into, scope, pool, settings) in enumerate(FLOWS)
    )
    turn_nodes = (LEFT, RIGHT, SORRY, BEST, LINES, BOTH, STRICT, VOICE, EGRESS)
    return Plan(
        pipeline="stub_junction",
        pipeline_version="1.0.0",
        profile="simple/v1",
        template_hash="e" * 64,
        recording_level="L0",
        nodes=_nodes(),
        edges=edges,
        pools=(
            Pool("audio", 320, 8 + 4 + 16 + 6),
            Pool("text", 200, 15 * 4 + 16 + 8 + 6),
            Pool("sentence", 240, 4 + 16 + 6),
            Pool("utterance", 300, 2 + 2 + 16 + 6),
        ),
        events=(
            Event(START, "stt.speech_start", STT, 3),
            Event(END, "stt.speech_end", STT, 4),
            Event(LEFT_ERROR, "left.error", LEFT, -1),
        ),
        reactions=(
            Line(id=0, event=START, action=Action("cancel_turn"), line=50),
            Line(id=1, event=LEFT_ERROR, action=Action("trigger", SORRY), line=51),
        ),
        modes=(Mode(id=0, name="full", nodes_off=0, edges_off=0),),
        ingress=INGRESS,
        egress=EGRESS,
        turn_owner=END,
        recogniser=STT,
        speech_start=START,
        barge_in=-1,
        speech_nodes=mask(VOICE),
        turn_nodes=mask(*turn_nodes),
        turn_edges=mask(*(edge.id for edge in edges if edge.scope == "turn")),
        stages=turn_nodes,
        turn_ns=1500 * MS,
        turn_warning_ns=1200 * MS,
        turn_total_ns=10 * S,
        grace_ns=50 * MS,
        lead_ns=100 * MS,
        evidence_ns=400 * MS,
        audio_bytes_per_second=16_000,
        utterance_bytes_max=300,
        spoken_bytes_max=500,
        context_items_max=3,
        context_bytes_max=900,
        control_in_max=8,
        control_out_max=160,
        control_step_max=48,
        data_out_max=16,
        telemetry_out_max=8,
        ledger_max=6,
        memory_bytes=0,
        provider_bindings=(("stt", "stt"), ("left", "llm"), ("right", "llm"), ("voice", "tts")),
        paths=(
            PathBudget(
                id=0,
                name="left.delta -> lines.out",
                line=60,
                limit_ns=100 * MS,
                warning_ns=80 * MS,
                pushed=mask(*_edges("left -> best")),
                ends_node=LINES,
                edges=mask(*_edges("left -> best", "best -> lines")),
                nodes=mask(BEST, LINES),
                modes=1,
            ),
            PathBudget(
                id=1,
                name="stt.utterance -> both.in",
                line=61,
                limit_ns=450 * MS,
                warning_ns=360 * MS,
                pushed=mask(*_edges("stt -> left", "stt -> right")),
                ends_edges=mask(*_edges("left.final -> both", "right.final -> both")),
                edges=mask(*_edges("stt -> left", "stt -> right", "left.final -> both", "right.final -> both")),
                nodes=mask(LEFT, RIGHT),
                modes=1,
            ),
        ),
    )
