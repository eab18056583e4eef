"""Two plans by hand, so that the runtime is tested without the compiler.

`assistant` is a voice assistant with everything a conversation has: greeting, fallback, captions, a hand-off by sentence,
text beside the voice, a mode without voice. `workshop` has the rest: Python nodes of both scopes, a recogniser that owns
the turn's end, edges that block for ever or are off the common path, reactions of every verb. Bounds are small on
purpose: queues fill, texts overflow, the conversation forgets.
"""

from __future__ import annotations

from rspp_runtime.abi.plan import Action, Edge, Event, Handoff, Mode, Node, Overflow, Plan, Pool, Port, Reaction

MS = 1_000_000
S = 1_000_000_000
BLOCK, OLDEST, NEWEST, LATEST = "block", "drop_oldest", "drop_newest", "latest_only"


def mask(*bits: int) -> int:
    """The integer with these bits set."""
    return sum(1 << bit for bit in bits)


def assistant() -> Plan:
    """Hears, thinks, speaks; stops when interrupted; goes on in writing when the voice fails."""
    ingress, ears, stt, captions, llm, sorry, hello, voice, egress = range(9)
    audio, text, small = Port("audio", "audio", 640), Port("text", "text", 256), 256
    connected, speech_start, speech_end, idle, barge_in, llm_error, llm_timeout, stt_error, voice_error = range(9)
    nodes = (
        Node(id=ingress, name="ingress", kind="ingress", execution="boundary", scope="session", line=1, outputs=(audio, text)),
        Node(
            id=ears, name="ears", kind="vad", execution="effect", scope="session", line=2, inputs=(audio,),
            outputs=(
                Port("speech", "audio", 640), Port("speech_start", "event", 64), Port("speech_end", "event", 64),
                Port("idle", "event", 64),
            ),
            edges_in=(8,), window=4,
        ),
        Node(
            id=stt, name="stt", kind="stt", execution="effect", scope="session", line=3, inputs=(audio,),
            outputs=(Port("utterance", "text", 400), Port("partial", "text", small), Port("final", "text", small)),
            edges_in=(7,), window=4, first_output_ns=300 * MS, event_error=stt_error,
        ),
        Node(
            id=captions, name="captions", kind="tap", execution="kernel", scope="session", line=4,
            inputs=(Port("in", "any", small),), edges_in=(6,),
        ),
        Node(
            id=llm, name="llm", kind="llm", execution="effect", scope="turn", line=5, inputs=(Port("prompt", "text", 400),),
            outputs=(Port("delta", "text", small),), edges_in=(5,), window=2, first_output_ns=800 * MS, chunk_ns=400 * MS,
            event_error=llm_error, event_timeout=llm_timeout,
        ),
        Node(
            id=sorry, name="sorry", kind="say", execution="kernel", scope="turn", line=6, outputs=(text,),
            text="Sorry, could you say that again?",
        ),
        Node(
            id=hello, name="hello", kind="say", execution="kernel", scope="turn", line=7, outputs=(text,),
            text="Grüß Gott!",
        ),
        Node(
            id=voice, name="voice", kind="tts", execution="effect", scope="turn", line=8, inputs=(text,), outputs=(audio,),
            edges_in=(2, 3, 4), upstream=mask(llm, sorry, hello), window=2, first_output_ns=300 * MS, chunk_ns=250 * MS,
            event_error=voice_error,
        ),
        Node(
            id=egress, name="egress", kind="egress", execution="boundary", scope="turn", line=9, inputs=(audio, text),
            edges_in=(0, 1), upstream=mask(llm, voice),
        ),
    )
    audio_pool, utterance_pool, text_pool, sentence_pool = range(4)

    def edge(id: int, name: str, source: int, source_port: int, target: int, target_port: int, scope: str, pool: int,
             items: int, size: int, *order: Overflow, age: int = 0, handoff: Handoff | None = None) -> Edge:
        return Edge(
            id=id, name=name, line=20 + id, source=source, source_port=source_port, target=target,
            target_port=target_port, scope=scope, pool=pool, items_max=items, bytes_max=size, age_ns_max=age,
            overflow=order, handoff=handoff, commit_point=id == 0,
        )

    edges = (
        edge(0, "voice -> egress.audio", voice, 0, egress, 0, "turn", audio_pool, 12, 12 * 640, Overflow(BLOCK, 500 * MS)),
        edge(1, "llm.delta -> egress.text", llm, 0, egress, 1, "turn", text_pool, 4, 1024, Overflow(OLDEST)),
        edge(2, "hello -> voice", hello, 0, voice, 0, "turn", text_pool, 1, 256, Overflow(NEWEST)),
        edge(3, "sorry -> voice", sorry, 0, voice, 0, "turn", text_pool, 2, 512, Overflow(NEWEST)),
        edge(
            4, "llm -> voice", llm, 0, voice, 0, "turn", sentence_pool, 3, 1024, Overflow(BLOCK, 100 * MS), Overflow(OLDEST),
            handoff=Handoff(150 * MS, 300),
        ),
        edge(5, "stt -> llm", stt, 0, llm, 0, "turn", utterance_pool, 2, 800, Overflow(OLDEST)),
        edge(6, "stt.partial -> captions", stt, 1, captions, 0, "session", text_pool, 4, 1024, Overflow(LATEST)),
        edge(
            7, "ears -> stt", ears, 0, stt, 0, "session", audio_pool, 6, 6 * 640, Overflow(OLDEST), age=200 * MS,
        ),
        edge(
            8, "ingress.audio -> ears", ingress, 0, ears, 0, "session", audio_pool, 4, 4 * 640,
            Overflow(BLOCK, 40 * MS), Overflow(OLDEST), age=400 * MS,
        ),
    )
    return Plan(
        pipeline="stub_assistant", pipeline_version="1.0.0", profile="simple/v1", template_hash="a" * 64,
        recording_level="L0", nodes=nodes, edges=edges,
        pools=(
            Pool("audio", 640, 12 + 6 + 4 + 24 + 4), Pool("utterance", 400, 2 + 24 + 4),
            Pool("text", 256, 4 + 1 + 2 + 4 + 24 + 12 + 4), Pool("sentence", 304, 3 + 24 + 4),
        ),
        events=(
            Event(connected, "session.connected", -1, -1), Event(speech_start, "ears.speech_start", ears, 1),
            Event(speech_end, "ears.speech_end", ears, 2), Event(idle, "ears.idle", ears, 3),
            Event(barge_in, "ears.barge_in", ears, -1), Event(llm_error, "llm.error", llm, -1),
            Event(llm_timeout, "llm.timeout", llm, -1), Event(stt_error, "stt.error", stt, -1),
            Event(voice_error, "voice.error", voice, -1),
        ),
        reactions=(
            Reaction(id=0, event=connected, action=Action("trigger", hello), line=40),
            Reaction(id=1, event=barge_in, action=Action("cancel_turn"), line=41),
            Reaction(id=2, event=llm_timeout, action=Action("trigger", sorry), line=42),
            Reaction(id=3, event=llm_error, action=Action("trigger", sorry), line=42),
            Reaction(id=4, event=stt_error, action=Action("trigger", sorry), line=42),
            Reaction(id=5, event=voice_error, action=Action("degrade", 1), line=43),
            Reaction(id=6, event=idle, action=Action("cancel_node", llm), line=44),
        ),
        modes=(
            Mode(id=0, name="full", nodes_off=0, edges_off=0),
            Mode(id=1, name="text_only", nodes_off=mask(voice), edges_off=mask(0, 2, 3, 4)),
        ),
        ingress=ingress, egress=egress, turn_owner=speech_end, recogniser=stt, speech_start=speech_start,
        barge_in=barge_in, speech_nodes=mask(voice), turn_nodes=mask(llm, sorry, hello, voice, egress),
        turn_edges=mask(0, 1, 2, 3, 4, 5), stages=(llm, sorry, hello, voice, egress),
        turn_ns=2 * S, turn_warning_ns=1600 * MS, turn_total_ns=20 * S, grace_ns=75 * MS, lead_ns=200 * MS,
        evidence_ns=500 * MS, audio_bytes_per_second=32_000,
        utterance_bytes_max=400, spoken_bytes_max=300, context_items_max=4, context_bytes_max=600,
        control_in_max=12, control_out_max=128, control_step_max=40, data_out_max=24, telemetry_out_max=12, ledger_max=12,
        memory_bytes=0, provider_bindings=(("ears", "vad"), ("stt", "stt"), ("llm", "llm"), ("voice", "tts")),
    )


