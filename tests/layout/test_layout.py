"""layout: ids, masks, pools and capacities; and that the compiler's tables are the runtime's."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import rspp_compiler.ir.layout as compiler_tables
import rspp_runtime.abi.plan as runtime_tables
from pipelines import HELLO, NAMES, SHOP, codes, compile_file, compile_text, golden, shipped, value
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.layout import Plan
from rspp_compiler.layout.control import Counter


def plan(text: str) -> Plan:
    made: Plan = value(compile_text(text, until="layout"), "layout").plan
    return made


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, snapshot: SnapshotAssertion) -> None:
    made = value(compile_file(shipped(name), until="layout"), "layout")
    assert to_json(made) == snapshot(name=name, extension_class=golden("json"))


def test_the_tables_are_those_of_the_runtime() -> None:
    def shape(module: Any) -> dict[str, list[tuple[str, str, Any]]]:
        return {
            name: [(field.name, str(field.type), field.default) for field in dataclasses.fields(item)]
            for name, item in vars(module).items()
            if dataclasses.is_dataclass(item)
        }

    assert shape(compiler_tables) == shape(runtime_tables)


def test_ids_are_indices() -> None:
    made = plan(SHOP)
    for table in (made.nodes, made.edges, made.events, made.reactions, made.modes):
        assert [row.id for row in table] == list(range(len(table)))
    assert all(0 <= edge.pool < len(made.pools) for edge in made.edges)


def test_edges_nearer_to_the_egress_come_first() -> None:
    """An edge is served before those that feed its source: what is nearly out goes first."""
    made = plan(SHOP)
    assert made.edges[0].name == "tts.audio -> egress.audio"
    assert made.edges[-1].name == "ingress.audio -> ears.audio"
    for edge in made.edges:
        assert all(edge.id < feeding for feeding in made.nodes[edge.source].edges_in)


def test_edges_of_one_port_share_a_pool_that_their_items_fit() -> None:
    made = plan(SHOP)
    for edge in made.edges:
        size = made.nodes[edge.source].outputs[edge.source_port].item_bytes_max
        assert made.pools[edge.pool].slot_bytes >= (edge.handoff.bytes_max if edge.handoff else size)
        siblings = [e for e in made.edges if (e.source, e.source_port) == (edge.source, edge.source_port)]
        assert len({e.pool for e in siblings if not e.handoff}) <= 1


def test_a_pool_never_runs_dry() -> None:
    """Slots for all that the rings and the outputs can hold at a time, and for the items in transit."""
    made = plan(SHOP)
    for index, pool in enumerate(made.pools):
        edges = [edge for edge in made.edges if edge.pool == index]
        most = sum(edge.items_max for edge in edges)
        kinds = {made.nodes[edge.target].kind for edge in edges}
        if any(made.nodes[edge.target].execution in ("effect", "boundary") for edge in edges):
            most += made.data_out_max
        if "tap" in kinds:
            most += made.telemetry_out_max
        assert pool.slots == most + 4


def test_masks_name_the_turn() -> None:
    made = plan(SHOP)
    assert {made.nodes[id].name for id in made.stages} == {"llm", "polish", "sorry", "tts"}
    assert made.turn_nodes == sum(1 << id for id in made.stages)
    assert made.turn_edges == sum(1 << edge.id for edge in made.edges if edge.scope == "turn")
    assert made.speech_nodes == 1 << next(node.id for node in made.nodes if node.kind == "tts")
    tts = next(node for node in made.nodes if node.kind == "tts")
    assert {made.nodes[bit].name for bit in range(9) if tts.upstream >> bit & 1} == {"polish", "sorry"}


def test_a_mode_takes_the_edges_of_its_nodes_with_it() -> None:
    full, text_only = plan(SHOP).modes
    assert (full.name, full.nodes_off, full.edges_off) == ("full", 0, 0)
    off = {edge.name for edge in plan(SHOP).edges if text_only.edges_off >> edge.id & 1}
    assert off == {"tts.audio -> egress.audio", "polish.text -> tts.text", "sorry.text -> tts.text"}


def test_events_of_a_detector_have_ports_behind_its_data() -> None:
    made = plan(SHOP)
    ears = next(node for node in made.nodes if node.kind == "vad")
    for event in made.events:
        if event.node == ears.id and event.port >= 0:
            assert ears.outputs[event.port].name == event.name.removeprefix("ears.")
            assert ears.outputs[event.port].type == "event"
    assert made.events[made.turn_owner].name == "ears.speech_end"
    assert made.events[made.speech_start].name == "ears.speech_start"
    assert (made.events[made.barge_in].name, made.events[made.barge_in].port) == ("ears.barge_in", -1)


def test_nobody_listens_to_barge_in_in_hello() -> None:
    assert plan(HELLO).barge_in == -1
    assert plan(HELLO).reactions == ()


def test_a_detector_owes_nothing_in_time() -> None:
    made = plan(HELLO)
    deadlines = {node.kind: (node.first_output_ns, node.chunk_ns) for node in made.nodes}
    assert deadlines["vad"] == (0, 0)
    assert deadlines["stt"] == (300_000_000, 0)
    assert deadlines["llm"] == (800_000_000, 1_000_000_000)


def test_end_utterance_at_the_owners_event_happens_once() -> None:
    text = HELLO.replace("tts -> egress.audio", "tts -> egress.audio\n  on vad.speech_end -> end utterance")
    made = plan(text)
    assert made.events[made.turn_owner].name == "vad.speech_end"
    assert made.reactions == ()


def test_by_default_what_is_about_to_be_heard_is_never_shed() -> None:
    edge = plan(HELLO).edges[0]
    assert (edge.overflow[0].strategy, edge.overflow[0].block_ns, edge.age_ns_max) == ("block", 0, 0)


def test_capacities() -> None:
    made = plan(SHOP)
    assert made.data_out_max >= 3 + made.context_items_max
    assert made.control_out_max >= 4 * made.control_step_max
    assert made.control_out_max & (made.control_out_max - 1) == 0
    assert made.ledger_max * 20_000_000 >= made.lead_ns


def test_a_degrade_raises_what_one_step_may_emit() -> None:
    """Each node and edge that a mode turns off adds to the step in which it happens."""
    made = plan(SHOP)

    def step_max(p: Plan) -> int:
        return Counter(p.nodes, p.edges, p.reactions, p.modes, p.recogniser, p.speech_start, p.barge_in).step_max()

    assert step_max(made) == made.control_step_max
    llm_error = next(node.event_error for node in made.nodes if node.kind == "llm")
    many = tuple(
        dataclasses.replace(reaction, id=10 + i, event=llm_error) for i, reaction in enumerate(made.reactions * 20)
    )
    assert step_max(dataclasses.replace(made, reactions=made.reactions + many)) > made.control_step_max


def test_an_edge_that_cannot_hold_one_item_is_refused() -> None:
    text = HELLO.replace("vad -> stt ->", "vad -> stt { buffer = 639B }\n  stt ->")
    assert codes(compile_text(text)) == ["E0512"]
    assert codes(compile_text(text.replace("639B", "640B"))) == []


def test_a_hand_off_needs_room_for_two() -> None:
    text = HELLO.replace("llm -> tts ->", "llm -> tts { buffer = 1 items }\n  tts ->")
    assert codes(compile_text(text)) == ["E0601"]


def test_more_nodes_than_bits_are_refused() -> None:
    taps = "\n".join(f"  node t{i} : tap\n  stt.partial -> t{i}" for i in range(60))
    text = HELLO.replace("  ingress.audio ->", f"{taps}\n  ingress.audio ->")
    assert codes(compile_text(text)) == []
    assert codes(compile_text(text, until="target")) == ["E0602", "E0602"]
