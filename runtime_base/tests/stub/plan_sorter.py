"""Labels on every way an item can take, by hand: see `plans`."""

from __future__ import annotations

from typing import Any

from units import BLOCK, LATEST, MS, NEWEST, OLDEST, S, mask

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.plan import (
    Action,
    Check,
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
    Reaction,
    Sync,
    Watermark,
)

INGRESS, TUNED, NEAR, STT, FINE, COARSE, BOTH, ASKED, AGAIN, LLM, DRAFT, REPLY, VOICE, LOUD, WATCH, EGRESS = range(16)
AUDIO, TEXT, PROMPT = Port("audio", "audio", 320), Port("text", "text", 200), Port("prompt", "text", 300)
START, END = range(2)
LABELS = {TUNED: 3, NEAR: 4, FINE: 1, COARSE: 2, ASKED: 6, AGAIN: 7, DRAFT: 5, REPLY: 65_535, LOUD: 9}
(SPEAKER, SCREEN, AIR, TO_VOICE, BARE, LONG, ANY_DRAFT, FIRST_DRAFT, TO_LLM, ONCE_MORE, TO_ASKED, SEEN, SORTED, OTHER,
 FROM_FINE, FROM_COARSE, TO_FINE, TO_COARSE, TO_STT, TO_NEAR, HEARD) = range(21)  # fmt: skip
"""Edges. An item is a label's alone on all but SEEN and TO_FINE, BARE, ANY_DRAFT and FIRST_DRAFT. FROM_FINE has
a pool of its own. What need not wait passes over TO_NEAR and ONCE_MORE without a stop."""


def _labelled(value: int) -> tuple[Check, ...]:
    return (Check("==", "label", value),)


