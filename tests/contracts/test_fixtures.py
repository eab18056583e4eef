"""Samples of OR-02 records: the model and its published schema agree on each, and name the field that is wrong.

A wrong sample is called `FIELD__what.json`. Those of the other contracts are in tests/conformance/contracts.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rspp_compiler.ir.contracts.evidence import TurnEvidence
from rspp_compiler.ir.schemas import schema

HERE = Path(__file__).parent / "evidence"


def samples(kind: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((HERE / kind).glob("*.json"))]


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema("rspp.turn.evidence.v1"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_samples_of_both_kinds() -> None:
    assert len(samples("valid")) >= 3
    assert len(samples("invalid")) >= 5


@pytest.mark.parametrize("path", samples("valid"))
def test_right(path: Path) -> None:
    assert TurnEvidence.problems(load(path)) == []
    assert [error.message for error in validator().iter_errors(load(path))] == []


@pytest.mark.parametrize("path", samples("invalid"))
def test_wrong(path: Path) -> None:
    problems = TurnEvidence.problems(load(path))
    assert [where for where, _ in problems] == [path.stem.partition("__")[0]], problems
    assert not validator().is_valid(load(path))
