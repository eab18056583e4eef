"""ends: every failure has an end, no fallback leads back to itself, every wait a deadline; against a walk of all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_kinds import MS
from graphs import S, Sketch, candidate, flag, handoff, retry, steps
from random_graphs import sketches
from rspp_compiler.analysis.safety.ends import ends
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.ends import Ends
from rspp_compiler.ir.spec import HookSpec
from rspp_compiler.source import Span


def assistant() -> Sketch:
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    sketch.flow("ingress.audio -> ears -> stt -> llm -> voice", handoff=handoff(150 * MS))
    return sketch.flow("voice -> egress.audio").flow("llm.delta -> egress.text")


def analysed(sketch: Sketch) -> tuple[Ends, tuple[Diagnostic, ...]]:
    ctx = sketch.context()
    made = ends(sketch.graph(), ctx)
    return made, ctx.sink.diagnostics


def codes(sketch: Sketch) -> list[str]:
    return [found.code for found in analysed(sketch)[1]]


# ---- ends


def test_without_a_line_the_runtime_has_an_end() -> None:
    made, found = analysed(assistant())
    assert found == ()
    assert made.of("llm", "error").end == "aborts the turn (provider_failure)"
    assert made.of("llm", "timeout").end == "aborts the turn (node_timeout_or_failure)"
    assert made.of("stt", "error").kind == "abort"
    assert made.of("ears", "error").end == "is started again; the third failure ends the session"


@pytest.mark.feature("F-132", "session")
def test_who_watches_takes_nothing_up() -> None:
    """A path into a tap is no end, and needs none beside it."""
    sketch = assistant().node("lost", "tap").mode("text_only", "voice").on("llm.error", "lost")
    made, found = analysed(sketch.on("voice.error", "lost").on("voice.error", "degrade text_only"))
    assert found == ()
    assert made.of("llm", "error").end == "aborts the turn (provider_failure)"
    assert (made.of("voice", "error").kind, made.of("voice", "error").end) == ("degrade", "degrade text_only")


def test_a_line_is_the_end() -> None:
    sketch = assistant().on("llm.timeout or llm.error", "sorry -> voice").mode("text_only", "voice")
    sketch.on("voice.error", "degrade text_only").on("voice.timeout", "end session")
    made, found = analysed(sketch)
    assert found == ()
    assert (made.of("llm", "error").kind, made.of("llm", "error").end) == ("fallback", "sorry -> voice")
    assert (made.of("voice", "error").kind, made.of("voice", "error").end) == ("degrade", "degrade text_only")
    assert (made.of("voice", "timeout").kind, made.of("voice", "timeout").end) == ("session", "end session")


def test_a_bypass_is_an_end() -> None:
    sketch = assistant().node("find", "grpc").flow("stt -> find -> llm").on("find.timeout or find.error", "llm")
    made, found = analysed(sketch)
    assert (made.of("find", "timeout").kind, found) == ("fallback", ())


@pytest.mark.parametrize("action", ["pause ears", "cancel ears", "degrade quiet", "open turn", "end utterance"])
def test_what_leaves_the_user_in_silence_is_no_end(action: str) -> None:
    sketch = assistant().mode("quiet", "voice").on("llm.error", action).on("ears.idle", "resume ears")
    found = [one for one in analysed(sketch.on("session.silence", "resume ears"))[1] if one.code == "E1011"]
    assert len(found) == 1
    assert found[0].help == "write `on llm.error -> abort turn`"


def test_a_second_line_may_be_the_end() -> None:
    assert codes(assistant().node("notes", "tap").on("llm.error", "notes").on("llm.error", "sorry -> voice")) == []


def test_a_guard_may_not_hold() -> None:
    guarded = assistant().on("llm.error", "sorry -> voice", guard=flag("retryable"))
    made, found = analysed(guarded)
    assert made.of("llm", "error").end == (
        "sorry -> voice when event.retryable, else aborts the turn (provider_failure)"
    )
    assert found == ()
    silent = assistant().on("llm.error", "enter quiet", guard=flag("retryable")).mode("quiet", "voice")
    assert codes(silent) == ["E1011"]
    assert codes(silent.on("llm.error", "sorry -> voice")) == []


def test_the_model_is_told_of_its_tools_and_a_call_aborts_the_turn() -> None:
    sketch = assistant().tool("book").tool("desk", "transfer").tool("idle").node("agent", "llm", tools=("book",))
    sketch.flow("stt -> agent -> voice").on("ingress.dtmf", "call desk")
    made, found = analysed(sketch)
    assert made.of("book", "timeout").end == "the model is told, and goes on"
    assert made.of("desk", "timeout").end == "aborts the turn (node_timeout_or_failure)"
    assert found == ()
    silent = sketch.on("desk.error or desk.timeout", "cancel ears")
    assert [(one.code, one.help) for one in analysed(silent)[1]] == [
        ("E1011", "write `on desk.error or timeout -> abort turn`")
    ]
    sketch.on("llm.timeout", "sorry -> voice")
    assert analysed(sketch)[1][0].help == "write `on desk.error or timeout -> sorry -> voice`"
    assert codes(sketch.on("desk.error or desk.timeout", "sorry -> voice")) == []


def test_a_provider_block_has_the_end_of_its_node() -> None:
    sketch = assistant().provider("llm", "openai", candidate("anthropic"), retry=retry(1, 50 * MS))
    assert analysed(sketch)[0].of("llm", "error").of == "node"
    block = next(end for end in analysed(sketch)[0].ends if end.of == "provider" and end.node == "llm")
    assert block.end == "openai, then anthropic, each tried 2 times; then `llm` fails"


# ---- loops


def test_a_voice_that_falls_back_on_itself() -> None:
    made, found = analysed(assistant().on("voice.error or voice.timeout", "sorry -> voice"))
    assert made.loops[0].steps == ("voice.error", "voice.error")
    assert [one.code for one in found] == ["E1010"]
    assert found[0].fix is not None
    assert found[0].fix.replacement == ""


def test_two_models_that_fall_back_on_each_other() -> None:
    sketch = assistant().node("small", "llm").on("llm.error", "small -> voice").on("small.error", "llm")
    (loop,) = analysed(sketch)[0].loops
    assert loop.steps == ("llm.error", "small.error", "llm.error")
    assert loop.reactions == ("on#1", "on#2")


def test_the_fix_leaves_other_events_of_the_line() -> None:
    (found,) = analysed(assistant().on("llm.timeout or llm.error or voice.error", "sorry -> voice"))[1]
    assert found.fix is not None
    assert found.fix.replacement == "", "one event and its `or` go"


def test_a_turn_that_is_aborted_and_tries_again() -> None:
    sketch = assistant().on("turn.abort", "sorry -> voice")
    made, (found,) = analysed(sketch)
    assert made.loops[0].steps == ("turn.abort", "turn.abort")  # the voice fails again, which aborts that turn too
    assert found.fix is not None
    assert found.fix.replacement == "\n  on voice.error or timeout -> end session"
    assert codes(sketch.on("voice.error or voice.timeout", "end session")) == []


def test_a_voice_whose_failure_aborts_as_its_line_says() -> None:
    sketch = assistant().on("voice.error", "abort turn").on("turn.abort", "sorry -> voice")
    assert ("turn.abort", "turn.abort") in [loop.steps for loop in analysed(sketch)[0].loops]
    sketch.on("voice.timeout", "end session")
    assert [loop.steps for loop in analysed(sketch)[0].loops] == [("voice.error", "turn.abort", "voice.error")]


def test_a_tool_that_is_called_again() -> None:
    sketch = assistant().tool("book").node("agent", "llm", tools=("book",)).flow("stt -> agent -> voice")
    assert codes(sketch.on("book.error or book.timeout", "call book")) == ["E1010"]


def test_a_model_that_calls_what_it_falls_back_from() -> None:
    sketch = assistant().tool("book").node("agent", "llm", tools=("book",)).flow("stt -> agent -> voice")
    (loop,) = analysed(sketch.on("book.error", "agent"))[0].loops
    assert loop.steps == ("book.error", "book.error")


def test_a_long_ring_is_told_by_its_shortest_way() -> None:
    sketch = assistant()
    for at in range(4):
        sketch.node(f"m{at}", "llm")
    for at in range(4):
        sketch.on(f"m{at}.error", f"m{(at + 1) % 4} -> voice")
    (loop,) = analysed(sketch.flow("stt -> m0 -> voice"))[0].loops
    assert loop.steps == ("m0.error", "m1.error", "m2.error", "m3.error", "m0.error")
    (loop,) = analysed(sketch.on("m2.error", "m1"))[0].loops
    assert loop.steps == ("m1.error", "m2.error", "m1.error")


@settings(max_examples=60)
@given(st.data())
def test_loops_are_those_of_a_walk_over_everything(data: st.DataObject) -> None:
    """Plain recursion: from each failure, whatever the lines set going fails, and so on until one comes again."""
    names = [f"m{at}" for at in range(data.draw(st.integers(1, 4)))]
    sketch = assistant()
    for name in names:
        sketch.node(name, "llm")
    sketch.flow("stt -> m0 -> voice")
    lines = data.draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from([*names, "sorry"])), max_size=5))
    for failing, fallback in lines:
        sketch.on(f"{failing}.error", f"{fallback} -> voice")

    def goes_round(failing: str, seen: tuple[str, ...]) -> bool:
        return failing in seen or any(
            goes_round(after, (*seen, failing)) for one, after in lines if one == failing and after != "sorry"
        )

    assert bool(analysed(sketch)[0].loops) == any(goes_round(name, ()) for name in names)


# ---- waits


def test_every_wait_has_its_deadline_and_where_it_is_from() -> None:
    span = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
    sketch = assistant().tool("book", timeout_ns=3 * S)
    sketch.node("keys", "collect", settings={"timeout_ns": 5 * S}).flow("ingress.dtmf -> keys -> llm")
    sketch.node("find", "grpc", hooks=(HookSpec(span=span, name="start", timeout_ns=S),)).flow("stt -> find -> llm")
    sketch.provider("llm", "openai", first_chunk_ns=700 * MS, speakable_ns=650 * MS, retry=retry(1, 50 * MS))
    made, found = analysed(sketch)
    assert found == ()
    table = {(wait.subject, wait.what): wait.deadline_ns for wait in made.waits}
    assert table["book", "its result"] == 3 * S
    assert table["keys", "the next key"] == 5 * S
    assert table["find", "its hook start"] == S
    assert table["llm", "its first text that can be spoken"] == 650 * MS
    assert table["provider llm", "the first chunk of an attempt"] == 700 * MS
    assert table["provider llm", "the next attempt"] == 50 * MS
    assert table["llm.delta -> voice.text", "the end of a sentence"] == 150 * MS
    assert table["session", "the transport to play"] == 500 * MS
    assert all(wait.deadline_ns or wait.on == "person" for wait in made.waits)


def test_speakable_text_follows_from_the_budget_and_the_hold() -> None:
    wait = next(wait for wait in analysed(assistant())[0].waits if "spoken" in wait.what)
    assert wait.deadline_ns == 950 * MS
    assert wait.origin.kind == "derived"


def test_a_block_without_a_bound() -> None:
    sketch = Sketch().flow("ingress.audio -> vad -> stt -> llm -> tts", overflow=steps("block"))
    assert codes(sketch.flow("tts -> egress.audio", overflow=steps("block"))) == ["E1012"]


@pytest.mark.parametrize(
    ("kind", "settings"), [("merge", {}), ("select", {"by": "highest"}), ("collect", {}), ("endpointer", {})]
)
def test_a_node_that_would_wait_for_ever(kind: str, settings: dict[str, str]) -> None:
    assert codes(assistant().node("n", kind, settings=settings)) == ["E1012"]


def test_the_first_candidate_is_waited_for_by_nobody() -> None:
    assert codes(assistant().node("n", "select", settings={"by": "first"})) == []


@pytest.mark.parametrize(
    ("settings", "what", "deadline_ns"),
    [
        ({"order": "timestamp", "within_ns": 20 * MS}, "an earlier item of another flow", 20 * MS),
        ({"order": "round_robin", "within_ns": 20 * MS}, "the next of its flows", 120 * S),
        ({"order": "priority", "within_ns": 20 * MS}, None, 0),
    ],
)
def test_a_merge_waits_as_its_order_says(settings: dict[str, Any], what: str | None, deadline_ns: int) -> None:
    sketch = assistant().node("both", "merge", settings=settings).flow("stt -> both -> llm.context")
    rows = [(wait.what, wait.deadline_ns) for wait in analysed(sketch)[0].waits if wait.subject == "both"]
    assert rows == ([] if what is None else [(what, deadline_ns)])


def test_a_sound_that_plays_again_and_again() -> None:
    sketch = assistant().node("music", "play", settings={"loop": True}).on("ears.idle", "music -> egress.audio")
    assert codes(sketch) == ["E1012"]
    assert codes(sketch.on("ears.barge_in", "cancel turn")) == []


def test_what_is_paused_is_resumed_by_another() -> None:
    sketch = assistant().on("session.stall", "pause ears")
    assert codes(sketch) == ["E1013"]
    assert codes(sketch.on("ears.idle", "resume ears")) == ["E1013"]
    assert codes(sketch.on("turn.close", "resume ears")) == []


@settings(max_examples=40)
@given(sketches(nodes_max=6))
def test_random_graphs_have_an_end_for_everything(sketch: Sketch) -> None:
    graph = sketch.graph()
    made = ends(graph, sketch.context())
    assert {(end.node, end.failure) for end in made.ends if end.of == "node"} == set(_can_fail(graph))
    assert {end.kind for end in made.ends} <= {"fallback", "abort", "restart", "next"}


def _can_fail(graph: Graph) -> list[tuple[str, str]]:
    found = []
    for node in graph.nodes:
        if node.execution == "effect":
            found += [(node.id, "error"), (node.id, "timeout")]
        elif node.kind == "python":
            found.append((node.id, "error"))
    return found
