"""resolve: parties, guards, policies, tools, and every verb."""

from __future__ import annotations

import pytest

from pipelines import codes, compile_text, value
from rspp_compiler.ir.bound import Bound
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.graph import Graph

FLOW = "ingress.audio -> ears -> stt -> llm -> tts -> egress.audio"


def program(*lines: str, top: str = "") -> str:
    body = "\n".join(f"  {line}" for line in ("node ears : vad { idle_after = 8s }", FLOW, *lines))
    return f"{top}\npipeline p {{\n{body}\n}}\n"


def bound(text: str) -> Bound:
    made: Bound = value(compile_text(text, until="resolve"), "resolve")
    assert made.is_intact
    return made


@pytest.mark.parametrize(
    ("action", "verb", "object"),
    [
        ("open turn", "open_turn", None),
        ("cancel turn", "cancel_turn", None),
        ("cancel session", "cancel_session", None),
        ("cancel llm", "cancel_node", "llm"),
        ("abort turn", "abort_turn", None),
        ("end session", "end_session", None),
        ("degrade quiet", "degrade", "quiet"),
        ("enter quiet", "enter", "quiet"),
        ("pause tts", "pause", "tts"),
        ("resume tts", "resume", "tts"),
        ("call desk", "call", "desk"),
    ],
)
def test_every_verb(action: str, verb: str, object: str | None) -> None:
    top = 'tool desk : transfer { to = "sip:desk@example.com" }'
    made = bound(
        program("mode quiet { off = [tts] }", "llm.delta -> egress.text", f"on ears.idle -> {action}", top=top)
    )
    (reaction,) = made.reactions
    assert (reaction.verb, reaction.object) == (verb, object)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("event.words >= 2", "event.words >= 2"),
        ("event.words >= 2 words", "event.words >= 2"),
        ("event.duration > 300ms and not (event.words == 1 or session.tier == \"free\")",
         'event.duration > 300ms and not (event.words == 1 or session.tier == "free")'),
        ("event.confidence<0.4", "event.confidence < 0.4"),
        ('session.region in ["eu", "us"]', 'session.region in ["eu", "us"]'),
        ("session.mode == full", "session.mode == full"),
        ("turn.number > 3 or turn.origin == \"dtmf\"", 'turn.number > 3 or turn.origin == "dtmf"'),
    ],
)  # fmt: skip
def test_conditions(written: str, canonical: str) -> None:
    (reaction,) = bound(program(f"on ears.barge_in when {written} -> cancel turn")).reactions
    assert reaction.guard is not None
    assert show(reaction.guard) == canonical


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("event.word >= 2", "E0222"),
        ("evnt.words >= 2", "E0222"),
        ("words >= 2", "E0223"),
        ('event.words == "two"', "E0223"),
        ("event.duration > 2", "E0223"),
        ("event.duration > 2kHz", "E0223"),
        ("event.words", "E0223"),
        ("1 == 1", "E0223"),
        ('session.tier >= "gold"', "E0224"),
        ("session.mode == loud", "E0207"),
        ("event.words in []", "E0223"),
        ("session.tenant == turn.number", "E0223"),
    ],
)
def test_conditions_that_say_nothing(condition: str, code: str) -> None:
    text = program(f"on ears.barge_in when {condition} -> cancel turn")
    assert code in codes(compile_text(text, until="resolve"))


def test_the_events_of_one_line_share_their_fields() -> None:
    """`words` is a field of a barge-in and not of a timeout, so a line for both cannot read it."""
    line = "on ears.barge_in or llm.timeout when event.words > 1 -> cancel turn"
    assert codes(compile_text(program(line), until="resolve")) == ["E0222"]


def test_a_party_is_both_of_its_halves() -> None:
    text = """pipeline p {
  party ana
  party ben { max = 3 }
  node ears : vad
  ana.audio -> ears -> stt -> llm -> tts -> ben.audio
  on ana.button_down -> cancel turn
  on ben.playback_completed -> end session
}
"""
    made = bound(text)
    assert {(node.id, node.party) for node in made.nodes if node.execution == "boundary"} == {
        ("ana.ingress", "ana"),
        ("ben.egress", "ben"),
        ("ana.ingress", "ana"),
    }
    assert [reaction.events[0].subject for reaction in made.reactions] == ["ana.ingress", "ben.egress"]


