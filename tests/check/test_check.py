"""check: each rule with what breaks it. How the findings read: the page of each code, in tests/diagnostics."""

from __future__ import annotations

import pytest

from pipelines import HELLO, NAMES, SHOP, codes, compile_file, compile_text, shipped, value
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.sema.build_graph import build_graph
from rspp_compiler.sema.check import check
from rspp_compiler.source import Source


@pytest.mark.feature("F-003", "typed", "mismatch")
def test_ports_connect_over_fitting_types_only() -> None:
    """The shop's Python node declares its ports: text flows through it, audio does not."""
    assert codes(compile_text(SHOP)) == []
    wrong = SHOP.replace("(draft : text)", "(draft : audio)")
    result = compile_text(wrong)
    assert codes(result) == ["E0401"]
    assert result.diagnostics[0].message == "`llm.delta` is text, and `polish.draft` takes audio(16kHz, mono, s16le)"
    assert [label for _, label in result.diagnostics[0].secondary] == ["`polish.draft` is audio(16kHz, mono, s16le)"]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines_are_clean(name: str) -> None:
    assert codes(compile_file(shipped(name))) == []


@pytest.mark.feature("F-001", "clean")
def test_shop_is_clean() -> None:
    assert codes(compile_text(SHOP)) == []


def test_a_cycle_is_shown_arrow_by_arrow() -> None:
    text = HELLO.replace(
        "  ingress.audio ->",
        """  node a (x : text, again : text) -> (y : text) : python("m:A")
  node b (x : text) -> (y : text) : python("m:B")
  node c (x : text) -> (y : text) : python("m:C")
  stt -> a.x
  a -> b
  b -> c
  c -> a.again
  ingress.audio ->""",
    )
    result = compile_text(text)
    found = next(found for found in result.diagnostics if found.code == "E0403")
    assert found.message == "flows form a cycle: a -> b -> c -> a"
    spans = [found.primary, *(span for span, _ in found.secondary)]
    assert [span.line for span in spans] == [7, 8, 9]


def test_every_mistake_is_found_in_one_run() -> None:
    text = HELLO.replace("tts -> egress.audio", "egress.audio").replace(
        "  ingress.audio ->",
        """  node alone : tap
  node late  : say { text = "x" }
  ingress.text -> late
  ingress.audio ->""",
    )
    assert set(codes(compile_text(text))) == {"E0401", "E0404", "E0405", "E0409", "E0419"}


def test_an_item_must_fit_its_port() -> None:
    graph: Graph = value(compile_text(HELLO, until="build_graph"), "build_graph")
    nodes = tuple(
        node.model_copy(update={"inputs": tuple(p.model_copy(update={"item_bytes_max": 10}) for p in node.inputs)})
        if node.id == "llm"
        else node
        for node in graph.spec.nodes
    )
    assert _codes_of(graph, {"nodes": nodes}) == ["E0402"]


def test_a_text_must_fit_its_item() -> None:
    assert codes(compile_text(SHOP.replace('"Sorry?"', f'"{"é" * 513}"'))) == ["E0415"]
    assert codes(compile_text(SHOP.replace('"Sorry?"', f'"{"é" * 512}"'))) == []


def test_a_detector_that_hears_the_agent_may_not_interrupt() -> None:
    assert codes(compile_text(f"{SHOP}provider vad {{ use silero }}\n")) == []
    assert codes(compile_text(f"{SHOP}provider vad {{ use webrtc }}\n")) == ["E0410", "E0909"]


def _codes_of(graph: Graph, update: dict[str, object]) -> list[str]:
    """Codes of the graph's spec with some fields changed."""
    spec = graph.spec.changed(**update)
    ctx = Context(sources={span.file: Source(span.file, HELLO) for span in (spec.span, *(n.span for n in spec.nodes))})
    check(build_graph(spec, ctx), ctx)
    return [found.code for found in ctx.sink.diagnostics]
