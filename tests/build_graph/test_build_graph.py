"""build_graph: nodes in topological order, every edge once, and what belongs to a turn."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from pipelines import HELLO, NAMES, SHOP, codes, compile_file, compile_text, golden, shipped, value
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.graph import Graph


def graph(text: str) -> Graph:
    made: Graph = value(compile_text(text, until="build_graph"), "build_graph")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, snapshot: SnapshotAssertion) -> None:
    made = value(compile_file(shipped(name), until="build_graph"), "build_graph")
    assert to_json(made) == snapshot(name=name, extension_class=golden("json"))


def test_ingress_is_first_and_egress_last() -> None:
    made = graph(SHOP)
    assert made.nodes[0].id == "ingress"
    assert made.nodes[-1].id == "egress"
    order = [node.id for node in made.nodes]
    assert all(order.index(edge.source) < order.index(edge.target) for edge in made.edges)
    assert [node.position for node in made.nodes] == list(range(len(made.nodes)))


def test_hearing_is_outside_of_turns() -> None:
    scopes = {node.id: node.scope for node in graph(SHOP).nodes}
    assert {name for name, scope in scopes.items() if scope == "turn"} == {"llm", "sorry", "polish", "tts"}
    assert scopes["notes"] == scopes["ears"] == scopes["stt"] == scopes["egress"] == "session"


def test_what_follows_the_utterance_belongs_to_the_turn() -> None:
    scopes = {edge.id: edge.scope for edge in graph(SHOP).edges}
    assert scopes["stt.utterance -> llm.prompt"] == "turn"
    assert scopes["stt.partial -> notes.in"] == "session"
    assert scopes["tts.audio -> egress.audio"] == "turn"
    assert scopes["ears.speech -> stt.audio"] == "session"


@pytest.mark.parametrize(
    ("flow", "scope"),
    [
        ("ingress.audio -> ears -> stt\n  stt.partial -> notes", "session"),
        ("ingress.audio -> ears -> stt -> notes", "turn"),
    ],
)
def test_a_tap_takes_its_scope_from_where_it_stands(flow: str, scope: str) -> None:
    made = graph(f"pipeline p {{\n  node ears : vad\n  node notes : tap\n  {flow}\n}}\n")
    assert made.node("notes").scope == scope


def test_two_reactions_share_the_edge_of_their_paths() -> None:
    text = SHOP.replace("on tts.error ", "on stt.error -> sorry -> tts\n  on tts.error ")
    edges = [edge for edge in graph(text).edges if edge.source == "sorry"]
    assert [(edge.id, edge.reactions) for edge in edges] == [("sorry.text -> tts.text", ("on#2", "on#3"))]


def test_settings_of_a_shared_edge_are_written_once_or_alike() -> None:
    def shared(first: str, second: str) -> list[int | str]:
        paths = f"on stt.error -> sorry -> tts {first}\n  on vad.idle -> sorry -> tts {second}\n"
        body = f'  node sorry : say {{ text = "Sorry?" }}\n  {paths}  ingress.audio -> vad -> stt -> llm -> tts'
        text = f"pipeline p {{\n{body} -> egress.audio\n}}\n"
        result = compile_text(text, until="build_graph")
        made: Graph = value(result, "build_graph")
        return [*codes(result), *(edge.spec.buffer_items for edge in made.edges if edge.source == "sorry")]

    four, eight = "{ buffer = 4 items }", "{ buffer = 8 items }"
    assert shared(four, "") == shared("", four) == shared(four, four) == [4]
    assert shared(four, eight) == ["E0417", 4]


def test_a_cycle_is_still_a_graph() -> None:
    text = HELLO.replace(
        "ingress.audio ->",
        'node a (x : text) -> (y : text) : python("m:A")\n  a -> a\n  ingress.audio ->',
    )
    assert {node.id for node in graph(text).nodes} >= {"a", "llm"}