def test_with_one_party_ingress_and_egress_are_its_halves() -> None:
    made = bound(program("party ana"))
    assert {node.id for node in made.nodes if node.execution == "boundary"} == {"ana.ingress", "ana.egress"}


POLICY = """policy clinic when session.tenant == "clinic" {
  node mask : redact { classes = [PHI], action = drop }
  node mark : redact { classes = [PII] }
  insert mask before llm.prompt
  insert mark before llm.prompt
  record L0
  provider tts { use espeak { voice = "en-gb" } }
}
"""


def test_inserted_nodes_stand_in_order_before_the_port() -> None:
    result = compile_text(program("on stt.error -> llm", "record L1", top=POLICY), until="build_graph")
    assert codes(result) == []
    graph: Graph = value(result, "build_graph")
    (variant,) = graph.variants
    assert variant.policy == "clinic"
    assert [edge.id for edge in variant.edges if edge.target in ("llm", "clinic.mask", "clinic.mark")] == [
        "stt.utterance -> clinic.mask.text",
        "clinic.mask.text -> clinic.mark.text",
        "clinic.mark.text -> llm.prompt",
    ]
    assert not graph.policy
    assert {edge.id for edge in graph.edges} >= {"stt.utterance -> llm.prompt"}
    assert variant.spec.recording.level == "L0"
    assert graph.spec.recording.level == "L1"
    assert variant.node("clinic.mask").scope == "turn"


def test_a_path_that_begins_at_the_port_goes_through_the_inserted_nodes() -> None:
    find = 'node find (q : text) -> (a : text) : python("m:f") { timeout = 50ms }'
    text = program(find, "on find.error -> llm", top=POLICY).replace("stt -> llm", "stt -> find -> llm")
    graph: Graph = value(compile_text(text, until="build_graph"), "build_graph")
    (reaction,) = graph.variants[0].spec.reactions
    assert reaction.trigger is not None
    assert reaction.trigger.node == "clinic.mask"
    assert reaction.path == (), "from there on it is the flow through both"


def test_a_finding_that_holds_only_under_a_policy_names_it() -> None:
    policy = 'policy eu when session.region == "eu" {\n  provider stt { use whisper }\n}\n'
    result = compile_text(program("stt.partial -> tap", top=policy), until="check")
    (found,) = (one for one in result.diagnostics if one.severity == "error")
    assert found.code == "E0422"
    assert found.notes[-1] == "so it is under policy `eu`"


def test_formats_are_converted_where_two_ends_differ() -> None:
    node = 'node thin (a : audio(16kHz, mono, s16le)) -> (b : audio(8kHz, mono, mulaw)) : python("m:f")'
    text = program(node).replace("-> ears", "-> thin -> ears")
    graph: Graph = value(compile_text(text, until="check"), "check")
    assert graph.converters == ("thin.decode", "thin.resample")
    assert [edge.id for edge in graph.edges if edge.source.startswith("thin")] == [
        "thin.b -> thin.decode.in",
        "thin.decode.out -> thin.resample.in",
        "thin.resample.out -> ears.audio",
    ]
    assert str(graph.node("thin.decode").spec.outputs[0].type) == "audio(8kHz, mono, s16le)"


def test_a_rate_that_all_providers_share_is_chosen() -> None:
    voices = 'provider tts {\n  use piper { model = "a" }\n  use elevenlabs { api_key = secret("env://KEY") }\n}\n'
    only_high = 'provider realtime { use openai_realtime { api_key = secret("env://KEY") } }\n'
    graph: Graph = value(compile_text(program(top=voices), until="check"), "check")
    assert graph.converters == ()
    text = f"{only_high}pipeline p {{ ingress.audio -> realtime -> egress.audio }}\n"
    graph = value(compile_text(text, until="check"), "check")
    assert graph.converters == ("ingress.resample", "realtime.resample")
