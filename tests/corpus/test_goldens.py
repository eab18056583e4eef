"""The corpus of good pipelines: each is clean, and every stage of it is a golden. Read the goldens as prose."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from syrupy.assertion import SnapshotAssertion

from good_corpus import CASES, compiled, generated, is_run, texts
from pipelines import golden, value
from rspp_compiler.ir.context import STAGES

GOLDENS = Path(__file__).parent / "__snapshots__" / "test_goldens"
BYTES_MAX = 6_000_000  # of all goldens: they are there to be read
RUN = (
    "announcer", "bedtime_stories", "dictation", "fitness_coach", "front_desk", "hello", "help_line", "hotel_lobby",
    "kiosk", "library", "lip_sync", "lost_and_found", "museum_guide", "night_desk", "night_porter", "notes",
    "patient_host", "phone_menu", "prepaid", "punctual_host", "push_to_talk", "reading_room", "second_opinion",
    "smart_speaker", "taxi_line", "train_times", "two_tenants",
)  # fmt: skip
PARTS = ("README.md", "src/{}/_kernel.pyx", "src/{}/_layout.pxd", "src/{}/plan.py")


@pytest.mark.parametrize("name", CASES)
def test_is_clean(name: str) -> None:
    """Neither `check` nor `lint` has anything to say, but that a remote provider needs an adapter."""
    found = [f"{one.primary}: {one.code} {one.message}" for one in compiled(name).diagnostics if one.code != "E0909"]
    assert found == []


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", CASES)
def test_stage(name: str, stage: str, snapshot: SnapshotAssertion) -> None:
    assert texts(name)[stage] == snapshot(name=f"{name}.{stage}", extension_class=golden("txt"))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", RUN)
def test_generated_file(name: str, part: str, snapshot: SnapshotAssertion) -> None:
    path = PurePosixPath(part.format(value(compiled(name), "freeze").layout.plan.pipeline))
    text = generated(name).text(str(path))
    assert text == snapshot(name=f"{name}.{path.stem.strip('_')}", extension_class=golden(path.suffix[1:]))


def test_what_can_be_run_has_goldens_of_its_package() -> None:
    assert tuple(name for name in CASES if is_run(name)) == RUN
    assert len(RUN) >= 8


def test_the_corpus_is_not_small_and_its_goldens_not_large() -> None:
    assert len(CASES) >= 40
    assert sum(path.stat().st_size for path in GOLDENS.iterdir()) < BYTES_MAX
