"""Edges that stand or fall together, or mark what is missing, by hand: see `plans`."""

from __future__ import annotations

from units import BLOCK, LATEST, MS, NEWEST, OLDEST, S, mask

from rspp_runtime.abi.plan import (
    Action,
    Edge,
    Event,
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

INGRESS, STT, BLINK, LLM, VOICE, LIPS, WATCH, EGRESS = range(8)
AUDIO, TEXT = Port("audio", "audio", 320), Port("text", "text", 200)
START, END, LIPS_ERROR, LLM_STARTED = range(4)
(SPEAKER, SCREEN, SHAPES, SHOWN, WINKS, NODS, TO_LIPS, TO_VOICE, TO_LLM, TO_BLINK, HEARD, METER, ECHO) = range(13)
"""Edges. Atomic are the first and SHAPES (by media time), SHOWN with TO_BLINK (by event), ECHO alone (by media time);
the gap is marked on HEARD and METER together, and on NODS alone."""


def _nodes() -> tuple[Node, ...]:
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
            edges_in=(HEARD,),
            window=3,
            first_output_ns=300 * MS,
        ),
        Node(
            id=BLINK,
            name="blink",
            kind="python",
            execution="kernel",
            scope="session",
            line=3,
            inputs=(TEXT,),
            outputs=(TEXT, Port("nod", "text", 80)),
            edges_in=(TO_BLINK,),
            handler=1,
            emissions_max=2,
        ),
        Node(
            id=LLM,
            name="llm",
            kind="llm",
            execution="effect",
            scope="turn",
            line=4,
            inputs=(Port("prompt", "text", 300),),
            outputs=(Port("delta", "text", 200),),
            edges_in=(TO_LLM,),
            window=2,
            first_output_ns=500 * MS,
            event_started=LLM_STARTED,
        ),
        Node(
            id=VOICE,
            name="voice",
            kind="tts",
            execution="effect",
            scope="turn",
            line=5,
            inputs=(TEXT,),
            outputs=(AUDIO,),
            edges_in=(TO_VOICE,),
            upstream=mask(LLM),
            window=2,
            first_output_ns=300 * MS,
            chunk_ns=250 * MS,
        ),
        Node(
            id=LIPS,
            name="lips",
            kind="python",
            execution="kernel",
            scope="turn",
            line=6,
            inputs=(AUDIO,),
            outputs=(AUDIO,),
            edges_in=(TO_LIPS,),
            upstream=mask(VOICE),
            handler=0,
            emissions_max=2,
            event_error=LIPS_ERROR,
        ),
        Node(
            id=WATCH,
            name="watch",
            kind="tap",
            execution="kernel",
            scope="session",
            line=7,
            inputs=(Port("in", "any", 320),),
            edges_in=(SHAPES, SHOWN, WINKS, NODS, METER, ECHO),
        ),
        Node(
            id=EGRESS,
            name="egress",
            kind="egress",
            execution="boundary",
            scope="turn",
            line=8,
            inputs=(AUDIO, TEXT),
            edges_in=(SPEAKER, SCREEN),
            upstream=mask(LLM, VOICE),
        ),
    )


_LIPS = Sync("lips", "atomic", "media", mask(SPEAKER, SHAPES))
_WORDS = Sync("words", "atomic", "event", mask(SHOWN, TO_BLINK))
_ECHO = Sync("echo", "atomic", "media", mask(ECHO))
_EARS = Sync("ears", "discontinuity", "event", mask(HEARD, METER))


