"""The tables of docs/contracts.md say what the models say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from rspp_compiler.ir.contracts.control_signal import TABLE, Name
from rspp_compiler.ir.contracts.event import Envelope
from rspp_compiler.ir.contracts.turn_transition import TRANSITIONS

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")


def table(section: str, first: str) -> list[list[str]]:
    """The rows of the table under a heading whose first column is called `first`."""
    (text,) = re.findall(rf"^## {re.escape(section)}.*?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    start = next(at for at, row in enumerate(rows) if row[0] == first) + 2
    return rows[start:]


def words(cell: str) -> tuple[str, ...]:
    """The first word of everything in quotes: of `seq_range {start ≤ end}` it is `seq_range`."""
    return tuple(re.findall(r"`([\w-]+)[^`]*`", cell))


def test_signals() -> None:
    documented = {
        signal: (set(re.findall(r"[A-Z]{2}-\d{2}", emitters)), also)
        for signals, emitters, also in table("3. Control signals", "signal")
        for signal in words(signals)
    }
    assert documented.keys() == set(get_args(Name)) == {signal for row in TABLE for signal in row.signals}
    for row in TABLE:
        for signal in row.signals:
            emitters, also = documented[signal]
            assert emitters == set(row.emitters), signal
            assert set(row.required) == set(words(also.split(";")[0])), signal
            assert (f"{row.scope} scope" in also) == bool(row.scope), signal


def test_transitions() -> None:
    documented = [(a, words(by), b) for a, by, b in table("5. Turn lifecycle", "from")[: len(TRANSITIONS)]]
    assert documented == [tuple(one) for one in TRANSITIONS]


@pytest.mark.parametrize("row", table("2. Event envelope", "field"), ids=lambda row: row[0])
def test_fields_of_an_event(row: list[str]) -> None:
    """`*` means always."""
    for name in words(row[0]):
        field = Envelope.model_fields[name]
        assert field.is_required() == ("*" in row[0])
