"""Dead letters in the plan: what each node keeps, the slots for it, and the bytes."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import compile_text, value
from rspp_compiler.ir.layout import Action, Plan
from rspp_compiler.ir.memory import LETTERS_BYTES, RETAINED_BYTES, memory_table

TEXT = """pipeline desk {{
  node weigh (said : text) -> (kept : text) : python("desk:weigh")
  node look (question : text) -> (prompt : text) : python("desk:look") {{ timeout = 150ms }}
  node lost : tap
  ingress.audio -> vad -> stt -> look -> llm -> weigh -> tts -> egress.audio
  budget {{ llm = 600ms }}
{lines}}}
"""
SHOWN = "  on weigh.error -> lost\n  on look.timeout or error -> lost\n  on llm.error -> lost\n"


def plan(lines: str) -> Plan:
    made: Plan = value(compile_text(TEXT.format(lines=lines), until="layout"), "layout").plan
    return made


@pytest.fixture(scope="module")
def shown() -> Plan:
    return plan(SHOWN)


def kept(made: Plan) -> dict[str, int]:
    return {node.name: node.letters for node in made.nodes if node.letters}


def test_a_node_keeps_what_may_be_with_it(shown: Plan) -> None:
    window = next(node.window for node in shown.nodes if node.name == "look")
    assert kept(shown) == {"weigh": 1, "look": window, "llm": next(n.window for n in shown.nodes if n.name == "llm")}
    lost = next(node.id for node in shown.nodes if node.name == "lost")
    assert [row.action for row in shown.reactions] == [Action("show", lost)] * 4


def test_each_has_a_slot_and_so_has_what_waits_in_telemetry(shown: Plan) -> None:
    usual = {pool.name: pool.slots for pool in plan("  stt.partial -> lost\n").pools}
    names = {node.id: node.name for node in shown.nodes}
    for index, pool in enumerate(shown.pools):
        into = {names[edge.target] for edge in shown.edges if edge.pool == index}
        more = sum(kept(shown).get(name, 0) for name in into)
        assert pool.slots == usual[pool.name] + more + (shown.telemetry_out_max if more else 0)


def test_their_bytes_are_counted(shown: Plan) -> None:
    rows: dict[str, Any] = {row.what: row.total for row in memory_table(shown)}
    for name, count in kept(shown).items():
        assert rows[f"dead letters: {name}"] == LETTERS_BYTES + count * RETAINED_BYTES


def test_a_pipeline_without_them_pays_nothing() -> None:
    made = plan("  stt.partial -> lost\n")
    assert kept(made) == {}
    assert not any(row.what.startswith("dead letters") for row in memory_table(made))
