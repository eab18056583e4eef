"""determinism: every fan-in is ordered, every input declared; guards are compared with a plain evaluation of both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Sketch, candidate, flag
from random_graphs import sketches
from rspp_compiler.analysis.safety.determinism import determinism
from rspp_compiler.analysis.safety.guards import can_both_hold, holds
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.condition import Comparison, Condition, Junction, Membership, Negation, Truth, Value, Variable
from rspp_compiler.ir.proofs.determinism import Determinism
from rspp_compiler.ir.spec import TextTemplate, TunableSpec
from rspp_compiler.source import Span

SPAN = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
SOURCES = {"external_call", "system_time", "random", "operator_override", "other"}  # CONTRACTS §6


def assistant() -> Sketch:
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("sorry", "say")
    return sketch.flow("ingress.audio -> ears -> stt -> llm -> voice -> egress.audio")


def analysed(sketch: Sketch) -> tuple[Determinism, tuple[Diagnostic, ...]]:
    ctx = sketch.context()
    made = determinism(sketch.graph(), ctx)
    return made, ctx.sink.diagnostics


def rules(sketch: Sketch) -> dict[str, str]:
    return {fan_in.port: fan_in.rule_id for fan_in in analysed(sketch)[0].fan_ins}


def number(field: str) -> Variable:
    return Variable(subject="event", field=field, type="number")


def compare(field: str, operator: Any, value: int) -> Condition:
    return Comparison(operator=operator, left=number(field), right=Value(value=value, shown=str(value)))


# ---- fan-in


@pytest.mark.parametrize("order", ["timestamp", "priority", "round_robin"])
def test_a_merge_orders_by_its_rule(order: str) -> None:
    settings_ = {"order": order, "priority": ("a", "b")}
    sketch = assistant().node("a", "python").node("b", "python").node("lines", "merge", settings=settings_)
    sketch.flow("stt -> a -> lines").flow("stt -> b -> lines").flow("lines -> llm.context")
    assert rules(sketch) == {"lines.in": f"merge.{order}"}
    assert analysed(sketch)[1] == ()


def test_a_reaction_takes_the_port_over() -> None:
    sketch = assistant().on("llm.error or llm.timeout", "sorry -> voice").on("ears.idle", "sorry -> voice")
    assert rules(sketch) == {"voice.text": "reaction.takeover"}


def test_lines_for_one_event_run_in_order() -> None:
    sketch = assistant().node("moment", "say").on("llm.error", "moment -> voice").on("llm.error", "sorry -> voice")
    assert rules(sketch) == {"voice.text": "reaction.lines"}
    assert analysed(sketch)[1] == ()


def test_two_models_that_answer_one_event() -> None:
    sketch = assistant().node("a", "llm").node("b", "llm")
    sketch.on("llm.error or llm.timeout", "a -> voice").on("llm.error", "b -> voice")
    made, (found,) = analysed(sketch)
    assert [fan_in.rule_id for fan_in in made.fan_ins] == ["none"]
    assert found.code == "E1101"
    assert found.fix is not None
    assert found.fix.replacement == "a.error"  # which hands on what `a` was working on


def test_only_the_shared_event_is_taken_away() -> None:
    sketch = assistant().node("a", "llm").node("b", "llm")
    sketch.on("llm.error", "a -> voice").on("stt.error or llm.error", "b -> voice")
    (found,) = analysed(sketch)[1]
    assert found.fix is not None
    assert found.fix.replacement == "a.error"


def test_a_model_and_a_text_have_an_order() -> None:
    sketch = assistant().node("a", "llm").on("llm.error", "a -> voice").on("llm.error", "sorry -> voice")
    assert rules(sketch) == {"voice.text": "reaction.lines"}


def test_two_sounds_at_once() -> None:
    sketch = assistant().node("a", "play").node("b", "play")
    sketch.on("llm.error", "a -> egress.audio").on("llm.error", "b -> egress.audio")
    (found,) = analysed(sketch)[1]
    assert (found.code, found.fix and found.fix.replacement) == ("E1101", "a.done")


def test_guards_that_exclude_each_other() -> None:
    sketch = assistant().node("a", "llm").node("b", "llm")
    sketch.on("ears.idle", "a -> voice", guard=compare("count", "<=", 2))
    sketch.on("ears.idle", "b -> voice", guard=compare("count", ">", 2))
    assert rules(sketch) == {"voice.text": "reaction.takeover"}


def test_two_flows_into_one_port() -> None:
    sketch = assistant().node("de", "llm").flow("stt -> de -> voice")
    made, (found,) = analysed(sketch)
    assert (made.fan_ins[0].rule_id, found.code) == ("none", "E1101")
    assert found.fix is not None


# ---- inputs


def test_every_input_is_declared_with_its_source_and_its_record() -> None:
    sketch = assistant().tool("book").node("tick", "timer").provider("llm", "openai", "anthropic")
    sketch.node("find", "python", place="loop").flow("stt -> find -> llm.context")
    sketch.node(
        "hello", "say", settings={"text": TextTemplate(template="${session.name}", variables=("session.name",))}
    )
    sketch.on("tick.fired", "hello -> voice", guard=flag("open", "session"))
    sketch.node("small", "llm", tunable=(TunableSpec(span=SPAN, field="temperature"),))
    rows = {one.input_key: (one.source, one.evidence_ref) for one in analysed(sketch)[0].inputs}
    assert rows["llm.output"] == ("external_call", "ingest/llm")
    assert rows["find.output"] == ("external_call", "ingest/find")
    assert rows["book.result"] == ("external_call", "ingest/book")
    assert rows["tick.fired"] == ("system_time", "ingest/now_ns")
    assert rows["now_ns"] == ("system_time", "ingest/now_ns")
    assert rows["ingress.audio"] == ("other", "ingest/ingress.audio")
    assert rows["egress.playback"] == ("other", "ingest/egress")
    assert rows["session.name"] == ("other", "plan/session.name")
    assert rows["session.open"] == ("other", "plan/session.open")
    assert rows["provider.llm"] == ("other", "plan/provider_bindings/llm")
    assert rows["small.temperature"] == ("operator_override", "plan/config/small.temperature")
    assert rows["control"] == ("operator_override", "ingest/control")


def test_what_policies_and_candidates_read_is_declared() -> None:
    sketch = assistant().provider("llm", candidate("openai", guard=flag("eu", "session")))
    graph = sketch.policy("clinic", lambda one: one, flag("clinic", "session")).graph()
    keys = {one.input_key for one in determinism(graph, sketch.context()).inputs}
    assert {"session.eu", "session.clinic"} <= keys


def test_what_the_kernel_does_is_no_input() -> None:
    keys = {
        one.input_key
        for one in analysed(assistant().node("calc", "python").flow("stt -> calc -> llm.context"))[0].inputs
    }
    assert not any(key.startswith(("calc", "sorry")) for key in keys)


@settings(max_examples=40)
@given(sketches(nodes_max=6))
def test_random_graphs(sketch: Sketch) -> None:
    """Each port with several flows has a row, each node that waits an input; every source is one of the contract's."""
    graph = sketch.graph()
    made = determinism(graph, sketch.context())
    ports = [(edge.target, edge.target_port) for edge in graph.edges]
    assert {fan_in.port for fan_in in made.fan_ins} == {f"{a}.{b}" for a, b in ports if ports.count((a, b)) > 1}
    keys = {one.input_key for one in made.inputs}
    assert {f"{node.id}.output" for node in graph.nodes if node.execution == "effect"} <= keys
    assert {one.source for one in made.inputs} <= SOURCES
    assert list(made.inputs) == sorted(made.inputs, key=lambda one: (one.input_key, one.source))