def _edges() -> tuple[Edge, ...]:
    def edge(id: int, name: str, ends: tuple[int, int, int, int], scope: str, pool: int, **settings: object) -> Edge:
        source, source_port, target, target_port = ends
        return Edge(
            id=id,
            name=name,
            line=20 + id,
            source=source,
            source_port=source_port,
            target=target,
            target_port=target_port,
            scope=scope,
            pool=pool,
            **settings,  # type: ignore[arg-type]
        )

    oldest, newest, latest = (Overflow(OLDEST),), (Overflow(NEWEST),), (Overflow(LATEST),)
    few = {"items_max": 4, "bytes_max": 800}
    sound = {"items_max": 6, "bytes_max": 6 * 320}
    return (
        edge(SPEAKER, "voice -> egress.audio", (VOICE, 0, EGRESS, 0), "turn", 0,
             **sound, overflow=(Overflow(BLOCK, 60 * MS), Overflow(OLDEST)), sync=_LIPS,
             watermark=Watermark(high_items=4, low_items=1)),
        edge(SCREEN, "llm -> egress.text", (LLM, 0, EGRESS, 1), "turn", 1, **few, overflow=newest, flow="hybrid"),
        edge(SHAPES, "lips -> watch", (LIPS, 0, WATCH, 0), "turn", 0,
             **sound, overflow=oldest, sync=_LIPS, age_ns_max=400 * MS,
             telemetry="sample"),
        edge(SHOWN, "stt.partial -> watch", (STT, 1, WATCH, 0), "session", 1,
             **few, overflow=(Overflow("sample", keep_percent=80), Overflow(OLDEST)), sync=_WORDS),
        edge(WINKS, "blink -> watch", (BLINK, 0, WATCH, 0), "session", 1,
             **few, overflow=newest),
        edge(NODS, "blink.nod -> watch", (BLINK, 1, WATCH, 0), "session", 2, items_max=2, bytes_max=160,
             overflow=latest, sync=Sync("nods", "discontinuity", "event", mask(NODS))),
        edge(TO_LIPS, "voice -> lips", (VOICE, 0, LIPS, 0), "turn", 0, items_max=3, bytes_max=3 * 320,
             overflow=(Overflow(BLOCK, 40 * MS), Overflow(NEWEST)), flow="credit"),
        edge(TO_VOICE, "llm -> voice", (LLM, 0, VOICE, 0), "turn", 1,
             **few, overflow=(Overflow(BLOCK),), flow="credit"),
        edge(TO_LLM, "stt -> llm", (STT, 0, LLM, 0), "turn", 3, items_max=2, bytes_max=600, overflow=oldest),
        edge(TO_BLINK, "stt.partial -> blink", (STT, 1, BLINK, 0), "session", 1,
             **few, overflow=newest, sync=_WORDS, age_ns_max=50 * MS),
        edge(HEARD, "ingress.audio -> stt", (INGRESS, 0, STT, 0), "session", 0,
             **sound, overflow=oldest, sync=_EARS, age_ns_max=200 * MS),
        edge(METER, "ingress.audio -> watch", (INGRESS, 0, WATCH, 0), "session", 0,
             **sound, overflow=(Overflow("sample", keep_percent=60),), sync=_EARS,
             telemetry="drop"),
        edge(ECHO, "stt.final -> watch", (STT, 2, WATCH, 0), "session", 1,
             **few, overflow=oldest, sync=_ECHO),
    )  # fmt: skip


def studio() -> Plan:
    """A face that speaks, and what is shown of it."""
    return Plan(
        pipeline="stub_studio",
        pipeline_version="1.0.0",
        profile="simple/v1",
        template_hash="e" * 64,
        recording_level="L0",
        nodes=_nodes(),
        edges=_edges(),
        pools=(
            Pool("audio", 320, 6 + 6 + 3 + 6 + 6 + 48 + 64 + 6),
            Pool("text", 200, 6 * 4 + 48 + 64 + 6),
            Pool("nod", 80, 2 + 64 + 4),
            Pool("utterance", 300, 2 + 48 + 6),
        ),
        events=(
            Event(START, "stt.speech_start", STT, 3),
            Event(END, "stt.speech_end", STT, 4),
            Event(LIPS_ERROR, "lips.error", LIPS, -1),
            Event(LLM_STARTED, "llm.started", LLM, -1),
        ),
        reactions=(
            Reaction(id=0, event=START, action=Action("cancel_turn"), line=40),
            Reaction(id=1, event=LIPS_ERROR, action=Action("degrade", 1), line=41),
        ),
        modes=(
            Mode(id=0, name="full", nodes_off=0, edges_off=0),
            Mode(id=1, name="faceless", nodes_off=mask(LIPS), edges_off=mask(SHAPES, TO_LIPS)),
        ),
        ingress=INGRESS,
        egress=EGRESS,
        turn_owner=END,
        recogniser=STT,
        speech_start=START,
        barge_in=-1,
        speech_nodes=mask(VOICE),
        turn_nodes=mask(LLM, VOICE, LIPS, EGRESS),
        turn_edges=mask(SPEAKER, SCREEN, SHAPES, TO_LIPS, TO_VOICE, TO_LLM),
        stages=(LLM, VOICE, LIPS, EGRESS),
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
        control_step_max=40,
        data_out_max=16,
        telemetry_out_max=64,
        ledger_max=6,
        memory_bytes=0,
        provider_bindings=(("stt", "stt"), ("llm", "llm"), ("voice", "tts")),
    )
