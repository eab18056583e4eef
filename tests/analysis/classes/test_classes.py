"""classes: personal data comes only to whom it may; against every way through small graphs, walked one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import S, Sketch, candidate
from rspp_compiler.analysis.data.classes import classes
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.classes import Classes
from rspp_compiler.ir.spec import OverrideSpec, RecordingSpec
from rspp_compiler.source import Source, Span

SPAN = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
LOCAL = candidate("scripted", accept=("PII", "PHI"))


def assistant(payload_class: str = "PII", **engines: Any) -> Sketch:
    """A recogniser that emits personal data; whoever is not given accepts everything."""
    sketch = Sketch().node("ears", "vad").node("voice", "tts").node("stt", settings={"class": payload_class})
    for kind in ("vad", "stt", "llm", "tts"):
        sketch.provider(kind, engines.get(kind, LOCAL))
    return sketch.flow("ingress.audio -> ears -> stt -> llm -> voice -> egress.audio")


def analysed(sketch: Sketch) -> tuple[Classes, tuple[Diagnostic, ...]]:
    ctx = sketch.context()
    made = classes(sketch.graph(), ctx)
    return made, ctx.sink.diagnostics


def codes(sketch: Sketch) -> list[str]:
    return [found.code for found in analysed(sketch)[1]]


def override(node: str, field: str, value: Any) -> OverrideSpec:
    return OverrideSpec(span=SPAN, node=node, field=field, value=value)


# ---- providers


def test_who_accepts_may_have_it() -> None:
    made, found = analysed(assistant())
    assert found == ()
    assert {(one.payload_class, one.port) for one in made.arrivals} == {
        ("PII", "llm.prompt"), ("PII", "voice.text"), ("PII", "egress.audio"),
    }  # fmt: skip
    assert (made.arrivals[1].before, made.arrivals[1].source) == ("llm.prompt", "stt.utterance")


def test_who_does_not_is_named_with_the_whole_way() -> None:
    made, (found,) = analysed(assistant(tts="cartesia"))
    assert made.breaches[0].way == ("stt.utterance", "llm.prompt", "voice.text")
    assert found.code == "E1111"
    assert found.notes[0] == "the way of PII: stt.utterance -> llm.prompt -> voice.text"
    assert "accept = [PII]" in found.help
    assert "redact { classes = [PII] }" in found.help


def test_every_candidate_must_accept() -> None:
    sketch = assistant()
    sketch.provider("llm", LOCAL, candidate("openai", accept=("PII",)), candidate("anthropic"))
    assert [breach.place for breach in analysed(sketch)[0].breaches] == ["llm: anthropic"]


@pytest.mark.parametrize(("emits", "accepts", "is_refused"), [("PHI", "PII", True), ("PII", "PHI", False)])
def test_who_accepts_the_more_sensitive_accepts_the_less(emits: str, accepts: str, is_refused: bool) -> None:
    assert bool(codes(assistant(emits, llm=candidate("openai", accept=(accepts,))))) == is_refused


def test_who_performs_a_node_sees_what_it_emits() -> None:
    made, (found,) = analysed(assistant(stt="deepgram"))
    assert made.breaches[0].way == ("stt.utterance",)
    assert found.help == "if `deepgram` may have it, write `accept = [PII]`"


def test_a_redaction_takes_its_classes_out_and_no_others() -> None:
    def masked(payload_class: str, *takes: str) -> Sketch:
        sketch = Sketch().node("stt", settings={"class": payload_class}).node("voice", "tts")
        sketch.node("mask", "redact", settings={"classes": takes}).provider("vad", LOCAL).provider("stt", LOCAL)
        return sketch.flow("ingress.audio -> vad -> stt -> mask -> llm -> voice -> egress.audio")

    assert codes(masked("PII", "PII")) == []
    assert codes(masked("PHI", "PII", "PHI")) == []
    assert codes(masked("PHI", "PII")) == ["E1111", "E1111"]  # the model and the voice


def test_the_fix_puts_a_redaction_into_the_flow() -> None:
    sketch = assistant(llm="openai")
    found = next(one for one in analysed(sketch)[1] if one.fix)
    assert found.fix is not None
    text = apply(sketch.source.text, [found.fix])
    assert "  node mask : redact { classes = [PII], action = mask }\n" in text
    assert "-> mask ->" in text


def test_a_failure_hands_on_what_was_being_worked_on() -> None:
    sketch = assistant().node("find", "grpc", inputs="q: text(PII)", outputs="a: text").node("small", "llm")
    sketch.provider("small", "openai", kind="llm").node("small", "llm", provider="small")
    sketch.flow("stt -> find -> llm.context").on("find.timeout or find.error", "small -> voice")
    made, _ = analysed(sketch)
    assert [(one.place, one.way) for one in made.breaches] == [
        ("small: openai", ("stt.utterance", "find.q", "small.prompt")),
    ]


def test_other_events_hand_on_nothing() -> None:
    sketch = assistant().node("sorry", "say").provider("small", "openai", kind="llm")
    sketch.node("small", "llm", provider="small").on("llm.started", "small -> voice").on("llm.error", "sorry -> voice")
    assert codes(sketch) == []


def test_parties_share_what_one_of_them_said() -> None:
    sketch = Sketch().party("ana").party("ben").node("hears", "stt", settings={"class": "PHI"}).node("says", "tts")
    sketch.provider("stt", LOCAL).provider("tts", "cartesia")
    assert codes(sketch.flow("ana.audio -> hears -> says -> ben.audio")) == ["E1111"]


# ---- modes and policies


def test_a_mode_may_change_who_performs() -> None:
    sketch = assistant().provider("cloud", "openai", kind="llm")
    sketch.mode("billing", overrides=(override("llm", "provider", "cloud"),)).mode("quiet", "voice")
    made, (found,) = analysed(sketch)
    assert [breach.mode for breach in made.breaches] == ["billing"]
    assert found.notes[-1] == "so it is in mode `billing`"


def masked() -> Sketch:
    sketch = Sketch().node("stt", settings={"class": "PHI"}).node("mask", "redact", settings={"classes": ("PHI",)})
    sketch.provider("vad", LOCAL).provider("stt", LOCAL)
    return sketch.flow("ingress.audio -> vad -> stt -> mask -> llm -> egress.text")


def test_a_mode_may_redact_less() -> None:
    sketch = masked()
    assert codes(sketch) == []
    assert codes(sketch.mode("open", overrides=(override("mask", "classes", ("PII",)),))) == ["E1111"]


def test_with_the_redaction_off_nothing_comes_by() -> None:
    assert codes(masked().mode("quiet", "mask")) == []


def test_a_policy_may_have_other_providers() -> None:
    sketch = assistant().policy("cheap", lambda one: one.provider("llm", "openai"))
    graph, ctx = sketch.graph(), sketch.context()
    ctx.sources["policies.rspp"] = Source("policies.rspp", "policy cheap when session.premium {\n  record L0\n}\n")
    classes(graph, ctx)
    assert ctx.sink.diagnostics == ()
    under = ctx.of_policy("cheap")
    classes(graph.variants[0], under)
    (found,) = under.sink.diagnostics
    assert found.fix is not None
    assert found.fix.replacement == (
        "\n  node mask_cheap : redact { classes = [PII], action = mask }\n  insert mask_cheap before llm.prompt"
    )


# ---- taps, ports, recordings


def test_a_tap_is_not_shown_what_failed_with_it() -> None:
    """A dead letter is of every input: what came to a node's other ports is shown too."""
    sketch = assistant().node("notes", "tap").on("llm.error", "notes")
    (found,) = analysed(sketch)[1]
    assert (found.code, found.notes[0]) == ("E1112", "the way of PII: stt.utterance -> llm.prompt -> notes.in")
    ports = {"inputs": "about: text, q: text(PII)", "outputs": "a: text"}
    sketch = assistant().node("find", "python", **ports).node("notes", "tap").flow("stt -> find.q").flow("find -> llm")
    assert codes(sketch.on("find.error", "notes")) == ["E1112"]


