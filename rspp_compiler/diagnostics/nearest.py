"""Which known word a misspelt one is meant to be.

`nearest` finds words that differ by a slip of the hand, `related` words that share their beginning or some of their
parts: the first may be put in the place of what was written, the second may only be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_LONGEST = 60  # characters; what is longer was not misspelt
_PREFIX_MIN = 3


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` is a misspelling of, or an empty text.

    One slip in three letters is forgiven: a letter too many, one too few, another one, or two swapped. Capitals and
    underscores do not count, nor does the order of the parts: `silence_min` is `min_silence`.
    """
    if not 1 < len(word) <= _LONGEST:
        return ""
    plain, parts = _plain(word), sorted(word.lower().split("_"))
    found, fewest = "", max(len(word) // 3, 1) + 1
    for candidate in known:
        if candidate == word or len(candidate) < 2:
            continue
        if _plain(candidate) == plain or sorted(candidate.lower().split("_")) == parts:
            return candidate
        slips = _slips(word, candidate, fewest)
        if slips < fewest:
            found, fewest = candidate, slips
    return found


def related(word: str, known: Iterable[str]) -> str:
    """The only known word that begins like `word`, or is made of some of its parts, or has them all; or an empty text.

    `temp` is related to `temperature`, `max_digits` to `digits`, `silence` to `min_silence`.
    """
    choices = [one for one in dict.fromkeys(known) if one != word]
    plain, parts = _plain(word), set(word.lower().split("_"))
    if len(plain) < _PREFIX_MIN:
        return ""
    tests: tuple[Callable[[str], bool], ...] = (
        lambda one: _plain(one).startswith(plain),
        lambda one: len(one) >= _PREFIX_MIN and set(one.lower().split("_")) < parts,
        lambda one: parts < set(one.lower().split("_")),
    )
    for test in tests:
        passed = [one for one in choices if test(one)]
        if len(passed) == 1:
            return passed[0]
    return ""


def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()


def _slips(one: str, other: str, bound: int) -> int:
    """How many slips lead from one word to the other; `bound` when there are at least so many."""
    if abs(len(one) - len(other)) >= bound or len(other) > _LONGEST + bound:
        return bound
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, last[j - 2] + 1)
            row.append(best)
        if min(row) >= bound:
            return bound
    return row[-1]
