"""Whatever a file looks like, every feature answers at every place: damaged files, places in the middle of anything."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from lsprotocol.types import Range

from rspp_compiler.lsp import colours, findings, formatting, navigate, rename
from rspp_compiler.lsp.complete import complete
from rspp_compiler.lsp.hover import hover
from rspp_compiler.lsp.workspace import Workspace

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "pipelines").glob("*.rspp"), *(ROOT / "tests" / "corpus").rglob("*.rspp")])
MUTANTS = 10
BITS = [
    *("{", "}", "(", '"', '"""', "->", " when ", "=", ".", ",", "\n", "🎙", "\r\n", "#"),
    *("node ", "on ", "300", "module "),
]


def damaged(text: str, chance: random.Random) -> str:
    """A text with a piece missing, moved or put in."""
    start = chance.randrange(len(text))
    end = min(len(text), start + chance.randrange(1, 30))
    return chance.choice([
        text[:start] + text[end:],
        text[:start] + chance.choice(BITS) + text[start:],
        text[:start] + text[end : end + 40] + text[start:end] + text[end + 40 :],
        text[:start],
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(MUTANTS))
def test_every_feature_answers_on_damaged_files(seed: int) -> None:
    chance = random.Random(seed)
    path = chance.choice(FILES)
    workspace, name = Workspace(), path.as_posix()
    text = path.read_text(encoding="utf-8")
    workspace.put(name, text, 1)
    workspace.compile(name)
    for version in range(2, 4):
        text = damaged(text, chance) or "x"
        workspace.put(name, text, version)
        compilation = workspace.compile(name)
        known = findings.findings(workspace, name, compilation)
        shown = workspace.text(name)
        formatting.edits(shown)
        reading = workspace.reading(name)
        if reading is not None:
            navigate.outline(reading)
            colours.tokens(reading)
        for _ in range(8):
            at = shown.positions.position(chance.randrange(len(text) + 1))
            hover(workspace, name, at, known)
            complete(workspace, name, at)
            findings.actions(workspace, name, known, Range(at, at))
            if reading is None:
                continue
            navigate.definition(workspace, reading, at)
            mention = navigate.mention_at(workspace, reading, at)
            navigate.references(workspace, reading, mention, True)
            navigate.highlights(reading, mention)
            with contextlib.suppress(rename.RenameError):
                rename.rename(workspace, reading, mention, "another")
