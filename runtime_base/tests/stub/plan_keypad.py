"""Keys, buttons, clocks and pauses; and a pipeline in which people only type, by hand: see `plans`."""

from __future__ import annotations

from typing import Any

from units import BLOCK, LATEST, MS, NEWEST, OLDEST, S, mask

from rspp_runtime.abi.plan import (
    Action,
    Check,
    Clock,
    Edge,
    Event,
    Keys,
    Mode,
    Node,
    Overflow,
    Pause,
    Plan,
    Pool,
    Port,
    Reaction,
)

INGRESS, STT, PAUSES, PIN, HINT, TICK, LIMIT, LLM, TIME, VOICE, WATCH, EGRESS = range(12)
AUDIO, TEXT, KEY, PROMPT = (
    Port("audio", "audio", 320),
    Port("text", "text", 200),
    Port("dtmf", "event", 16),
    Port("prompt", "text", 300),
)
DTMF, DOWN, UP, START, SPEECH_END, PIN_LATE, TICKED, LIMITED, CONNECTED = range(9)

Flow = tuple[str, int, int, int, int, str, int, dict[str, Any]]
# name, source, its port, target, its port, scope, pool, settings
FLOWS: tuple[Flow, ...] = (
    ("voice -> egress.audio", VOICE, 0, EGRESS, 0, "turn", 0, {"bytes_max": 4 * 320, "overflow": (Overflow(BLOCK),)}),
    ("llm -> voice", LLM, 0, VOICE, 0, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
    ("time -> voice", TIME, 0, VOICE, 0, "turn", 1, {"overflow": (Overflow(NEWEST),)}),
    ("hint -> watch", HINT, 0, WATCH, 0, "session", 3, {"items_max": 2, "overflow": (Overflow(LATEST),)}),
    ("stt -> llm", STT, 0, LLM, 0, "turn", 4, {"overflow": (Overflow(OLDEST),)}),
    ("pin -> llm", PIN, 0, LLM, 0, "turn", 3, {"items_max": 2, "overflow": (Overflow(OLDEST),)}),
    ("stt.partial -> pauses", STT, 1, PAUSES, 0, "session", 1, {"overflow": (Overflow(LATEST),)}),
    ("ingress.dtmf -> pin", INGRESS, 2, PIN, 0, "session", 2, {"overflow": (Overflow(OLDEST),)}),
    (
        "ingress.dtmf -> hint",
        INGRESS,
        2,
        HINT,
        0,
        "session",
        2,
        {"age_ns_max": 90 * MS, "overflow": (Overflow(BLOCK, 40 * MS), Overflow(NEWEST))},
    ),
    ("ingress.audio -> stt", INGRESS, 0, STT, 0, "session", 0, {"bytes_max": 4 * 320, "overflow": (Overflow(OLDEST),)}),
)


def _node(flows: tuple[Flow, ...], id: int, name: str, kind: str, execution: str, scope: str, **more: Any) -> Node:
    into = tuple(edge for edge, flow in enumerate(flows) if flow[3] == id)
    return Node(id=id, name=name, kind=kind, execution=execution, scope=scope, line=id + 1, edges_in=into, **more)


def _edges(flows: tuple[Flow, ...]) -> tuple[Edge, ...]:
    rest: dict[str, Any] = {"items_max": 4, "bytes_max": 1200}
    return tuple(
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
        for id, (name, source, port, target, into, scope, pool, settings) in enumerate(flows)
    )


LIMITS: dict[str, Any] = {
    "profile": "simple/v1",
    "pipeline_version": "1.0.0",
    "recording_level": "L0",
    "modes": (Mode(id=0, name="full", nodes_off=0, edges_off=0),),
    "ingress": INGRESS,
    "turn_ns": 1500 * MS,
    "turn_warning_ns": 1200 * MS,
    "turn_total_ns": 10 * S,
    "grace_ns": 50 * MS,
    "lead_ns": 100 * MS,
    "evidence_ns": 400 * MS,
    "audio_bytes_per_second": 16_000,
    "utterance_bytes_max": 300,
    "spoken_bytes_max": 500,
    "context_items_max": 3,
    "context_bytes_max": 900,
    "control_in_max": 8,
    "control_out_max": 120,
    "control_step_max": 36,
    "data_out_max": 16,
    "telemetry_out_max": 8,
    "ledger_max": 6,
    "memory_bytes": 0,
}


MODES = (
    *LIMITS["modes"],
    # Keys go nowhere: every edge of their port is off, and a reaction still names them.
    Mode(id=1, name="locked", nodes_off=mask(PIN, HINT), edges_off=mask(3, 5, 7, 8)),
)


def keypad() -> Plan:
    """Hears, and is keyed: an end-pointer owns the end of what is said, a collector makes turns of keys.

    While a button is up, keys are locked (not before one was released).
    """

    def node(*args: Any, **more: Any) -> Node:
        return _node(FLOWS, *args, **more)

    hearing = (Port("utterance", "text", 300), Port("partial", "text", 200), Port("final", "text", 200))
    start = (Port("speech_start", "event", 64),)
    edges = _edges(FLOWS)
    nodes = (
        node(INGRESS, "ingress", "ingress", "boundary", "session", outputs=(AUDIO, TEXT, KEY)),
        node(
            STT, "stt", "stt", "effect", "session", inputs=(AUDIO,), outputs=(*hearing, *start), window=3,
            first_output_ns=300 * MS,
        ),
        node(
            PAUSES, "pauses", "endpointer", "kernel", "session", inputs=(TEXT,), pause=Pause(60 * MS, 250 * MS),
            event_own=SPEECH_END,
        ),
        node(
            PIN, "pin", "collect", "kernel", "session", inputs=(KEY,), outputs=(Port("text", "text", 64),),
            keys=Keys(3, ord("#"), 400 * MS, True), event_timeout=PIN_LATE,
        ),
        node(
            HINT, "hint", "collect", "kernel", "session", inputs=(KEY,), outputs=(Port("text", "text", 64),),
            keys=Keys(64, -1, 150 * MS, False),
        ),
        node(TICK, "tick", "timer", "kernel", "session", clock=Clock(700 * MS, 700 * MS), event_own=TICKED),
        node(LIMIT, "limit", "timer", "kernel", "session", clock=Clock(2 * S), event_own=LIMITED),
        node(
            LLM, "llm", "llm", "effect", "turn", inputs=(PROMPT,), outputs=(TEXT,), window=2, first_output_ns=500 * MS
        ),
        node(TIME, "time", "say", "kernel", "turn", outputs=(TEXT,), text="Time is up."),
        node(
            VOICE, "voice", "tts", "effect", "turn", inputs=(TEXT,), outputs=(AUDIO,), window=2,
            first_output_ns=300 * MS, chunk_ns=250 * MS, upstream=mask(LLM, TIME),
        ),
        node(WATCH, "watch", "tap", "kernel", "session", inputs=(Port("in", "any", 320),)),
        node(EGRESS, "egress", "egress", "boundary", "turn", inputs=(AUDIO, TEXT), upstream=mask(VOICE)),
    )  # fmt: skip
    turn_nodes = (LLM, TIME, VOICE, EGRESS)
    return Plan(
        pipeline="stub_keypad",
        template_hash="f" * 64,
        nodes=nodes,
        edges=edges,
        pools=(
            Pool("audio", 320, 4 + 4 + 16 + 6),
            Pool("text", 200, 4 * 4 + 16 + 6),
            Pool("key", 16, 8 + 6),
            Pool("pin", 64, 4 + 16 + 8 + 6),
            Pool("utterance", 300, 4 + 16 + 6),
        ),
        events=(
            Event(DTMF, "ingress.dtmf", INGRESS, 2),
            Event(DOWN, "ingress.button_down", INGRESS, -1),
            Event(UP, "ingress.button_up", INGRESS, -1),
            Event(START, "stt.speech_start", STT, 3),
            Event(SPEECH_END, "pauses.speech_end", PAUSES, -1),
            Event(PIN_LATE, "pin.timeout", PIN, -1),
            Event(TICKED, "tick.fired", TICK, -1),
            Event(LIMITED, "limit.fired", LIMIT, -1),
            Event(CONNECTED, "session.connected", -1, -1),
        ),
        reactions=(
            Reaction(id=0, event=DOWN, action=Action("cancel_turn"), line=50),
            Reaction(id=1, event=UP, action=Action("end_utterance"), line=51),
            Reaction(id=2, event=PIN_LATE, action=Action("trigger", TIME), line=52),
            Reaction(id=3, event=TICKED, action=Action("trigger", TIME), line=53),
            Reaction(id=4, event=LIMITED, action=Action("cancel_node", VOICE), line=54),
            Reaction(id=5, event=DTMF, action=Action("cancel_node", LLM), line=55),
            Reaction(id=6, event=CONNECTED, action=Action("trigger", TIME), line=56),
            Reaction(id=7, event=UP, action=Action("enter", 1), line=57),
            Reaction(id=8, event=DOWN, action=Action("enter", 0), line=58),
        ),
        egress=EGRESS,
        turn_owner=SPEECH_END,
        recogniser=STT,
        speech_start=START,
        barge_in=-1,
        speech_nodes=mask(VOICE),
        turn_nodes=mask(*turn_nodes),
        turn_edges=mask(*(edge.id for edge in edges if edge.scope == "turn")),
        stages=turn_nodes,
        provider_bindings=(("stt", "stt"), ("llm", "llm"), ("voice", "tts")),
        **LIMITS | {"modes": MODES},
    )


FIND, WRITER, PAGE, LOST = 1, 2, 3, 4
TYPED: tuple[Flow, ...] = (
    ("writer -> egress.text", WRITER, 0, PAGE, 1, "turn", 0, {"overflow": (Overflow(OLDEST),)}),
    ("find -> writer", FIND, 0, WRITER, 0, "turn", 0, {"overflow": (Overflow(BLOCK, 50 * MS), Overflow(OLDEST))}),
    ("ingress.text -> find", INGRESS, 1, FIND, 0, "turn", 1, {"overflow": (Overflow(OLDEST),)}),
)


def typist() -> Plan:
    """Nobody speaks: what is typed is looked up by a Python node that waits, and answered by a model on a page.

    What could not be looked up is shown.
    """
    edges = _edges(TYPED)
    return Plan(
        pipeline="stub_typist",
        template_hash="a" * 63 + "b",
        nodes=(
            _node(TYPED, INGRESS, "ingress", "ingress", "boundary", "session", outputs=(AUDIO, TEXT)),
            _node(
                TYPED, FIND, "find", "python", "effect", "turn", inputs=(PROMPT,), outputs=(TEXT,), window=3,
                first_output_ns=120 * MS, emissions_max=2, event_timeout=0, event_error=1, letters=3,
            ),
            _node(
                TYPED, WRITER, "writer", "llm", "effect", "turn", inputs=(PROMPT,), outputs=(TEXT,), window=2,
                first_output_ns=500 * MS, upstream=mask(FIND),
            ),
            _node(
                TYPED, PAGE, "egress", "egress", "boundary", "turn", inputs=(AUDIO, TEXT), upstream=mask(WRITER)
            ),
            _node(TYPED, LOST, "lost", "tap", "kernel", "session", inputs=(Port("in", "any", 300),)),
        ),
        edges=edges,
        pools=(Pool("text", 200, 8 + 16 + 6), Pool("utterance", 300, 4 + 16 + 6 + 3 + 8)),
        events=(Event(0, "find.timeout", FIND, -1), Event(1, "find.error", FIND, -1)),
        reactions=(
            Reaction(id=0, event=0, action=Action("cancel_node", WRITER), line=50),
            Reaction(id=1, event=0, action=Action("show", LOST), line=51),
            Reaction(id=2, event=1, action=Action("show", LOST), line=51),
            Reaction(id=3, event=0, action=Action("enter", 1), line=52, guard=(Check("==", "turn", 2),)),
            Reaction(id=4, event=1, action=Action("enter", 0), line=53, guard=(Check(">", "turn", 2),)),
        ),
        egress=PAGE,
        turn_owner=-1,
        recogniser=-1,
        speech_start=-1,
        barge_in=-1,
        speech_nodes=0,
        turn_nodes=mask(FIND, WRITER, PAGE),
        turn_edges=mask(0, 1, 2),
        stages=(FIND, WRITER, PAGE),
        provider_bindings=(("find", "python"), ("writer", "llm")),
        **LIMITS | {"modes": (*LIMITS["modes"], Mode(id=1, name="blind", nodes_off=mask(LOST), edges_off=0))},
    )  # fmt: skip
