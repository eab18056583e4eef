"""analyze: exact latencies with their witness, compared with an independent count over all paths."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from pipelines import HELLO, NAMES, SHOP, codes, compile_file, compile_text, golden, shipped, value
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.graph import Graph, GraphEdge

MS = 1_000_000


def analysis(text: str) -> Analysis:
    made: Analysis = value(compile_text(text, until="analyze"), "analyze")
    return made


def budget(*rows: str) -> str:
    return HELLO.replace("}", f"  budget {{ {', '.join(rows)} }}\n}}")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, snapshot: SnapshotAssertion) -> None:
    made = value(compile_file(shipped(name), until="analyze"), "analyze")
    assert to_json(made) == snapshot(name=name, extension_class=golden("json"))


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_chain_needs_1750_ms(name: str) -> None:
    """200 + 300 + 800 + 150 + 300, as CONTRACTS §7 says."""
    worst = value(compile_file(shipped(name), until="analyze"), "analyze").worst
    assert worst.total_ns == 1750 * MS
    assert [step.ns // MS for step in worst.steps] == [200, 300, 800, 150, 300]
    assert [step.until_ns // MS for step in worst.steps] == [200, 500, 1300, 1450, 1750]


def test_a_path_may_take_exactly_its_budget() -> None:
    assert codes(compile_text(budget("turn = 1750ms"))) == []
    assert codes(compile_text(budget("turn = 1749ms"))) == ["E0501"]
    assert codes(compile_text(budget("turn = 1749999us"))) == ["E0501"]


def test_without_a_turn_budget_the_profile_grants_a_path_1800_ms() -> None:
    assert codes(compile_text(budget("llm = 850ms"))) == []
    assert codes(compile_text(budget("llm = 851ms"))) == ["E0502"]
    assert codes(compile_text(budget("llm = 851ms", "turn = 1900ms"))) == []


def test_the_fix_is_the_smallest_change_and_fits() -> None:
    text = budget("turn = 2s", "llm = 1200ms", "stt = 400ms")
    result = compile_text(text)
    (found,) = result.diagnostics
    assert found.fix is not None
    assert found.help == "lower `llm` from 1200ms to 950ms"
    fixed = text.encode()[: found.fix.span.start] + found.fix.replacement.encode() + text.encode()[found.fix.span.end :]
    assert codes(compile_text(fixed.decode())) == []


def test_every_number_has_its_origin() -> None:
    (found,) = compile_text(budget("turn = 1s", "llm = 700ms")).diagnostics
    text = "\n".join(found.notes)
    assert "llm (budget; user, example.rspp:4:" in text
    assert "stt (budget; execution_profile/simple/v1, line " in text
    assert "turn budget: 1000ms (user, example.rspp:4:" in text


def test_a_fallback_begins_when_the_budget_before_it_is_used_up() -> None:
    path = next(path for path in analysis(SHOP).paths if path.cause == "llm.timeout -> sorry")
    assert (path.starts_ns, path.total_ns) == (1300 * MS, 1600 * MS)


def test_a_fallback_that_cannot_be_in_time_is_refused() -> None:
    text = SHOP.replace("on tts.error ", "on tts.timeout -> sorry -> tts\n  on tts.error ")
    late = [found for found in compile_text(text).diagnostics if found.code == "E0503"]
    assert [found.primary.line for found in late] == [15]


def test_a_fallback_that_begins_too_late_says_so() -> None:
    text = SHOP.replace("on tts.error ", "on tts.timeout -> sorry -> tts\n  on tts.error ")
    result = compile_text(text.replace("  mode", "  budget { turn = 1500ms }\n  mode"))
    assert any("`tts.timeout -> sorry` begins only after 1600ms" in found.message for found in result.diagnostics)


def test_the_users_own_age_bound_counts() -> None:
    text = """pipeline p {
  node ears : vad
  ingress.audio -> ears -> stt { buffer = [64 items, 120ms] }
  stt -> llm -> tts -> egress.audio
}
"""
    assert analysis(text).paths[0].total_ns == 1670 * MS
    tighter = text.replace("120ms]", "120ms], latency = 60ms")
    assert analysis(tighter).paths[0].total_ns == 1610 * MS
    assert next(b for b in analysis(tighter).bounds if b.edge.startswith("ears")).age_ns_max == 60 * MS


def test_every_edge_is_bounded() -> None:
    for bound in analysis(SHOP).bounds:
        assert bound.items_max > 0
        assert bound.bytes_max > 0
        assert bound.overflow


def test_every_effect_has_an_end_for_both_failures() -> None:
    ends = {(end.node, end.failure): end.end for end in analysis(SHOP).ends}
    assert ends["llm", "timeout"] == "sorry -> tts"
    assert ends["tts", "error"] == "degrade text_only"
    assert ends["tts", "timeout"] == "aborts the turn (node_timeout_or_failure)"
    assert ends["stt", "error"] == "aborts the turn (provider_failure)"
    assert ends["polish", "error"] == "aborts the turn (node_timeout_or_failure)"
    assert {failure for node, failure in ends if node == "ears"} == {"error", "timeout"}


# ---- against an independent count ------------------------------------------------------------------------------------


def _chains(graph: Graph, node: str) -> Iterator[list[GraphEdge]]:
    """Every way from a node to the egress, by plain recursion."""
    for edge in graph.edges:
        if edge.source == node and not edge.reactions:
            if edge.target == "egress":
                yield [edge]
            else:
                yield from ([edge, *rest] for rest in _chains(graph, edge.target))


def _cost(graph: Graph, chain: list[GraphEdge]) -> int:
    edges = sum(
        edge.spec.handoff.age_ns_max if edge.spec.handoff else edge.spec.buffer_ns if edge.scope == "session" else 0
        for edge in chain
    )
    nodes = [graph.node(edge.source) for edge in chain[1:]]
    return edges + sum(node.spec.first_output_ns for node in nodes if node.execution == "effect")


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """A turn of up to four layers of Python nodes and a model, with taps and budgets at random."""
    layers = draw(st.integers(0, 4))
    lines = ["node ears : vad", "node notes : tap"]
    heads = ["stt"]
    for layer in range(layers):
        name = f"n{layer}"
        lines.append(f'node {name} (a : text) -> (b : text, c : text) : python("m:N")')
        lines.append(f"{draw(st.sampled_from(heads))} -> {name}")
        heads.append(f"{name}.{draw(st.sampled_from('bc'))}")
    lines.append(f"{heads[-1]} -> llm -> tts -> egress.audio")
    if draw(st.booleans()):
        lines.append("llm.delta -> egress.text")
    lines.append(f"ingress.audio -> ears -> stt {{ buffer = [64 items, {draw(st.integers(1, 500))}ms] }}")
    lines.append("stt.partial -> notes")
    rows = [f"{name} = {draw(st.integers(1, 900))}ms" for name in ("stt", "llm", "tts") if draw(st.booleans())]
    lines.append(f"budget {{ {', '.join(['turn = 20s', *rows])} }}")
    return "pipeline p {\n  " + "\n  ".join(lines) + "\n}\n"


@settings(max_examples=60, deadline=None)
@given(pipelines())
def test_the_worst_case_is_that_of_all_paths(text: str) -> None:
    made = analysis(text)
    chains = list(_chains(made.graph, "ears"))
    for output, found in itertools.groupby(
        sorted(chains, key=lambda chain: chain[-1].target_port), key=lambda chain: chain[-1].target_port
    ):
        worst = max(_cost(made.graph, chain) for chain in found)
        (path,) = [path for path in made.paths if path.output == f"egress.{output}"]
        assert path.total_ns == worst == sum(step.ns for step in path.steps)
