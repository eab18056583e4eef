"""cancel: a table of every scope, and every way by which something would still be heard, against a token game."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cancel_game import heard_after_cancel
from graph_kinds import MS
from graphs import Sketch, handoff
from rspp_compiler.analysis.safety.cancel import cancel
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.cancel import Cancel
from rspp_compiler.ir.spec import HookSpec
from rspp_compiler.source import Span


def assistant() -> Sketch:
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    sketch.flow("ingress.audio -> ears -> stt -> llm -> voice", handoff=handoff(150 * MS))
    sketch.flow("voice -> egress.audio").flow("llm.delta -> egress.text")
    return sketch.on("ears.barge_in", "cancel turn").on("llm.timeout or llm.error", "sorry -> voice")


def analysed(sketch: Sketch) -> tuple[Cancel, tuple[Diagnostic, ...]]:
    ctx = sketch.context()
    made = cancel(sketch.graph(), ctx)
    return made, ctx.sink.diagnostics


def codes(sketch: Sketch) -> list[str]:
    return [found.code for found in analysed(sketch)[1]]


def of_user(**fields: Any) -> dict[str, Any]:
    """Fields of a node with an origin of their own, as the front end gives them."""
    return {**fields, "origins": {name: Origin.user(Span("sketch.rspp", 0, 0, 1, 1, 1, 1)) for name in fields}}


# ---- the table


def test_a_cancel_of_the_turn_stops_the_turn_and_nothing_of_hearing() -> None:
    made, found = analysed(assistant())
    assert found == ()
    row = made.row("turn")
    assert {(stop.subject, stop.how, stop.within_ns // MS) for stop in row.stops} == {
        ("llm", "hard", 75), ("voice", "hard", 75), ("sorry", "at once", 0),
    }  # fmt: skip
    assert set(row.flushed) == {
        "stt.utterance -> llm.prompt", "llm.delta -> voice.text", "voice.audio -> egress.audio",
        "llm.delta -> egress.text", "sorry.text -> voice.text",
    }  # fmt: skip
    assert [commit.place for commit in row.committed] == ["voice.audio -> egress.audio", "llm.delta -> egress.text"]
    assert "200 ms" in row.committed[0].what


def test_every_deadline_has_its_origin() -> None:
    row = analysed(assistant())[0].row("turn")
    stop = next(stop for stop in row.stops if stop.subject == "llm")
    assert "execution_profile/simple/v1" in str(stop.origin)


def test_a_cancel_of_the_session_stops_everything() -> None:
    row = analysed(assistant())[0].row("session")
    assert {stop.subject for stop in row.stops} == {"ears", "stt", "llm", "voice", "sorry"}
    assert len(row.flushed) == 7


def test_a_cancel_of_a_node_empties_its_own_edges() -> None:
    made, _ = analysed(assistant())
    assert set(made.row("node", "llm").flushed) == {
        "stt.utterance -> llm.prompt", "llm.delta -> voice.text", "llm.delta -> egress.text",
    }  # fmt: skip
    assert made.row("provider_invocation", "llm").flushed == ()
    assert not any(row.subject == "sorry" for row in made.rows if row.scope == "provider_invocation")


def test_a_soft_cancel_ends_within_a_chunk_and_the_grace() -> None:
    made, found = analysed(assistant().node("slow", "llm", cancel="soft", chunk_ns=400 * MS).flow("stt -> slow"))
    stop = next(stop for stop in made.row("node", "slow").stops)
    assert (stop.how, stop.within_ns, found) == ("soft", 475 * MS, ())


def test_tools_stop_with_their_turn_and_what_they_did_stays_done() -> None:
    sketch = assistant().tool("book", once=True, cancel="soft").tool("watch", background=True).tool("desk", "transfer")
    sketch.node("agent", "llm", tools=("book", "watch", "desk")).flow("stt -> agent -> voice")
    row = analysed(sketch)[0].row("turn")
    assert {(stop.subject, stop.how) for stop in row.stops} >= {("book", "soft"), ("desk", "hard")}
    assert not any(stop.subject == "watch" for stop in row.stops)
    assert {commit.place for commit in row.committed} >= {"book", "desk"}
    assert any(stop.subject == "watch" for stop in analysed(sketch)[0].row("session").stops)


def test_hooks_run_with_their_timeouts() -> None:
    span = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
    hooks = tuple(HookSpec(span=span, name=name, timeout_ns=1000 * MS) for name in ("init", "stop", "on_cancel"))
    made, _ = analysed(assistant().node("find", "python", hooks=hooks).flow("stt -> find -> llm"))
    assert [(run.node, run.hook, run.timeout_ns) for run in made.row("turn").hooks] == [
        ("find", "on_cancel", 1000 * MS)
    ]
    assert [run.hook for run in made.row("session").hooks] == ["stop", "on_cancel"]


def test_what_is_not_interruptible_is_named() -> None:
    made, _ = analysed(
        assistant().node("bye", "say", settings={"interruptible": False}).on("ears.idle", "bye -> voice")
    )
    assert made.row("turn").exempt == ("bye",)


def test_each_party_has_its_own_turn() -> None:
    sketch = Sketch().party("ana").party("ben")
    for one, other in (("ana", "ben"), ("ben", "ana")):
        sketch.node(f"hear_{one}", "stt").node(f"say_{one}", "tts")
        sketch.flow(f"{one}.audio -> hear_{one} -> say_{one} -> {other}.audio")
    made, found = analysed(sketch)
    assert found == ()
    assert {commit.place for commit in made.row("turn", "ana").committed} == {"say_ben.audio -> ana.egress.audio"}


# ---- what would still be heard


def test_a_model_of_the_session_that_speaks() -> None:
    sketch = assistant().node("small", "llm", **of_user(scope="session")).flow("stt -> small -> voice")
    made, found = analysed(sketch)
    assert [leak.path for leak in made.leaks] == [("small.delta", "voice.text", "egress.audio")]
    assert [one.code for one in found] == ["E1001"]
    assert found[0].fix is not None
    assert found[0].fix.replacement == "turn"


def test_music_of_the_session_may_play_in_the_background_only() -> None:
    music = assistant().node("music", "play", **of_user(scope="session"))
    assert codes(music.on("session.connected", "music -> egress.audio")) == ["E1001"]
    ports = "audio: audio, text: text, ambient: audio"
    music = Sketch().node("egress", inputs=ports).node("music", "play", **of_user(scope="session"))
    assert codes(music.on("session.connected", "music -> egress.ambient")) == []


@pytest.mark.parametrize(("event", "is_of_turn"), [("ears.error", False), ("watch.done", False), ("llm.done", True)])
def test_a_reaction_straight_into_the_ear(event: str, is_of_turn: bool) -> None:
    sketch = assistant().tool("watch", background=True).on(event, "egress.audio")
    assert codes(sketch) == ([] if is_of_turn else ["E1001"])


def test_what_is_recognised_may_be_shown_at_any_time() -> None:
    assert codes(assistant().flow("stt.partial -> egress.text").on("ears.error", "egress.text")) == []


def test_a_speech_to_speech_model_stops_answering() -> None:
    made, found = analysed(Sketch().flow("ingress.audio -> realtime -> egress.audio"))
    assert [(stop.subject, stop.how) for stop in made.row("turn").stops] == [("realtime", "hard")]
    assert found == ()


def test_a_commit_point_before_the_last_flow() -> None:
    sketch = Sketch().flow("ingress.audio -> vad -> stt -> llm -> tts", commit_point=True).flow("tts -> egress.audio")
    assert codes(sketch) == ["E1003"]


def test_a_commit_point_into_what_nobody_hears() -> None:
    sketch = assistant().node("notes", "tap")
    assert codes(sketch.flow("llm.final -> notes", commit_point=True)) == []


def test_a_cancelled_voice_that_the_model_starts_again() -> None:
    made, found = analysed(assistant().on("ears.barge_in", "cancel voice"))
    assert [leak.path for leak in made.leaks] == [("llm.delta", "voice.text", "egress.audio")]
    assert [one.code for one in found] == ["E1004"]
    assert found[0].fix is not None
    assert found[0].fix.replacement == "-> cancel turn"


def test_a_cancelled_model_stays_silent() -> None:
    assert codes(assistant().on("ears.barge_in", "cancel llm")) == []


def test_a_sound_has_no_segment_to_end() -> None:
    sketch = assistant().node("music", "play", **of_user(cancel="soft")).on("ears.idle", "music -> egress.audio")
    assert codes(sketch) == ["E1002"]


def test_a_stream_without_a_deadline_may_not_end_its_segment_first() -> None:
    sketch = assistant().node("slow", "grpc", **of_user(cancel="soft", chunk_ns=0)).flow("stt -> slow -> llm")
    assert codes(sketch) == ["E1002"]


def test_a_policys_finding_says_so_and_a_common_one_is_one() -> None:
    def change(sketch: Sketch) -> None:
        sketch.node("notes", "tap").flow("llm.final -> notes")

    sketch = assistant().on("ears.barge_in", "cancel voice").policy("clinic", change)
    graph, ctx = sketch.graph(), sketch.context()
    for each in (graph, *graph.variants):
        cancel(each, ctx)
    assert [found.code for found in ctx.sink.diagnostics] == ["E1004"]


# ---- against the game


@st.composite
def small(draw: st.DrawFn) -> Sketch:
    """A few nodes of either scope, wired forward at random, some edges with a commit point."""
    sketch = Sketch().node("egress", inputs="text: text, audio: audio, ambient: audio")
    sketch.flow("ingress.audio -> stt", commit_point=draw(st.booleans()))
    names = [f"n{at}" for at in range(draw(st.integers(1, 4)))]
    for name in names:
        sketch.node(name, "python", **of_user(scope=draw(st.sampled_from(["session", "turn"]))))
    sources = ["stt.utterance", "stt.partial", "ingress.text", *names]
    for at, name in enumerate(names):
        for source in draw(st.sets(st.sampled_from(sources[: 3 + at]), min_size=1, max_size=3)):
            sketch.flow(f"{source} -> {name}", commit_point=draw(st.integers(0, 3)) == 0)
    for source in draw(st.sets(st.sampled_from(sources), min_size=1, max_size=3)):
        port = draw(st.sampled_from(["text", "audio", "ambient"]))
        sketch.flow(f"{source} -> egress.{port}", commit_point=draw(st.booleans()))
    return sketch


@settings(max_examples=150)
@given(small())
def test_the_leaks_are_those_of_the_game(sketch: Sketch) -> None:
    graph = sketch.graph()
    made = cancel(graph, sketch.context())
    edges = {(edge.source, edge.source_port, edge.target, edge.target_port): edge.id for edge in graph.edges}
    found = set()
    for leak in made.leaks:
        first, second = (end.rpartition(".") for end in leak.path[:2])
        found.add((leak.kind, edges[first[0], first[2], second[0], second[2]]))
    assert found == heard_after_cancel(graph)


@settings(max_examples=50)
@given(small())
def test_the_turns_table_is_what_the_game_takes_away(sketch: Sketch) -> None:
    graph = sketch.graph()
    row = cancel(graph, sketch.context()).row("turn")
    assert set(row.flushed) == {edge.id for edge in graph.edges if edge.scope == "turn"}
    assert {stop.subject for stop in row.stops} == {node.id for node in graph.nodes if node.scope == "turn"}
