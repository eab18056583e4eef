"""The OR-02 record of every turn (CONTRACTS §8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.evidence.entries import Evidence
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import IF_CANCELLED, REQUIRED, SCHEMA_VERSION, missing_fields

Record = Callable[..., Path]


@pytest.fixture
def turns(record: Record, scripted: ModuleType) -> dict[int, dict[str, Any]]:
    """The newest record of both turns: the first is talked over, the second answered."""
    path = record("L0", llm=scripted.answer(scripted.LONG))
    return {entry.turn: entry.or02 for entry in read(path).entries if isinstance(entry, Evidence)}


@pytest.mark.feature("NF-028", "complete")
def test_both_are_complete(turns: dict[int, dict[str, Any]]) -> None:
    assert {turn: missing_fields(record) for turn, record in turns.items()} == {1: [], 2: []}


def test_a_turn_has_the_call_of_its_own_recogniser(turns: dict[int, dict[str, Any]]) -> None:
    """It ends after the turn has opened; the first turn's is not the second's."""
    calls = {turn: [call["modality"] for call in record["provider_invocations"]] for turn, record in turns.items()}
    assert calls == {1: ["stt", "llm", "tts"], 2: ["stt", "llm", "tts"]}
    numbers = [
        int(c["provider_invocation_id"].removeprefix("test/i"))
        for t in (1, 2)
        for c in turns[t]["provider_invocations"]
    ]
    assert numbers == sorted(numbers)


def test_a_committed_turn(turns: dict[int, dict[str, Any]]) -> None:
    record = turns[2]
    assert record["turn_id"] == "test/2"
    assert (record["terminal_outcome"], record["terminal_reason"]) == ("commit", "completed")
    assert (record["lease_epoch_at_turn_open"], record["lease_epoch_at_terminal"]) == (1, 1)
    assert record["turn_open_timestamp"] < record["turn_close_timestamp"]
    assert record["policy_snapshot_ref"] == "policy/v1"
    assert len(record["plan_hash"]) == 64
    assert [call["modality"] for call in record["provider_invocations"]] == ["stt", "llm", "tts"]
    assert {call["outcome_class"] for call in record["provider_invocations"]} == {"success"}


@pytest.mark.feature("F-175", "fence", "refused")
def test_a_cancelled_turn_has_its_fence_and_what_was_refused(turns: dict[int, dict[str, Any]]) -> None:
    record = turns[1]
    assert (record["terminal_outcome"], record["terminal_reason"]) == ("abort", "cancelled")
    assert record["cancel_scope"] == "turn"
    assert record["cancel_accepted_timestamp"] <= record["cancel_fence_timestamp"]
    assert record["outputs_refused_count"] == len(record["outputs_refused"]) == 1
    refused = record["outputs_refused"][0]
    assert (refused["node_id"], refused["port"], refused["at"], refused["bytes"]) == ("voice", "audio", "ingest", 640)
    voice = next(call for call in record["provider_invocations"] if call["node_id"] == "voice")
    assert voice["outcome_class"] == "cancelled"
    assert 0 < record["words_heard"] < 20


@pytest.mark.feature("NF-028", "invalid")
@pytest.mark.parametrize("name", REQUIRED)
def test_each_missing_field_is_named(turns: dict[int, dict[str, Any]], name: str) -> None:
    record = dict(turns[2])
    del record[name]
    assert missing_fields(record) == [name]


@pytest.mark.parametrize("name", IF_CANCELLED)
def test_a_cancelled_turn_needs_more(turns: dict[int, dict[str, Any]], name: str) -> None:
    record = dict(turns[1])
    del record[name]
    assert missing_fields(record) == [name]


@pytest.mark.feature("NF-028", "invalid")
def test_another_schema_is_not_complete(turns: dict[int, dict[str, Any]]) -> None:
    record = turns[2] | {"or02_evidence_schema_version": "v0.9"}
    assert missing_fields(record) == [f"or02_evidence_schema_version (is not {SCHEMA_VERSION})"]


def test_an_invocation_without_its_outcome(turns: dict[int, dict[str, Any]]) -> None:
    record = dict(turns[2])
    calls = [dict(call) for call in record["provider_invocations"]]
    del calls[1]["outcome_class"]
    assert missing_fields(record | {"provider_invocations": calls}) == ["provider_invocations[1].outcome_class"]