def workshop() -> Plan:
    """Python nodes of both scopes, and the reactions that `assistant` lacks."""
    ingress, gate, stt, llm, shout, moment, voice, watch, egress = range(9)
    audio, text = Port("audio", "audio", 320), Port("text", "text", 200)
    start, end, hangup, bye, gate_error, llm_started, llm_timeout, stt_done, shout_error = range(9)
    nodes = (
        Node(id=ingress, name="ingress", kind="ingress", execution="boundary", scope="session", line=1, outputs=(audio, text)),
        Node(
            id=gate, name="gate", kind="python", execution="kernel", scope="session", line=2, inputs=(audio,),
            outputs=(Port("out", "audio", 320),), edges_in=(8,), event_error=gate_error, handler=0, emissions_max=2,
        ),
        Node(
            id=stt, name="stt", kind="stt", execution="effect", scope="session", line=3, inputs=(audio,),
            outputs=(
                Port("utterance", "text", 300), Port("partial", "text", 200), Port("final", "text", 200),
                Port("speech_start", "event", 64), Port("speech_end", "event", 64), Port("hangup", "event", 64),
                Port("bye", "event", 64), Port("nobody_listens", "event", 64),
            ),
            edges_in=(7,), window=3, first_output_ns=300 * MS, event_done=stt_done,
        ),
        Node(
            id=llm, name="llm", kind="llm", execution="effect", scope="turn", line=4, inputs=(Port("prompt", "text", 300),),
            outputs=(Port("delta", "text", 200),), edges_in=(6,), window=1, first_output_ns=500 * MS,
            event_started=llm_started, event_timeout=llm_timeout,
        ),
        Node(
            id=shout, name="shout", kind="python", execution="kernel", scope="turn", line=5, inputs=(text,),
            outputs=(Port("out", "text", 200), Port("extra", "text", 80)), edges_in=(5,), upstream=mask(llm), handler=1,
            emissions_max=2, event_error=-1,
        ),
        Node(
            id=moment, name="moment", kind="say", execution="kernel", scope="turn", line=6, outputs=(text,),
            text="One moment.",
        ),
        Node(
            id=voice, name="voice", kind="tts", execution="effect", scope="turn", line=7, inputs=(text,), outputs=(audio,),
            edges_in=(2, 3), upstream=mask(shout, moment), window=2, first_output_ns=300 * MS, chunk_ns=250 * MS,
        ),
        Node(
            id=watch, name="watch", kind="tap", execution="kernel", scope="session", line=8,
            inputs=(Port("in", "any", 200),), edges_in=(4,),
        ),
        Node(
            id=egress, name="egress", kind="egress", execution="boundary", scope="turn", line=9, inputs=(audio, text),
            edges_in=(0, 1), upstream=mask(shout, voice),
        ),
    )

    def edge(id: int, name: str, source: int, source_port: int, target: int, target_port: int, scope: str, pool: int,
             items: int, size: int, *order: Overflow, age: int = 0, handoff: Handoff | None = None) -> Edge:
        return Edge(
            id=id, name=name, line=20 + id, source=source, source_port=source_port, target=target,
            target_port=target_port, scope=scope, pool=pool, items_max=items, bytes_max=size, age_ns_max=age,
            overflow=order, handoff=handoff, commit_point=id == 0,
        )

    edges = (
        edge(0, "voice -> egress.audio", voice, 0, egress, 0, "turn", 0, 8, 8 * 320, Overflow(BLOCK)),
        edge(1, "shout.extra -> egress.text", shout, 1, egress, 1, "turn", 1, 4, 320, Overflow(LATEST)),
        edge(2, "moment -> voice", moment, 0, voice, 0, "turn", 1, 2, 400, Overflow(NEWEST)),
        edge(
            3, "shout -> voice", shout, 0, voice, 0, "turn", 2, 4, 800, Overflow(OLDEST), handoff=Handoff(100 * MS, 240),
        ),
        edge(4, "shout.extra -> watch", shout, 1, watch, 0, "session", 1, 4, 320, Overflow(NEWEST)),
        edge(
            5, "llm -> shout", llm, 0, shout, 0, "turn", 1, 3, 600, Overflow(BLOCK, 50 * MS), Overflow(NEWEST), age=900 * MS,
        ),
        edge(6, "stt -> llm", stt, 0, llm, 0, "turn", 3, 2, 600, Overflow(OLDEST)),
        edge(7, "gate -> stt", gate, 0, stt, 0, "session", 0, 5, 5 * 320, Overflow(BLOCK, 30 * MS), Overflow(LATEST)),
        edge(
            8, "ingress.audio -> gate", ingress, 0, gate, 0, "session", 0, 4, 4 * 320, Overflow(OLDEST), Overflow(NEWEST),
            age=100 * MS,
        ),
    )
    return Plan(
        pipeline="stub_workshop", pipeline_version="1.0.0", profile="simple/v1", template_hash="b" * 64,
        recording_level="L0", nodes=nodes, edges=edges,
        pools=(
            Pool("audio", 320, 8 + 5 + 4 + 16 + 4), Pool("text", 200, 4 + 2 + 4 + 3 + 16 + 8 + 4),
            Pool("sentence", 240, 4 + 16 + 4), Pool("utterance", 300, 2 + 16 + 4),
        ),
        events=(
            Event(start, "stt.speech_start", stt, 3), Event(end, "stt.speech_end", stt, 4),
            Event(hangup, "stt.hangup", stt, 5), Event(bye, "stt.bye", stt, 6), Event(gate_error, "gate.error", gate, -1),
            Event(llm_started, "llm.started", llm, -1), Event(llm_timeout, "llm.timeout", llm, -1),
            Event(stt_done, "stt.done", stt, -1), Event(shout_error, "shout.error", shout, -1),
        ),
        reactions=(
            Reaction(id=0, event=llm_started, action=Action("trigger", moment), line=40),
            Reaction(id=1, event=gate_error, action=Action("end_utterance"), line=41),
            Reaction(id=2, event=llm_timeout, action=Action("cancel_node", voice), line=42),
            Reaction(id=3, event=hangup, action=Action("cancel_session"), line=43),
            Reaction(id=4, event=bye, action=Action("end_session"), line=44),
            Reaction(id=5, event=start, action=Action("cancel_turn"), line=45),
        ),
        modes=(Mode(id=0, name="full", nodes_off=0, edges_off=0),),
        ingress=ingress, egress=egress, turn_owner=end, recogniser=stt, speech_start=start, barge_in=-1,
        speech_nodes=mask(voice), turn_nodes=mask(llm, shout, moment, voice, egress),
        turn_edges=mask(0, 1, 2, 3, 5, 6), stages=(llm, shout, moment, voice, egress),
        turn_ns=1500 * MS, turn_warning_ns=1200 * MS, turn_total_ns=10 * S, grace_ns=50 * MS, lead_ns=100 * MS,
        evidence_ns=400 * MS, audio_bytes_per_second=16_000,
        utterance_bytes_max=300, spoken_bytes_max=500, context_items_max=3, context_bytes_max=900,
        control_in_max=8, control_out_max=100, control_step_max=36, data_out_max=16, telemetry_out_max=8, ledger_max=6,
        memory_bytes=0, provider_bindings=(("stt", "stt"), ("llm", "llm"), ("voice", "tts")),
    )


PLANS = {"stub_assistant": assistant, "stub_workshop": workshop}
