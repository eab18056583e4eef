"""What OR-02 says about attempts, and that a replay decides them again (CONTRACTS §8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.plan import Attempts, Circuit, Plan
from rspp_runtime.evidence import facts
from rspp_runtime.evidence.entries import Evidence
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.replay import replay
from rspp_runtime.providers.acting import Act, Acting, Says
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.reference import Session

MS = 1_000_000
Record = Callable[..., Path]
ANSWER = Act(takes=1, says=(Says("delta", b"Here I am. "),))


@pytest.fixture
def two(scripted: ModuleType) -> Plan:
    """The scripted pipeline, whose model has a second provider and one retry of each."""
    plan: Plan = scripted.plan()
    attempts = Attempts(
        providers=("llm", "llm-1"),
        times=2,
        first_chunk_ns=150 * MS,
        backoff_ns=20 * MS,
        retain_items=8,
        circuit=Circuit(3, 30_000 * MS, 10_000 * MS),
    )
    nodes = tuple(replace(node, attempts=attempts) if node.name == "llm" else node for node in plan.nodes)
    return replace(plan, nodes=nodes)


def model_calls(path: Path) -> list[dict[str, Any]]:
    """The invocations of the model in the first turn."""
    records = {entry.turn: entry.or02 for entry in read(path).entries if isinstance(entry, Evidence)}
    assert missing_fields(records[1]) == []
    return [call for call in records[1]["provider_invocations"] if call["modality"] == "llm"]


def rows(path: Path) -> list[tuple[str, str, int, str]]:
    keys = ("provider", "outcome_class", "attempts", "retry_decision")
    return [tuple(call[key] for key in keys) for call in model_calls(path)]  # type: ignore[misc]


@pytest.mark.feature("F-160", "outcome")
@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.SUCCESS])
def test_every_class_of_failure_goes_to_the_next_provider(record: Record, two: Plan, outcome: Outcome) -> None:
    first, second = Acting("llm", [Act(takes=1, outcome=outcome)]), Acting("llm", [ANSWER])
    path = record("L2", two, llm=[first, second])
    assert rows(path)[0] == ("llm", outcome.name.lower(), 1, "provider_switch")
    assert rows(path)[1] == ("llm-1", "success", 2, "none")
    assert second.taken[0] == first.taken[0] != []


@pytest.mark.feature("F-059", "stop")
def test_retries_a_deadline_and_a_switch_are_on_record(record: Record, two: Plan) -> None:
    acts = [Act(takes=1, outcome=Outcome.OVERLOAD, retryable=True), Act(takes=1, hangs=True)]
    path = record("L2", two, llm=[Acting("llm", acts), Acting("llm", [ANSWER])])
    assert rows(path) == [
        ("llm", "overload", 1, "retry"),
        ("llm", "timeout", 2, "provider_switch"),
        ("llm-1", "success", 3, "none"),
    ]


def test_a_replay_decides_every_attempt_again(record: Record, two: Plan) -> None:
    path = record("L2", two, llm=[Acting("llm", [Act(takes=1, outcome=Outcome.BLOCKED)]), Acting("llm", [ANSWER])])
    report = replay(read(path), two, lambda session_id, epoch, handlers: Session(two, session_id, epoch, handlers))
    assert report.differences == []


def test_what_the_voice_is_given_twice_was_said_once(scripted: ModuleType, record: Record) -> None:
    plan = scripted.plan()
    attempts = Attempts(("voice", "voice-1"), first_chunk_ns=100 * MS, retain_items=8)
    nodes = tuple(replace(node, attempts=attempts) if node.name == "voice" else node for node in plan.nodes)
    mute = Acting("tts", [Act(hangs=True)])
    path = record("L2", replace(plan, nodes=nodes), llm=Acting("llm", [ANSWER]), voice=[mute, scripted.speak])
    turn = facts.read(plan, read(path).entries).turns[0]
    assert turn.said == b"Here I am."
    assert max(item.words for item in turn.played) == 3