# ---- guards


numbers = st.sampled_from(["count", "words"])
atoms = st.one_of(
    st.builds(compare, numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(0, 3)),
    st.just(Comparison(operator="<", left=number("count"), right=number("words"))),
    st.just(Truth(variable=Variable(subject="event", field="final", type="flag"))),
    st.builds(
        lambda digits: Membership(
            left=Variable(subject="event", field="digit", type="text"),
            choices=tuple(Value(value=digit, shown=f'"{digit}"') for digit in digits),
        ),
        st.sets(st.sampled_from("012"), min_size=1).map(sorted),
    ),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda one: Negation(operand=one), inner),
        st.builds(lambda op, a, b: Junction(op=op, left=a, right=b), st.sampled_from(["and", "or"]), inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=100)
@given(conditions, conditions)
def test_guards_exclude_each_other_when_no_values_make_both_true(one: Condition, other: Condition) -> None:
    """Against a grid that is finer than any constant: halves from -2 to 5, three texts, a flag, nothing."""
    grid: list[float | None] = [half / 2 for half in range(-4, 11)]
    grid.append(None)
    found = any(
        holds(one, known) and holds(other, known)
        for count in grid
        for words in grid
        for final in (True, False, None)
        for digit in ("0", "1", "2", "other", None)
        for known in [
            {("event", "count"): count, ("event", "words"): words, ("event", "final"): final, ("event", "digit"): digit}
        ]
    )  # fmt: skip
    assert can_both_hold(one, other) == found


def test_a_missing_field_makes_comparisons_false() -> None:
    known = {("event", "count"): None}
    assert not holds(compare("count", "!=", 1), known)
    assert holds(Negation(operand=compare("count", "==", 1)), known)
