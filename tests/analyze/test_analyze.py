"""analyze: all analyses of a pipeline in one value, for the pipeline as written and under each policy."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from pipelines import HELLO, NAMES, SHOP, codes, compile_file, compile_text, golden, shipped, value
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.dump import to_json

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


def test_a_path_may_take_exactly_its_budget() -> None:
    assert codes(compile_text(budget("turn = 1750ms"))) == []
    assert codes(compile_text(budget("turn = 1749ms"))) == ["E0501"]
    assert codes(compile_text(budget("turn = 1749999us"))) == ["E0501"]


def test_without_a_turn_budget_the_profile_grants_a_path_1800_ms() -> None:
    assert codes(compile_text(budget("llm = 850ms"))) == []
    assert codes(compile_text(budget("llm = 851ms"))) == ["E0502"]
    assert codes(compile_text(budget("llm = 851ms", "turn = 1900ms"))) == []


def test_every_number_has_its_origin() -> None:
    (found,) = compile_text(budget("turn = 1s", "llm = 700ms")).diagnostics
    text = "\n".join(found.notes)
    assert "llm (budget; user, example.rspp:4:" in text
    assert "stt (budget; execution_profile/simple/v1, line " in text
    assert "turn budget: 1000ms (user, example.rspp:4:" in text


def test_every_edge_is_bounded() -> None:
    for bound in analysis(SHOP).bounds:
        assert bound.items_max > 0
        assert bound.bytes_max > 0
        assert bound.overflow


def test_what_the_user_says_of_an_edge_bounds_it() -> None:
    text = """pipeline p {
  node ears : vad
  ingress.audio -> ears -> stt { buffer = [64 items, 120ms], latency = 60ms }
  stt -> llm -> tts -> egress.audio
}
"""
    bounds = {bound.edge: bound for bound in analysis(text).bounds}
    ears, out = bounds["ears.speech -> stt.audio"], bounds["tts.audio -> egress.audio"]
    assert (ears.items_max, ears.age_ns_max, ears.contributes_ns) == (64, 60 * MS, 60 * MS)
    assert [step.strategy for step in out.overflow] == ["block"]
    assert (out.age_ns_max, out.contributes_ns) == (0, 0)


POLICY = """
policy patient when session.tenant == "clinic" {
  node   mask : redact { classes = [PHI], action = drop }
  insert mask before llm.prompt
}
"""
SLOWER = """
policy slower when session.tenant == "clinic" {
  node   check (a : text) -> (b : text) : python("m:Check") { timeout = 400ms }
  insert check before llm.prompt
}
"""


def test_every_policy_has_results_of_its_own() -> None:
    made = analysis(HELLO + POLICY)
    (variant,) = made.variants
    assert (made.policy, variant.policy, variant.variants) == ("", "patient", ())
    assert "patient.mask" in {node.id for node in variant.graph.nodes}
    assert variant.worst == made.worst


def test_a_finding_names_the_policy_under_which_it_holds() -> None:
    (found,) = [one for one in compile_text(HELLO + SLOWER).diagnostics if one.code == "E0502"]
    assert "2150ms" in found.message
    assert "so it is under policy `slower`" in found.notes


def test_what_holds_without_the_policy_is_said_once() -> None:
    assert codes(compile_text(budget("turn = 1s") + POLICY)) == ["E0501"]


def test_assumptions_are_sorted_and_each_has_an_id_of_its_own() -> None:
    ids = [one.id for one in analysis(SHOP).assumptions]
    assert ids == sorted(set(ids))
    assert {"first_output:llm", "age:ears.speech -> stt.audio", "handoff:polish.text -> tts.text"} & set(ids)
