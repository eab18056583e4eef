"""latency: what is counted, from where, and what follows on a failure."""

from __future__ import annotations

import pytest

from counting import calls
from graphs import MS, NOWHERE, S, Sketch, candidate, flag, handoff, retry
from rspp_compiler.analysis.latency.latency import latency
from rspp_compiler.ir.proofs.latency import Latency, PathLatency, Step
from rspp_compiler.ir.spec import OverrideSpec


def of(sketch: Sketch) -> Latency:
    return latency(sketch.graph(), sketch.context())


def shown(steps: tuple[Step, ...]) -> list[tuple[str, str, int]]:
    return [(step.subject, step.what, step.ns // MS) for step in steps]


def path(result: Latency, output: str = "egress.audio", cause: str = "", party: str = "") -> PathLatency:
    (found,) = [p for p in result.paths if (p.output, p.cause, p.party) == (output, cause, party)]
    return found


def chain() -> Sketch:
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    sketch.flow("ingress.audio -> ears -> stt -> llm -> voice", handoff=handoff(150 * MS))
    return sketch.flow("voice -> egress.audio")


# ---- what is counted


def test_the_plain_chain() -> None:
    found = path(of(chain()))
    assert shown(found.steps) == [
        ("ears.speech -> stt.audio", "age bound", 200),
        ("stt", "budget", 300),
        ("llm", "budget", 800),
        ("llm.delta -> voice.text", "hand-off", 150),
        ("voice", "budget", 300),
    ]
    assert [step.until_ns // MS for step in found.steps] == [200, 500, 1300, 1450, 1750]
    assert (found.kind, found.start, found.total_ns) == ("flow", "ears", 1750 * MS)


@pytest.mark.parametrize(
    ("kind", "settings", "adds"),
    [
        ("merge", {"order": "timestamp", "within_ns": 20 * MS}, [("n", "window", 20)]),
        ("merge", {"order": "round_robin", "within_ns": 20 * MS}, [("n", "window", 20)]),
        ("merge", {"order": "priority", "within_ns": 20 * MS}, []),
        ("select", {"by": "highest", "within_ns": 50 * MS}, [("n", "window", 50)]),
        ("select", {"by": "first", "within_ns": 50 * MS}, []),
        ("redact", {}, []),
    ],
)
def test_who_joins_waits_for_the_others(
    kind: str, settings: dict[str, object], adds: list[tuple[str, str, int]]
) -> None:
    sketch = Sketch().node("n", kind, settings=settings).flow("ingress.text -> n -> egress.text")
    assert shown(path(of(sketch), "egress.text").steps) == adds


def test_what_an_edge_holds_back_counts_beyond_a_turns_beginning() -> None:
    sketch = Sketch().flow("ingress.text -> llm", coalesce_ns=100 * MS)
    sketch.flow("llm -> egress.text", coalesce_ns=30 * MS, handoff=handoff(70 * MS))
    assert [ns for _, _, ns in shown(path(of(sketch), "egress.text").steps)] == [100, 800, 30, 70]


def test_coalescing_goes_on_within_the_age_bound_of_the_session() -> None:
    for joined, what in ((100, ("age bound", 200)), (300, ("coalescing", 300))):
        sketch = Sketch().flow("ingress.audio -> vad -> stt", coalesce_ns=joined * MS).flow("stt -> egress.text")
        assert shown(path(of(sketch), "egress.text").steps)[0][1:] == what


def test_an_edge_of_the_session_that_only_blocks_may_add_its_latency() -> None:
    sketch = Sketch().flow("ingress.audio -> vad -> stt", buffer_ns=0, latency_ns=250 * MS).flow("stt -> egress.text")
    assert shown(path(of(sketch), "egress.text").steps)[0] == ("vad.speech -> stt.audio", "age bound", 250)


def test_the_users_latency_bounds_the_age_where_it_is_less() -> None:
    sketch = Sketch().flow("ingress.audio -> vad -> stt", buffer_ns=400 * MS, latency_ns=60 * MS)
    assert shown(path(of(sketch.flow("stt -> egress.text")), "egress.text").steps)[0][2] == 60


def test_a_guard_makes_no_bound_smaller() -> None:
    sketch = Sketch().node("slow", "grpc", first_output_ns=900 * MS)
    sketch.flow("ingress.text -> slow", guard=flag()).flow("slow -> egress.text")
    sketch.flow("ingress.text -> egress.text", otherwise=True)
    assert path(of(sketch), "egress.text").total_ns == 900 * MS


def test_what_plays_behind_an_answer_is_none() -> None:
    sketch = Sketch().node("egress", inputs="audio: audio, text: text, ambient: audio").node("hold", "play")
    sketch.on("llm.started", "hold -> egress.ambient").flow("ingress.text -> llm -> egress.text")
    assert {p.output for p in of(sketch).paths} == {"egress.text"}


# ---- where the clock starts


def test_the_clock_starts_at_the_owner_that_speech_comes_through() -> None:
    (start,) = of(chain()).starts
    assert (start.node, start.takes_budget, start.reason) == ("ears", False, "`ears.speech_end` ends the utterance")


def test_push_to_talk_counts_from_the_ingress() -> None:
    result = of(chain().on("ingress.button_up", "end utterance"))
    assert (result.starts[0].node, result.starts[0].port) == ("ingress", "audio")
    assert path(result).total_ns == 1950 * MS  # the edge into the detector counts, too


def test_a_detector_that_listens_aside_says_nothing_about_what_is_on_its_way() -> None:
    sketch = Sketch().node("ears", "vad").flow("ingress.audio -> ears").flow("ingress.audio -> stt -> egress.text")
    result = of(sketch)
    assert result.starts[0].node == "ingress"
    assert path(result, "egress.text").total_ns == 500 * MS


def test_an_endpointer_has_seen_what_was_recognised() -> None:
    sketch = chain().node("pauses", "endpointer").flow("stt.partial -> pauses")
    result = of(sketch.on("pauses.speech_end", "end utterance"))
    assert (result.starts[0].node, result.starts[0].takes_budget) == ("stt", True)
    assert path(result).total_ns == 1550 * MS  # nothing is on its way to the recogniser any more


def test_speech_to_speech_counts_its_own_budget() -> None:
    result = of(Sketch().flow("ingress.audio -> realtime -> egress.audio"))
    assert (result.starts[0].node, path(result).total_ns) == ("realtime", 800 * MS)


def test_speech_to_speech_with_a_button_counts_from_the_ingress() -> None:
    result = of(Sketch().flow("ingress.audio -> realtime -> egress.audio").on("ingress.button_up", "end utterance"))
    assert (result.starts[0].node, path(result).total_ns) == ("ingress", 1000 * MS)


def test_keys_and_text_start_the_clock_when_they_are_complete() -> None:
    sketch = Sketch().node("pin", "collect").flow("ingress.dtmf -> pin -> llm -> egress.text")
    result = of(sketch.flow("ingress.text -> llm"))
    assert [(start.node, start.port) for start in result.starts] == [("pin", "text"), ("ingress", "text")]
    assert {p.total_ns for p in result.paths} == {800 * MS}


def test_each_party_has_its_own_clock() -> None:
    sketch = Sketch().party("ana").party("ben")
    for party, other, name in (("ana", "ben", "to_en"), ("ben", "ana", "to_es")):
        for node, kind in (("ears", "vad"), ("stt", "stt"), ("llm", "llm"), ("voice", "tts")):
            sketch.node(
                f"{name}.{node}", kind, **({"first_output_ns": 500 * MS} if (name, node) == ("to_es", "llm") else {})
            )
        sketch.flow(f"{party}.audio -> {name}.ears -> {name}.stt -> {name}.llm -> {name}.voice -> {other}.audio")
    result = of(sketch)
    assert [(start.party, start.node) for start in result.starts] == [("ana", "to_en.ears"), ("ben", "to_es.ears")]
    assert path(result, "ben.egress.audio", party="ana").total_ns == 1600 * MS
    assert path(result, "ana.egress.audio", party="ben").total_ns == 1300 * MS


def test_a_pipeline_that_never_hears_has_no_flow_to_bound() -> None:
    sketch = Sketch().node("hello", "say").on("session.connected", "hello -> tts").flow("tts -> egress.audio")
    result = of(sketch)
    assert result.starts == ()
    assert [(p.kind, p.start, p.total_ns) for p in result.paths] == [("reaction", "session.connected", 300 * MS)]


# ---- fallbacks


def test_a_fallback_begins_when_the_time_before_it_is_used_up() -> None:
    result = of(chain().on("llm.timeout or llm.error", "sorry -> voice"))
    for event in ("timeout", "error"):
        found = path(result, cause=f"llm.{event} -> sorry")
        assert (found.kind, found.starts_ns, found.total_ns, found.needs_ns) == (
            "fallback",
            1300 * MS,
            1600 * MS,
            300 * MS,
        )


def test_the_budget_of_what_a_fallback_asks_counts() -> None:
    sketch = chain().node("spare", "llm", first_output_ns=400 * MS).on("llm.timeout", "spare -> voice")
    assert path(of(sketch), cause="llm.timeout -> spare").total_ns == 2000 * MS


def test_the_fallback_of_a_fallback_begins_behind_it() -> None:
    sketch = chain().node("spare", "llm", first_output_ns=400 * MS).on("llm.timeout", "spare -> voice")
    found = path(of(sketch.on("spare.timeout", "sorry -> voice")), cause="spare.timeout -> sorry")
    assert (found.starts_ns, found.total_ns) == (1700 * MS, 2000 * MS)
    assert [step.subject for step in found.steps] == ["ears.speech -> stt.audio", "stt", "llm", "spare", "voice"]


def test_a_failure_behind_a_fallback_comes_later_than_one_behind_the_flow() -> None:
    sketch = chain().node("spare", "llm", first_output_ns=700 * MS).on("llm.timeout", "spare -> voice")
    sketch.on("voice.error", "sorry -> egress.text")
    found = path(of(sketch), "egress.text", "voice.error -> sorry")
    assert found.starts_ns == (1300 + 700 + 300) * MS


def test_a_bypass_goes_on_behind_what_failed() -> None:
    sketch = Sketch().node("find", "grpc", first_output_ns=250 * MS).flow("ingress.text -> find -> llm -> egress.text")
    found = path(of(sketch.on("find.timeout or find.error", "llm")), "egress.text", "find.error -> llm")
    assert (found.starts_ns, found.total_ns) == (250 * MS, 1050 * MS)


def test_a_reaction_that_leads_back_to_its_cause_is_followed_once() -> None:
    found = path(of(chain().on("voice.timeout", "sorry -> voice")), cause="voice.timeout -> sorry")
    assert (found.starts_ns, found.total_ns) == (1750 * MS, 2050 * MS)


def test_a_path_that_flows_join_again_counts_the_slower_way() -> None:
    sketch = (
        Sketch().node("a", "grpc", first_output_ns=1 * MS).node("b", "grpc", first_output_ns=500 * MS).node("c", "say")
    )
    sketch.flow("ingress.text -> llm -> egress.text").flow("a -> b -> c")
    found = path(of(sketch.on("llm.error", "a -> c -> egress.text")), "egress.text", "llm.error -> a")
    assert found.needs_ns == 501 * MS


def test_a_warning_lets_the_fallback_begin_before_the_budget_is_used_up() -> None:
    found = path(of(chain().on("llm.budget_warning", "sorry -> voice")), cause="llm.budget_warning -> sorry")
    assert (found.starts_ns, found.total_ns) == ((500 + 640) * MS, 1440 * MS)
    assert shown(found.steps)[2] == ("llm", "budget warning", 640)


def test_a_warning_of_the_turn_counts_from_its_clock() -> None:
    found = path(of(chain().on("turn.budget_warning", "sorry -> voice")), cause="turn.budget_warning -> sorry")
    assert (found.starts_ns, found.total_ns) == (1600 * MS, 1900 * MS)


def test_deadlines_of_fallbacks() -> None:
    """The model has 800 ms; at a turn of 1500 ms it must be given up after 700 ms, or the apology comes too late."""
    result = of(chain().budget(turn_ns=1500 * MS).on("llm.timeout", "sorry -> voice"))
    (row,) = result.fallbacks
    assert (row.reaction, row.cause, row.node) == ("on#1", "llm.timeout -> sorry", "llm")
    assert (row.starts_ns, row.needs_ns, row.latest_ns, row.node_ns) == (1300 * MS, 300 * MS, 1200 * MS, 700 * MS)


# ---- fillers and tools


def tools(**fields: object) -> Sketch:
    sketch = Sketch().node("llm", tools=("find",), settings={"max_calls": 1}).node("moment", "say")
    return sketch.tool("find", timeout_ns=500 * MS, **fields).flow("ingress.text -> llm -> tts -> egress.audio")


def test_a_filler_is_heard_behind_the_model_that_calls() -> None:
    found = path(of(tools().on("find.started", "moment -> tts")), cause="find.started -> moment")
    assert (found.kind, found.starts_ns, found.total_ns) == ("filler", 800 * MS, 1100 * MS)


def test_a_failure_of_a_tool_is_within_the_models_budget_unless_something_was_said() -> None:
    silent = of(tools().on("find.error", "moment -> tts"))
    assert path(silent, cause="find.error -> moment").starts_ns == 800 * MS
    filled = of(tools().on("find.started", "moment -> tts").on("find.error", "moment -> tts"))
    assert path(filled, cause="find.error -> moment").kind == "reaction"


def test_a_call_that_was_handed_over_has_its_own_clock() -> None:
    sketch = Sketch().node("llm", tools=("desk",)).tool("desk", "transfer").node("sorry", "say")
    sketch.flow("ingress.text -> llm -> egress.text").on("desk.error", "sorry -> egress.text")
    assert path(of(sketch), "egress.text", "desk.error -> sorry").kind == "reaction"


# ---- modes


def test_a_mode_counts_where_it_waits_longer() -> None:
    sketch = (
        Sketch().node("lines", "merge", settings={"within_ns": 20 * MS}).flow("ingress.text -> lines -> egress.text")
    )
    later = OverrideSpec(span=NOWHERE, node="lines", field="within_ns", value=90 * MS)
    assert path(of(sketch.mode("slow", overrides=(later,))), "egress.text").total_ns == 90 * MS


def test_a_tool_that_a_mode_gives_to_a_model_begins_with_it() -> None:
    sketch = Sketch().node("moment", "say").tool("find").flow("ingress.text -> llm -> egress.text")
    given = OverrideSpec(span=NOWHERE, node="llm", field="tools", value=("find",))
    sketch.on("find.started", "moment -> egress.text").mode("shop", overrides=(given,))
    found = path(of(sketch), "egress.text", "find.started -> moment")
    assert (found.kind, found.starts_ns) == ("filler", 800 * MS)


# ---- tries of providers


def test_tries_one_behind_the_other_within_the_nodes_budget() -> None:
    sketch = Sketch().flow("ingress.text -> llm -> egress.text")
    sketch.provider("llm", "a", candidate("b"), first_chunk_ns=180 * MS, retry=retry(1, 20 * MS))
    rows = [(one.provider, one.number, one.starts_ns // MS, one.deadline_ns // MS) for one in of(sketch).attempts]
    assert rows == [("a", 1, 0, 180), ("a", 2, 200, 380), ("b", 1, 380, 560), ("b", 2, 580, 760)]


def test_a_try_ends_with_the_budget_but_for_those_that_listen() -> None:
    sketch = Sketch().flow("ingress.audio -> vad -> stt -> llm -> egress.text")
    ends = {one.node: one.deadline_ns for one in of(sketch).attempts}
    assert ends == {"vad": 1 * S, "stt": 1 * S, "llm": 800 * MS}


# ---- path budgets, assumptions


@pytest.mark.parametrize(
    ("way", "ms"),
    [
        ("ingress.audio -> stt.final", 700),
        ("ears.speech -> stt.audio", 200),
        ("llm.prompt -> llm.delta", 800),
        ("stt.utterance -> voice.text", 950),
        ("llm.prompt -> egress.audio", 1250),
        ("voice.audio -> stt.final", None),
        ("llm.delta -> llm.final", None),
    ],
)
def test_the_slowest_way_between_two_ports(way: str, ms: int | None) -> None:
    (budget,) = of(chain().path_budget(way, 5 * S)).path_budgets
    assert budget.total_ns == (None if ms is None else ms * MS)
    assert sum(step.ns for step in budget.steps) == (budget.total_ns or 0)


def test_every_number_of_a_bound_is_an_assumption() -> None:
    result = of(chain().on("llm.timeout", "sorry -> voice").path_budget("ingress.audio -> stt.final", 700 * MS))
    assert [(one.id, one.limit // MS) for one in result.assumptions] == [
        ("age:ears.speech -> stt.audio", 200),
        ("age:ingress.audio -> ears.audio", 200),
        ("chunk:llm", 1000),
        ("chunk:voice", 1000),
        ("first_output:llm", 800),
        ("first_output:stt", 300),
        ("first_output:voice", 300),
        ("handoff:llm.delta -> voice.text", 150),
    ]
    texts = {one.id: one.text for one in result.assumptions}
    assert texts["first_output:llm"] == "`llm` gives its first output within 800ms of its input"
    assert texts["handoff:llm.delta -> voice.text"] == "text is held on `llm.delta -> voice.text` for at most 150ms"


def test_every_step_is_an_assumption() -> None:
    sketch = (
        tools()
        .node("lines", "merge", settings={"within_ns": 20 * MS})
        .flow("llm -> lines -> egress.text", coalesce_ns=MS)
    )
    result = of(sketch)
    known = {(one.subject, one.limit) for one in result.assumptions}
    assert {(step.subject, step.ns) for p in result.paths for step in p.steps} <= known
    assert {"delay:lines", "delay:lines.out -> egress.text", "timeout:find"} <= {one.id for one in result.assumptions}


# ---- size


def in_a_row(nodes: int) -> Sketch:
    """Every node is fed by the two before it."""
    sketch = Sketch().node("n0", "grpc").flow("ingress.text -> n0")
    for at in range(1, nodes):
        sketch.node(f"n{at}", "grpc").flow(f"n{at - 1} -> n{at}")
        if at >= 2:
            sketch.flow(f"n{at - 2} -> n{at}")
    return sketch.flow(f"n{nodes - 1} -> egress.text")


def test_the_work_grows_with_the_nodes() -> None:
    """Eight times the nodes take eight times the calls; a path copied for each node would take sixty-four."""
    few, many = (calls(latency, sketch.graph(), sketch.context()) for sketch in (in_a_row(50), in_a_row(400)))
    assert many < 9 * few
