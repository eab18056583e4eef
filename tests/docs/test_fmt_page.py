"""The page on formatting: what it shows before becomes what it shows after."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from formatting import formatted

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fmt.md").read_text(encoding="utf-8")
PAIR = re.compile(r"^```rspp before\n(.*?)^```\n\n```rspp after\n(.*?)^```", re.MULTILINE | re.DOTALL)


def whole(text: str) -> str:
    """A file; lines without a pipeline of their own are put into one."""
    return text if text.startswith("pipeline ") else f"pipeline p {{\n{textwrap.indent(text, '  ')}}}\n"


def test_every_example_has_both_sides() -> None:
    assert len(PAIR.findall(PAGE)) == PAGE.count("```rspp ") / 2 >= 6


@pytest.mark.parametrize(("before", "after"), PAIR.findall(PAGE))
def test_an_example_of_formatting_is_true(before: str, after: str) -> None:
    assert formatted(whole(before)) == whole(after)
    assert formatted(whole(after)) == whole(after)
