"""Every Python example of docs/providers.md runs, in order, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "providers.md"


def test_the_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = PAGE.read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert len(blocks) >= 7
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block[1], str(PAGE), "exec"), names)


def test_the_examples_of_the_page_on_tools_run() -> None:
    page = ROOT / "docs" / "tools.md"
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "docs"}
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert len(blocks) == 2
    for block in blocks:
        exec(compile("\n" * text.count("\n", 0, block.start(1)) + block[1], str(page), "exec"), names)