def test_a_tap_takes_neither() -> None:
    sketch = assistant().node("notes", "tap").flow("llm.final -> notes")
    made, (found,) = analysed(sketch)
    assert (found.code, made.breaches[0].way) == ("E1112", ("stt.utterance", "llm.prompt", "notes.in"))


@pytest.mark.parametrize(("takes", "expected"), [("text", ["E1114"]), ("text(PII)", []), ("text(PHI)", [])])
def test_a_custom_node_takes_what_its_signature_says(takes: str, expected: list[str]) -> None:
    sketch = assistant().node("find", "python", inputs=f"q: {takes}", outputs="a: text").node("notes", "tap")
    assert codes(sketch.flow("stt -> find -> notes")) == expected


def test_a_custom_node_emits_what_its_signature_says() -> None:
    sketch = assistant("text_raw", llm="openai").node("find", "python", inputs="q: text", outputs="a: text(PHI)")
    assert codes(sketch.flow("stt -> find -> llm.context")) == ["E1111"]


@pytest.mark.parametrize(
    ("level", "keep_ns", "region", "expected"),
    [("L0", 0, "", []), ("L1", 0, "eu", ["E1113"]), ("L2", S, "", ["E1113"]), ("L2", S, "eu", [])],
)
def test_a_recording_with_payloads_has_an_end_and_a_place(
    level: Any, keep_ns: int, region: str, expected: list[str]
) -> None:
    record = RecordingSpec(span=SPAN, level=level, keep_ns=keep_ns, region=region)
    assert codes(assistant().whole(recording=record)) == expected
    assert codes(assistant("text_raw").whole(recording=record)) == []


