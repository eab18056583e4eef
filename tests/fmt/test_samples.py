"""fmt on real files: samples stay as they are, every file of the repository keeps its meaning, and so do mutants."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

import pytest

from formatting import formatted, parsed

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(Path(__file__).with_name("samples").glob("*.rspp"))
SHIPPED = sorted([*(ROOT / "pipelines").rglob("*.rspp"), *(ROOT / "tests" / "corpus" / "good").rglob("*.rspp")])
CORPUS = sorted((ROOT / "tests" / "corpus").rglob("*.rspp"))
MUTANTS = 12  # of each file


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*SAMPLES, *SHIPPED], ids=ids)
def test_is_in_canonical_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", CORPUS, ids=ids)
def test_keeps_the_meaning_of_what_can_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if parsed(text):
        formatted(text)


@pytest.mark.parametrize("path", SAMPLES, ids=ids)
def test_the_canonical_form_of_one_line_is_the_sample(path: Path) -> None:
    """What the sample's columns look like is decided by fmt alone: without them, it makes the same ones again."""
    text = path.read_text(encoding="utf-8")
    squeezed = re.sub(r"(?<=\S) +", " ", text) if '"""' not in text else text
    assert formatted(squeezed) == text


TOKEN = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|\#[^\n]*|->|[\w.%/]+|[^\w\s]|\n| +')
INSERTED = ("\n", " # new\n", "\n# new\n", ",", "\n\n\n", "   ", "-> x ", "(", "{ }", " or x")


def mutant(text: str, chance: Random) -> str:
    """One thing out of place: a token gone, doubled, swapped with the next, or something between two."""
    tokens = TOKEN.findall(text)
    for _ in range(chance.choice([1, 1, 2])):
        at = chance.randrange(len(tokens) - 1)
        match chance.randrange(6):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, tokens[at])
            case 2:
                tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
            case _:
                tokens.insert(at, chance.choice(INSERTED))
    return "".join(tokens)


@cache
def mutants() -> list[str]:
    """Those that can be read. Seeded, so that a failure comes again."""
    chance = Random(20)
    texts = [path.read_text(encoding="utf-8") for path in [*SAMPLES, *CORPUS]]
    return [one for text in texts for _ in range(MUTANTS) if parsed(one := mutant(text, chance))]


def test_mutants_that_can_be_read_keep_their_meaning() -> None:
    assert len(mutants()) > 150
    for text in mutants():
        formatted(text)
