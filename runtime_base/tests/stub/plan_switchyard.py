"""Edges that choose, thin out, join, wait and tell, by hand: see `plans`."""

from __future__ import annotations

from units import BLOCK, MS, NEWEST, OLDEST, S, mask

from rspp_runtime.abi.plan import (
    Action,
    Check,
    Edge,
    Event,
    Gather,
    Mode,
    Node,
    Overflow,
    Plan,
    Pool,
    Port,
    Reaction,
    Watermark,
)

INGRESS, STT, SHORT, LONG, SORRY, VOICE, WATCH, EGRESS = range(8)
AUDIO, TEXT = Port("audio", "audio", 320), Port("text", "text", 200)
START, END, SHORT_ERROR, LONG_TIMEOUT = range(4)

CONCAT, PARTIAL = Overflow("coalesce", rule="concat"), Overflow("coalesce", rule="latest_partial")
IS_SHORT = (Check("<=", "words", 2), Check("!=", "origin", 6), Check("and"))
IS_LONG = (*IS_SHORT, Check("not"))
IS_LOUD = (
    Check(">", "length", 60), Check("==", "final", 1), Check("or"),
    Check("<", "turn", 3), Check(">=", "length", 0, "words"), Check("and"), Check("and"),
    Check("==", "mode", 1), Check("never"), Check("or"), Check("or"),
)  # fmt: skip
"""A guard that reads every field, and a field that is missing outside of turns."""


def _nodes() -> tuple[Node, ...]:
    def model(id: int, name: str, line: int, edge: int) -> Node:
        return Node(
            id=id,
            name=name,
            kind="llm",
            execution="effect",
            scope="turn",
            line=line,
            inputs=(Port("prompt", "text", 300),),
            outputs=(Port("delta", "text", 200),),
            edges_in=(edge,),
            window=2,
            first_output_ns=500 * MS,
            event_error=SHORT_ERROR if id == SHORT else -1,
            event_timeout=LONG_TIMEOUT if id == LONG else -1,
        )

    return (
        Node(
            id=INGRESS,
            name="ingress",
            kind="ingress",
            execution="boundary",
            scope="session",
            line=1,
            outputs=(AUDIO, TEXT),
        ),
        Node(
            id=STT,
            name="stt",
            kind="stt",
            execution="effect",
            scope="session",
            line=2,
            inputs=(AUDIO,),
            outputs=(
                Port("utterance", "text", 300),
                Port("partial", "text", 200),
                Port("final", "text", 200),
                Port("speech_start", "event", 64),
                Port("speech_end", "event", 64),
            ),
            edges_in=(9,),
            window=3,
            first_output_ns=300 * MS,
        ),
        model(SHORT, "short", 3, 7),
        model(LONG, "long", 4, 8),
        Node(
            id=SORRY,
            name="sorry",
            kind="say",
            execution="kernel",
            scope="turn",
            line=5,
            outputs=(TEXT,),
            text="Sorry, once more please.",
        ),
        Node(
            id=VOICE,
            name="voice",
            kind="tts",
            execution="effect",
            scope="turn",
            line=6,
            inputs=(TEXT,),
            outputs=(AUDIO,),
            edges_in=(2, 3, 4),
            upstream=mask(SHORT, LONG, SORRY),
            window=2,
            first_output_ns=300 * MS,
            chunk_ns=250 * MS,
        ),
        Node(
            id=WATCH,
            name="watch",
            kind="tap",
            execution="kernel",
            scope="session",
            line=7,
            inputs=(Port("in", "any", 320),),
            edges_in=(5, 6, 10),
        ),
        Node(
            id=EGRESS,
            name="egress",
            kind="egress",
            execution="boundary",
            scope="turn",
            line=8,
            inputs=(AUDIO, TEXT),
            edges_in=(0, 1),
            upstream=mask(SHORT, LONG, VOICE),
        ),
    )