def test_what_is_kept_of_each_class_is_the_contracts() -> None:
    rows = {one.payload_class: one for one in analysed(assistant())[0].handling}
    assert (rows["PHI"].telemetry, rows["PHI"].timeline) == ("drop", "headers only")
    record = RecordingSpec(span=SPAN, level="L2", keep_ns=S, region="eu")
    kept = {one.payload_class: one.timeline for one in analysed(assistant().whole(recording=record))[0].handling}
    assert (kept["PII"], kept["PHI"]) == ("hash", "drop or hash")


# ---- against every way


@st.composite
def small(draw: st.DrawFn) -> Sketch:
    """Nodes of the kinds that matter, wired forward at random; classes, acceptances and a fallback at random."""
    some = st.sampled_from(["text_raw", "PII", "PHI"])
    accepts: st.SearchStrategy[Any] = st.sampled_from([(), ("PII",), ("PHI",), ("PII", "PHI")])
    sketch = Sketch().node("stt", settings={"class": draw(some)})
    sketch.provider("vad", LOCAL).provider("stt", candidate("deepgram", accept=draw(accepts)))
    sketch.provider("llm", *(candidate(name, accept=draw(accepts)) for name in ("a", "b")))
    names = [f"n{at}" for at in range(draw(st.integers(1, 5)))]
    for name in names:
        kind = draw(st.sampled_from(["llm", "python", "redact", "merge", "tap"]))
        fields: dict[str, Any] = {}
        if kind == "python":
            ports = st.sampled_from(["text", "text(PII)", "text(PHI)"])
            fields = {"inputs": f"a: {draw(ports)}", "outputs": f"b: {draw(ports)}", "place": "loop"}
        elif kind == "redact":
            fields = {"settings": {"classes": draw(st.sampled_from([("PII",), ("PHI",), ("PII", "PHI")]))}}
        sketch.node(name, kind, **fields)
    sketch.flow("ingress.audio -> vad -> stt")
    writers = ["stt"]
    for name in names:
        for source in sorted(draw(st.sets(st.sampled_from(writers), min_size=1, max_size=2))):
            sketch.flow(f"{source} -> {name}")
        if sketch._nodes[name].kind != "tap":
            writers.append(name)
    failing = [name for name in writers[1:] if sketch._nodes[name].kind in ("llm", "python")]
    falls_back = draw(st.booleans())
    if failing and falls_back:
        sketch.on(f"{draw(st.sampled_from(failing))}.error", draw(st.sampled_from(names)))
    return sketch


def redacted(node: GraphNode) -> tuple[str, ...]:
    classes = node.spec.settings["classes"]
    assert isinstance(classes, tuple)
    return classes


def ways(graph: Graph, node: GraphNode, port: str, of: str, seen: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every input that data of a class comes to from an input, by plain recursion."""
    yield node.id, port
    redacts = node.kind == "redact" and of in redacted(node)
    goes_on = node.kind in ("llm", "merge", "redact") and not redacts
    for edge in graph.out_of(node.id) if goes_on else ():
        if edge.id not in seen:
            yield from ways(graph, graph.node(edge.target), edge.target_port, of, seen | {edge.id})
    for line in graph.spec.reactions:
        if line.events[0].subject == node.id and line.trigger and line.id not in seen:
            yield from ways(graph, graph.node(line.trigger.node), line.trigger.port, of, seen | {line.id})


@settings(max_examples=100)
@given(small())
def test_arrivals_and_breaches_are_those_of_all_ways(sketch: Sketch) -> None:
    graph = sketch.graph()
    made = classes(graph, sketch.context())
    came: set[tuple[str, str, str]] = set()
    emitted: set[tuple[str, str]] = set()
    for node in graph.nodes:
        for port in node.spec.outputs:
            of = str(node.spec.settings.get("class", getattr(port.type, "payload_class", "")))
            if of in ("PII", "PHI"):
                emitted.add((node.id, of))
                for edge in graph.out_of(node.id, port.name):
                    target = graph.node(edge.target)
                    came |= {(*at, of) for at in ways(graph, target, edge.target_port, of, frozenset({edge.id}))}
    assert {(*one.port.rsplit(".", 1), one.payload_class) for one in made.arrivals} == came
    rank = {"PII": 1, "PHI": 2}
    expected = set()
    for node in graph.nodes:
        present = {of for id, _, of in came if id == node.id}
        if node.kind == "tap" and present:
            expected.add(node.id)
        elif node.kind == "python":
            takes = rank.get(getattr(node.spec.inputs[0].type, "payload_class", ""), 0)
            if any(rank[of] > takes for of in present):
                expected.add(node.id)
        elif provider := graph.provider_of(node):
            present |= {of for id, of in emitted if id == node.id}
            for one in provider.candidates:
                most = max((rank[of] for of in one.accept), default=0)
                if any(rank[of] > most for of in present):
                    expected.add(f"{node.id}: {one.name}")
    assert {one.place.rpartition(".")[0] if one.kind != "provider" else one.place for one in made.breaches} == expected
