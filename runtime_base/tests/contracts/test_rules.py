"""How rules say what is wrong: once, in a sentence, with what was meant."""

from __future__ import annotations

from typing import Any

import pytest

from rspp_runtime.contracts.rules import Rules
from rspp_runtime.contracts.validation import ARTIFACTS, contract

ENVELOPE = {
    "schema_version": "v1.0", "event_scope": "session", "session_id": "s", "pipeline_version": "1.0.0",
    "event_id": "s/e1", "lane": "ControlLane", "transport_sequence": 1, "runtime_sequence": 1, "authority_epoch": 1,
    "runtime_timestamp_ms": 1, "wall_clock_timestamp_ms": 1, "payload_class": "metadata",
}  # fmt: skip


def signal(name: str, emitter: str, **fields: Any) -> dict[str, Any]:
    return ENVELOPE | {"signal": name, "emitted_by": emitter} | fields


def said(artifact: str, data: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.message) for problem in contract(artifact).check(data).problems]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (signal("connected", "RK-23"), []),
        (signal("conected", "RK-23"), [
            ("signal", "`signal` is one of 43 known words, not `conected` (did you mean `connected`?)"),
        ]),
        (signal("applause", "RK-23"), [("signal", "`signal` is one of 43 known words, not `applause`")]),
        (signal("connected", "RK-23", reason=""), [("reason", "`reason` has at least 1 character, not 0")]),
        (signal("connected", "RK-23", amount=True), [("amount", "`amount` is a whole number, not `true`")]),
        (signal("connected", "RK-23", amount=1.0), [("amount", "`amount` is a whole number, not `1.0`")]),
        (signal("connected", "RK-23", scope=None), [("scope", "`scope` is null: leave it out")]),
        (signal("cancel", "RK-06"), [("scope", "`scope` is missing where `signal` is `cancel`")]),
        (signal("commit", "RK-03"), [
            ("event_scope", "`event_scope` is `turn` where `signal` is `commit`, not `session`"),
        ]),
        # Everything that is wrong, each thing once; what rests on something wrong is not guessed at.
        (signal("commit", "RK-06", event_scope="turn", lane="data"), [
            ("lane", "`lane` is `ControlLane`, `DataLane` or `TelemetryLane`, not `data`"),
            ("turn_id", "`turn_id` is missing where `event_scope` is `turn`"),
            ("emitted_by", "`emitted_by` is `RK-03` where `signal` is `commit`, not `RK-06`"),
        ]),
        (signal("drop_notice", "RK-12", edge_id="e", target_lane="DataLane", reason="age", seq_range={"end": "4"}), [
            ("seq_range.start", "`start` is missing"),
            ("seq_range.end", "`end` is a whole number, not `4`"),
        ]),
        ([], [("", "`this` is an object, not a list")]),
    ],
)  # fmt: skip
def test_sentences(data: Any, expected: list[tuple[str, str]]) -> None:
    assert said("control_signal", data) == expected


def test_an_unknown_field_is_told_what_was_meant() -> None:
    step = {"from_state": "Opening", "trigger": "turn_open", "to_stat": "Active", "deterministic": True}
    assert said("turn_transition", step) == [
        ("to_state", "`to_state` is missing"),
        ("to_stat", "`to_stat` is no field of this: did you mean `to_state`?"),
    ]


def test_a_pattern_ends_where_the_text_ends() -> None:
    assert said("control_signal", signal("connected", "RK-23", schema_version="v1.0\n")) != []
    assert said("control_signal", signal("connected", "RK-23", schema_version="v1.٣")) != []


def test_data_that_holds_a_long_text_is_told_shortly() -> None:
    ((_, message),) = said("control_signal", signal("connected", "RK-23", schema_version="x\x1b" * 10_000))
    assert len(message) < 250
    assert "\x1b" not in message


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_names_of_rules_are_names_of_files(artifact: str) -> None:
    names = contract(artifact).names
    assert len(names) == len(set(names))
    assert all(len(name) < 200 and name.isascii() and not set(name) & set('/\\:*?"<>| ') for name in names)


def test_nothing_is_changed() -> None:
    data = signal("connected", "RK-23")
    before = repr(data)
    contract("control_signal").check(data)
    assert repr(data) == before


def test_parts_may_stand_in_each_other() -> None:
    tree = {
        "$defs": {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}, "required": []}},
        "properties": {"root": {"$ref": "#/$defs/Tree"}}, "type": "object",
    }  # fmt: skip
    assert Rules(tree, "tree").check({"root": {"left": {"left": 3}}}).problems[0].path == ("root", "left", "left")