_EARS = Sync("ears", "discontinuity", "event", mask(HEARD))
# name, source, its port, target, its port, scope, pool, settings
FLOWS: tuple[tuple[str, int, int, int, int, str, int, dict[str, Any]], ...] = (
    ("loud -> egress.audio", LOUD, 0, EGRESS, 0, "turn", 0,
     {"items_max": 3, "bytes_max": 3 * 320, "overflow": (Overflow(BLOCK),), "commit_point": True}),
    ("reply -> egress.text", REPLY, 0, EGRESS, 1, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    ("voice -> loud", VOICE, 0, LOUD, 0, "turn", 0,
     {"bytes_max": 4 * 320, "overflow": (Overflow(BLOCK, 60 * MS), Overflow(NEWEST))}),
    ("reply -> voice", REPLY, 0, VOICE, 0, "turn", 2,
     {"handoff": Handoff(80 * MS, 240), "bytes_max": 1000, "overflow": (Overflow(OLDEST),)}),
    ("llm -> voice", LLM, 0, VOICE, 0, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    ("draft -> reply", DRAFT, 0, REPLY, 0, "turn", 1, {"watermark": Watermark(high_items=2, low_items=0)}),
    ("llm -> watch", LLM, 0, WATCH, 0, "turn", 1, {"items_max": 2, "overflow": (Overflow(NEWEST),)}),
    ("llm -> draft", LLM, 0, DRAFT, 0, "turn", 1, {"overflow": (Overflow(BLOCK, 60 * MS), Overflow(OLDEST))}),
    ("again -> llm", AGAIN, 0, LLM, 0, "turn", 3, {"items_max": 2, "guard": _labelled(7)}),
    ("asked -> again", ASKED, 0, AGAIN, 0, "turn", 3, {"items_max": 2, "overflow": (Overflow(BLOCK),)}),
    ("stt -> asked", STT, 0, ASKED, 0, "turn", 3, {"items_max": 2, "overflow": (Overflow(OLDEST),)}),
    ("stt.partial -> watch", STT, 1, WATCH, 0, "session", 1, {"overflow": (Overflow(LATEST),)}),
    ("both -> watch", BOTH, 0, WATCH, 0, "session", 1, {"guard": _labelled(1), "overflow": (Overflow(NEWEST),)}),
    ("both -> watch", BOTH, 0, WATCH, 0, "session", 1,
     {"guard": (Check("!=", "label", 1), Check(">", "label", 0), Check("and")), "overflow": (Overflow(OLDEST),)}),
    ("fine -> both", FINE, 0, BOTH, 0, "session", 4,
     {"gather": Gather(20 * MS, "concat"), "overflow": (Overflow(OLDEST),)}),
    ("coarse -> both", COARSE, 0, BOTH, 0, "session", 1, {"overflow": (Overflow(LATEST),)}),
    ("stt.partial -> fine", STT, 1, FINE, 0, "session", 1, {"overflow": (Overflow(OLDEST),)}),
    ("stt.final -> coarse", STT, 2, COARSE, 0, "session", 1,
     {"age_ns_max": 50 * MS, "overflow": (Overflow(OLDEST),)}),
    ("near -> stt", NEAR, 0, STT, 0, "session", 0,
     {"age_ns_max": 90 * MS, "bytes_max": 4 * 320, "overflow": (Overflow(OLDEST),)}),
    ("tuned -> near", TUNED, 0, NEAR, 0, "session", 0,
     {"age_ns_max": 60 * MS, "bytes_max": 4 * 320, "overflow": (Overflow(OLDEST),)}),
    ("ingress.audio -> tuned", INGRESS, 0, TUNED, 0, "session", 0,
     {"items_max": 3, "bytes_max": 4 * 320, "overflow": (Overflow("sample", keep_percent=80), Overflow(OLDEST)),
      "sync": _EARS}),
)  # fmt: skip
TURN_NODES = (ASKED, AGAIN, LLM, DRAFT, REPLY, VOICE, LOUD, EGRESS)


def _nodes() -> tuple[Node, ...]:
    def node(id: int, name: str, kind: str, execution: str, **more: Any) -> Node:
        into = [edge for edge, flow in enumerate(FLOWS) if flow[3] == id]
        in_turn = id in TURN_NODES
        above = mask(*({FLOWS[edge][1] for edge in into} & set(TURN_NODES)))
        return Node(
            id=id, name=name, kind=kind, execution=execution, scope="turn" if in_turn else "session", line=id + 1,
            edges_in=tuple(into), upstream=above if in_turn else 0, **more,
        )  # fmt: skip

    def label(id: int, name: str, port: Port) -> Node:
        return node(id, name, "label", "kernel", inputs=(port,), outputs=(port,), label=LABELS[id])

    hearing = (
        Port("utterance", "text", 300), Port("partial", "text", 200), Port("final", "text", 200),
        Port("speech_start", "event", 64), Port("speech_end", "event", 64),
    )  # fmt: skip
    order = Join("priority", (FROM_COARSE, FROM_FINE))
    return (
        node(INGRESS, "ingress", "ingress", "boundary", outputs=(AUDIO, TEXT)),
        label(TUNED, "tuned", AUDIO),
        label(NEAR, "near", AUDIO),
        node(STT, "stt", "stt", "effect", inputs=(AUDIO,), outputs=hearing, window=3, first_output_ns=300 * MS),
        label(FINE, "fine", TEXT),
        label(COARSE, "coarse", TEXT),
        node(BOTH, "both", "merge", "kernel", inputs=(TEXT,), outputs=(TEXT,), join=order),
        label(ASKED, "asked", PROMPT),
        label(AGAIN, "again", PROMPT),
        node(LLM, "llm", "llm", "effect", inputs=(PROMPT,), outputs=(TEXT,), window=2, first_output_ns=500 * MS),
        label(DRAFT, "draft", TEXT),
        label(REPLY, "reply", TEXT),
        node(
            VOICE, "voice", "tts", "effect", inputs=(TEXT,), outputs=(AUDIO,), window=2,
            first_output_ns=300 * MS, chunk_ns=250 * MS,
        ),
        label(LOUD, "loud", AUDIO),
        node(WATCH, "watch", "tap", "kernel", inputs=(Port("in", "any", 320),)),
        node(EGRESS, "egress", "egress", "boundary", inputs=(AUDIO, TEXT)),
    )  # fmt: skip


def sorter() -> Plan:
    """Every item has a label that tells which way it came."""
    rest = {"items_max": 4, "bytes_max": 800}
    edges = tuple(
        Edge(
            id=id, name=name, line=20 + id, source=source, source_port=port, target=target, target_port=into,
            scope=scope, pool=pool, **(rest | settings),
        )
        for id, (name, source, port, target, into, scope, pool, settings) in enumerate(FLOWS)
    )  # fmt: skip
    return Plan(
        pipeline="stub_sorter",
        pipeline_version="1.0.0",
        profile="simple/v1",
        template_hash="d" * 64,
        recording_level="L0",
        nodes=_nodes(),
        edges=edges,
        pools=(
            Pool("audio", 320, 3 + 4 + 4 + 4 + 3 + 16 + 6),
            Pool("text", 200, 9 * 4 + 2 + 16 + 8 + 6),
            Pool("sentence", 240, 4 + 16 + 6),
            Pool("utterance", 300, 2 + 2 + 2 + 16 + 6),
            Pool("shown", 200, 4 + 8 + 6),
        ),
        events=(Event(START, "stt.speech_start", STT, 3), Event(END, "stt.speech_end", STT, 4)),
        reactions=(
            Reaction(id=0, event=START, action=Action("cancel_turn"), line=50),
            Reaction(id=1, event=START, action=Action("degrade", 1), line=51),
        ),
        modes=(
            Mode(id=0, name="full", nodes_off=0, edges_off=0),
            Mode(id=1, name="silent", nodes_off=mask(VOICE, LOUD), edges_off=mask(TO_VOICE, BARE, AIR, SPEAKER)),
        ),
        ingress=INGRESS,
        egress=EGRESS,
        turn_owner=END,
        recogniser=STT,
        speech_start=START,
        barge_in=-1,
        speech_nodes=mask(VOICE),
        turn_nodes=mask(*TURN_NODES),
        turn_edges=mask(*(edge.id for edge in edges if edge.scope == "turn")),
        stages=TURN_NODES,
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
        provider_bindings=(("stt", "stt"), ("llm", "llm"), ("voice", "tts")),
        paths=(
            PathBudget(
                id=0,
                name="llm.delta -> reply.out",
                line=60,
                limit_ns=100 * MS,
                warning_ns=80 * MS,
                pushed=mask(FIRST_DRAFT),
                ends_node=REPLY,
                edges=mask(FIRST_DRAFT, LONG),
                nodes=mask(DRAFT, REPLY),
                modes=3,
            ),
        ),
    )
