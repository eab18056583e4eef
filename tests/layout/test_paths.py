"""Budgets of paths in the layout: what begins one, what ends it, what lies on the way, and which are not kept."""

from __future__ import annotations

import pytest

from pipelines import codes, compile_text, value
from rspp_compiler.ir.budgets import PathBudget
from rspp_compiler.ir.layout import Plan

MS = 1_000_000
TEXT = """
pipeline p {{
  node ears  : vad
  node voice : tts
  node wait  : say {{ text = "One moment." }}
  ingress.audio -> ears -> stt -> llm -> voice -> egress.audio {{ commit_point }}
  llm.delta -> egress.text
  on voice.error -> degrade text_only
  {line}
  mode text_only {{ off = [voice] }}
  budget {{ turn = 4s, {budget} }}
}}
"""
KEYS = """
pipeline p {{
  node pin   : collect {{ digits = 4, timeout = 3s }}
  node voice : tts
  ingress.dtmf -> pin -> llm -> voice -> egress.audio
  budget {{ turn = 9s, {budget} }}
}}
"""


def laid_out(text: str) -> tuple[Plan, PathBudget]:
    plan: Plan = value(compile_text(text, until="layout"), "layout").plan
    (path,) = plan.paths
    return plan, path


def names(mask: int, rows: tuple[object, ...]) -> set[str]:
    return {row.name for row in rows if mask >> row.id & 1}  # type: ignore[attr-defined]


def in_speech(budget: str, line: str = "on llm.error -> wait -> voice") -> tuple[Plan, PathBudget]:
    return laid_out(TEXT.format(line=line, budget=budget))


def test_it_warns_at_the_share_of_the_turns_budget() -> None:
    plan, path = in_speech("stt.utterance -> voice.audio = 1500ms")
    assert (path.name, path.limit_ns) == ("stt.utterance -> voice.audio", 1500 * MS)
    assert path.warning_ns * plan.turn_ns == path.limit_ns * plan.turn_warning_ns


def test_in_a_turn_it_begins_with_what_is_pushed() -> None:
    plan, path = in_speech("stt.utterance -> voice.audio = 1500ms")
    assert names(path.pushed, plan.edges) == {"stt.utterance -> llm.prompt"}
    assert (path.hears, path.from_input_end) == (False, False)
    assert plan.nodes[path.ends_node].name == "voice"
    assert names(path.edges, plan.edges) == {"stt.utterance -> llm.prompt", "llm.delta -> voice.text"}
    assert names(path.nodes, plan.nodes) == {"llm", "voice"}
    assert names(path.modes, plan.modes) == {"full"}  # in writing, nobody speaks


def test_from_outside_it_counts_from_the_end_of_the_input() -> None:
    plan, path = in_speech("ingress.audio -> llm.delta = 1500ms")
    assert (path.hears, path.from_input_end) == (True, True)
    assert names(path.pushed, plan.edges) == {"stt.utterance -> llm.prompt"}
    assert names(path.nodes, plan.nodes) == {"llm"}
    assert names(path.modes, plan.modes) == {"full", "text_only"}


def test_up_to_what_is_heard_there_is_nothing_of_a_turn_on_the_way() -> None:
    plan, path = in_speech("ears.speech -> stt.final = 700ms")
    assert (path.pushed, path.edges, path.nodes) == (0, 0, 0)
    assert path.ends_node == plan.recogniser
    assert path.hears


def test_into_an_input_it_ends_with_whatever_is_taken_there() -> None:
    """The excuse, too: it comes by the path of a reaction."""
    plan, path = in_speech("llm.delta -> voice.text = 300ms")
    assert names(path.ends_edges, plan.edges) == {"llm.delta -> voice.text", "wait.text -> voice.text"}
    assert (path.ends_node, path.nodes) == (-1, 0)


def test_keys_count_from_where_they_are_complete() -> None:
    plan, path = laid_out(KEYS.format(budget="ingress.dtmf -> llm.delta = 5s"))
    assert (path.hears, path.from_input_end) == (False, True)
    assert names(path.pushed, plan.edges) == {"pin.text -> llm.prompt"}
    plan, path = laid_out(KEYS.format(budget="pin.text -> egress.audio = 5s"))
    assert path.from_input_end is False


@pytest.mark.parametrize("budget", ["ingress.audio -> ears.speech = 900ms", "ears.speech -> stt.audio = 900ms"])
def test_outside_of_turns_it_is_not_kept(budget: str) -> None:
    text = TEXT.format(line="on llm.error -> wait -> voice", budget=budget)
    assert "E0904" in codes(compile_text(text, until="target"))


def test_a_line_for_one_path_begins_at_its_limit() -> None:
    """1500 ms after the question was heard; for the turn's own budget it would be too late."""
    budget, event = "stt.utterance -> voice.audio = 1500ms", "on turn.budget_exhausted"
    guarded = f'{event} when event.path == "stt.utterance -> voice.audio" -> wait -> voice'
    text = TEXT.format(line=guarded, budget=budget)
    fallbacks = value(compile_text(text, until="analyze"), "analyze").latency.fallbacks
    (found,) = [one for one in fallbacks if one.cause == "turn.budget_exhausted -> wait"]
    assert found.starts_ns == (200 + 300 + 1500) * MS
    text = TEXT.format(line=f"{event} -> wait -> voice", budget=budget)
    assert "E0503" in codes(compile_text(text, until="analyze"))


@pytest.mark.parametrize("path", ["stt -> voice", "stt.utterance -> voice", "llm.delta -> voice.text"])
def test_a_guard_names_a_path_that_has_a_budget(path: str) -> None:
    line = f'on turn.budget_exhausted when event.path == "{path}" -> wait -> voice'
    text = TEXT.format(line=line, budget="stt.utterance -> voice.audio = 1500ms")
    assert codes(compile_text(text, until="analyze")).count("E0508") == 1
