"""What holds for every pipeline of the corpus: same input, same bytes; and same meaning, same hash."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from formatting import formatted
from good_corpus import CASES, GOOD, compiled, digest, generated, is_run
from pipelines import ROOT, compile_file, value
from rearranged import reordered, untidy
from rspp_compiler.driver import Result, pass_function

SEEDED = ("clinic", "hotel_lobby", "insurer", "nested_modules", "studio_sync")
PRINT_DIGESTS = """
import sys
from good_corpus import compiled, digest
for name in sys.argv[1:]:
    print(name, digest(compiled(name)))
"""


def elsewhere(name: str, folder: Path, text: str | None = None) -> Result:
    """The case compiled in another folder, perhaps with another text."""
    path = CASES[name]
    if path.parent != GOOD:
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
    copy = folder / path.name
    copy.write_text(path.read_text(encoding="utf-8") if text is None else text, encoding="utf-8")
    return compile_file(copy, "freeze")


def template_hash(result: Result) -> str:
    frozen = value(result, "freeze")
    assert isinstance(frozen.template_hash, str)
    return frozen.template_hash


@pytest.mark.parametrize("name", CASES)
def test_the_folder_does_not_matter(name: str, tmp_path: Path) -> None:
    result = elsewhere(name, tmp_path)
    assert digest(result) == digest(compiled(name))
    if is_run(name):
        files = pass_function("emit", "render")(value(result, "freeze"), result.context)
        assert files.contents == generated(name).contents


def test_the_order_of_sets_does_not_matter() -> None:
    """Python hashes texts otherwise in each process; nothing that is written depends on it."""
    here = "".join(f"{name} {digest(compiled(name))}\n" for name in SEEDED)
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'plugins'}"}
        line = [sys.executable, "-c", PRINT_DIGESTS, *SEEDED]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout == here, done.stderr


@pytest.mark.parametrize("name", CASES)
def test_layout_and_notes_do_not_matter(name: str, tmp_path: Path) -> None:
    """Other blanks and breaks, comments and another `meta`: the hash is the same, and so it is after `fmt`."""
    text = untidy(CASES[name].read_text(encoding="utf-8"), random.Random(name))
    tidy = formatted(text)
    assert tidy != text
    assert template_hash(elsewhere(name, tmp_path, tidy)) == template_hash(compiled(name))


@pytest.mark.parametrize("name", CASES)
def test_order_that_means_nothing_does_not_matter(name: str, tmp_path: Path) -> None:
    """Settings of a block, the control lane among the other lines, and items of different kinds stand in any order."""
    text = CASES[name].read_text(encoding="utf-8")
    other = reordered(text)
    assert (other == text) == (name == "hello")  # which has nothing that could stand elsewhere
    assert template_hash(elsewhere(name, tmp_path, other)) == template_hash(compiled(name))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Be brief."', '"Be long."'),
        ("digits = 1", "digits = 2"),
        ("on turn.close ", "on turn.abort "),
        ("first_chunk = 350ms", "first_chunk = 351ms"),
        ('version "1.0.0"', 'version "1.0.1"'),
    ],
)
def test_what_means_something_does_matter(old: str, new: str, tmp_path: Path) -> None:
    text = CASES["two_regions"].read_text(encoding="utf-8")
    assert old in text
    result = elsewhere("two_regions", tmp_path, text.replace(old, new))
    assert template_hash(result) != template_hash(compiled("two_regions"))