def _edges() -> tuple[Edge, ...]:
    ends = (
        ("voice -> egress.audio", VOICE, 0, EGRESS, 0, "turn", 0),
        ("long -> egress.text", LONG, 0, EGRESS, 1, "turn", 1),
        ("sorry -> voice", SORRY, 0, VOICE, 0, "turn", 1),
        ("short -> voice", SHORT, 0, VOICE, 0, "turn", 1),
        ("long -> voice", LONG, 0, VOICE, 0, "turn", 1),
        ("stt.partial -> watch", STT, 1, WATCH, 0, "session", 1),
        ("stt.final -> watch", STT, 2, WATCH, 0, "session", 1),
        ("stt -> short", STT, 0, SHORT, 0, "turn", 2),
        ("stt -> long", STT, 0, LONG, 0, "turn", 2),
        ("ingress.audio -> stt", INGRESS, 0, STT, 0, "session", 0),
        ("ingress.audio -> watch", INGRESS, 0, WATCH, 0, "session", 0),
    )
    settings: tuple[dict[str, object], ...] = (
        {
            "items_max": 8,
            "bytes_max": 8 * 320,
            "overflow": (Overflow(BLOCK),),
            "commit_point": True,
            "watermark": Watermark(high_items=6, low_items=2),
        },
        {
            "items_max": 4,
            "bytes_max": 400,
            "overflow": (CONCAT, Overflow(OLDEST)),
            "guard": IS_LOUD,
            "watermark": Watermark(high_ns=40 * MS, low_ns=10 * MS),
        },
        {"items_max": 2, "bytes_max": 400, "overflow": (Overflow(NEWEST),)},
        {"items_max": 3, "bytes_max": 600, "overflow": (Overflow(BLOCK, 60 * MS), CONCAT, Overflow(OLDEST))},
        {
            "items_max": 3,
            "bytes_max": 500,
            "overflow": (Overflow(BLOCK, 40 * MS), Overflow(NEWEST)),
            "guard": (Check(">", "words", 0), Check("==", "final", 0), Check("and")),
        },
        {
            "items_max": 4,
            "bytes_max": 600,
            "overflow": (PARTIAL, Overflow(OLDEST)),
            "gather": Gather(100 * MS, "latest_partial"),
            "age_ns_max": 400 * MS,
        },
        {
            "items_max": 2,
            "bytes_max": 400,
            "overflow": (PARTIAL, Overflow("sample", keep_percent=40)),
            "gather": Gather(70 * MS, "concat"),
            "watermark": Watermark(high_items=2, low_items=1, high_ns=50 * MS, low_ns=0),
        },
        {"items_max": 2, "bytes_max": 600, "overflow": (PARTIAL, Overflow(OLDEST)), "guard": IS_SHORT},
        {
            "items_max": 2,
            "bytes_max": 600,
            "overflow": (PARTIAL, Overflow("sample", keep_percent=75)),
            "guard": IS_LONG,
        },
        {
            "items_max": 4,
            "bytes_max": 4 * 320,
            "overflow": (Overflow(BLOCK, 30 * MS), Overflow("sample", keep_percent=30)),
        },
        {
            "items_max": 4,
            "bytes_max": 4 * 320,
            "overflow": (Overflow("sample", keep_percent=60),),
            "guard": (Check(">=", "length", 300),),
            "age_ns_max": 30 * MS,
        },
    )
    return tuple(
        Edge(
            id=id,
            name=name,
            line=20 + id,
            source=source,
            source_port=source_port,
            target=target,
            target_port=target_port,
            scope=scope,
            pool=pool,
            **settings[id],  # type: ignore[arg-type]
        )
        for id, (name, source, source_port, target, target_port, scope, pool) in enumerate(ends)
    )


def switchyard() -> Plan:
    """Two models that share the questions, and an edge of every kind that the others lack."""
    return Plan(
        pipeline="stub_switchyard",
        pipeline_version="1.0.0",
        profile="simple/v1",
        template_hash="c" * 64,
        recording_level="L0",
        nodes=_nodes(),
        edges=_edges(),
        pools=(
            Pool("audio", 320, 8 + 4 + 4 + 16 + 8 + 6),
            Pool("text", 200, 4 + 2 + 3 + 3 + 4 + 2 + 16 + 8 + 6),
            Pool("utterance", 300, 2 + 2 + 16 + 6),
        ),
        events=(
            Event(START, "stt.speech_start", STT, 3),
            Event(END, "stt.speech_end", STT, 4),
            Event(SHORT_ERROR, "short.error", SHORT, -1),
            Event(LONG_TIMEOUT, "long.timeout", LONG, -1),
        ),
        reactions=(
            Reaction(id=0, event=START, action=Action("cancel_turn"), line=40),
            Reaction(id=1, event=SHORT_ERROR, action=Action("trigger", SORRY), line=41),
            Reaction(id=2, event=LONG_TIMEOUT, action=Action("degrade", 1), line=42),
        ),
        modes=(
            Mode(id=0, name="full", nodes_off=0, edges_off=0),
            Mode(id=1, name="written", nodes_off=mask(VOICE), edges_off=mask(0, 2, 3, 4)),
        ),
        ingress=INGRESS,
        egress=EGRESS,
        turn_owner=END,
        recogniser=STT,
        speech_start=START,
        barge_in=-1,
        speech_nodes=mask(VOICE),
        turn_nodes=mask(SHORT, LONG, SORRY, VOICE, EGRESS),
        turn_edges=mask(0, 1, 2, 3, 4, 7, 8),
        stages=(SHORT, LONG, SORRY, VOICE, EGRESS),
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
        control_out_max=120,
        control_step_max=40,
        data_out_max=16,
        telemetry_out_max=8,
        ledger_max=6,
        memory_bytes=0,
        provider_bindings=(("stt", "stt"), ("short", "llm"), ("long", "llm"), ("voice", "tts")),
    )
