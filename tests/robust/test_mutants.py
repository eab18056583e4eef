"""Thousands of damaged pipelines: never a traceback, never a wait, and the first finding is where the damage is."""

from __future__ import annotations

import pytest

from corpus import files
from mutants import Judge, Verdict, sample

CORPUS = files("pipelines", "tests/corpus")
EACH = 500  # mutants in each part; `python tests/robust/all_mutants.py` judges all there are
SECONDS_MAX = 5.0  # for one mutant, of processor time; a usual one takes some milliseconds
TOLD_MIN = 0.95


@pytest.mark.parametrize("part", range(4))
def test_mutants(part: int) -> None:
    judge = Judge(until="check")
    verdicts = [judge(mutant) for mutant in sample(CORPUS, EACH, seed=part)]
    assert len(verdicts) == EACH
    assert max(verdict.seconds for verdict in verdicts) < SECONDS_MAX
    found = [verdict for verdict in verdicts if verdict.first]
    told = [verdict for verdict in found if verdict.is_told]
    share = len(told) / len(found)
    print(f"{len(found)} of {EACH} mutants have findings; the first is at the damage in {share:.1%} of them")
    assert share >= TOLD_MIN, "\n".join(map(complaint, [verdict for verdict in found if not verdict.is_told]))


def complaint(verdict: Verdict) -> str:
    assert verdict.first
    return f"{verdict.mutant}: {verdict.first.primary}: {verdict.first.code} {verdict.first.message}"


def test_a_mutant_knows_where_it_is_damaged() -> None:
    for mutant in sample(CORPUS, 200, seed=7):
        lines = mutant.text.split("\n")
        assert 1 <= mutant.block[0] <= mutant.first <= mutant.last <= len(lines)
        assert mutant.first <= mutant.block[1] <= len(lines)


def test_sampling_can_be_repeated() -> None:
    assert sample(CORPUS, 50, seed=3) == sample(CORPUS, 50, seed=3) != sample(CORPUS, 50, seed=4)
