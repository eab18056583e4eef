"""Samples of every contract: the model and its published schema agree on each, and name the field that is wrong.

A wrong sample is called `FIELD__what.json`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rspp_compiler.ir.contracts.rules import Contract
from rspp_compiler.ir.schemas import SCHEMAS, schema

HERE = Path(__file__).parent
NAMES = {
    "event": "rspp.event.v1",
    "control_signal": "rspp.control_signal.v1",
    "decision_outcome": "rspp.decision_outcome.v1",
    "turn_transition": "rspp.turn_transition.v1",
    "turn_plan": "rspp.turn.plan.v1",
    "evidence": "rspp.turn.evidence.v1",
}
# What JSON Schema has no words for: numbers compared with each other.
ONLY_THE_MODEL = {"seq_range.end__backwards"}


def samples(kind: str) -> list[Any]:
    found = sorted(HERE.glob(f"*/{kind}/*.json"))
    return [pytest.param(path, id=f"{path.parts[-3]}/{path.stem}") for path in found]


@cache
def validator(contract: str) -> Draft202012Validator:
    return Draft202012Validator(schema(NAMES[contract]))


def model(contract: str) -> type[Contract]:
    found = SCHEMAS[NAMES[contract]]
    assert issubclass(found, Contract)
    return found


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_contract_has_samples_of_both_kinds() -> None:
    for contract in NAMES:
        assert len(list((HERE / contract / "valid").glob("*.json"))) >= 3
        assert len(list((HERE / contract / "invalid").glob("*.json"))) >= 5


@pytest.mark.parametrize("path", samples("valid"))
def test_right(path: Path) -> None:
    contract = path.parts[-3]
    assert model(contract).problems(load(path)) == []
    assert [error.message for error in validator(contract).iter_errors(load(path))] == []


@pytest.mark.parametrize("path", samples("invalid"))
def test_wrong(path: Path) -> None:
    contract, field = path.parts[-3], path.stem.partition("__")[0]
    problems = model(contract).problems(load(path))
    assert [where for where, _ in problems] == [field], problems
    is_refused = not validator(contract).is_valid(load(path))
    assert is_refused == (path.stem not in ONLY_THE_MODEL)
