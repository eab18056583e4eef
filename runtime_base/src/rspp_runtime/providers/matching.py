"""Finds what a sentence means: weighted word overlap in order, forgiving a recogniser's small slips. Deterministic."""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass

from rspp_runtime.providers.dialogue import Dialogue, Sentence

_FILLERS = "ah eh er erm hey hm hmm just like mm oh ok okay please so uh um well"
_FUNCTION_WORDS = """
a about all am an and are at be can could did do does for from have how i in is it me my of on or our that the
there this to was we were what when where which who will with would you your
"""
FILLERS = frozenset(_FILLERS.split())  # said without meaning anything; dropped before comparing
# They hold a sentence together but tell little about what is asked, so they count less.
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
FUNCTION_WEIGHT = 0.35
RECALL_SHARE = 0.5  # how much of the known sentence was said; the rest is how much of what was said it explains
SIMILAR_MIN = 0.75  # below it, two words are different words

_CONTRACTIONS = {
    "can't": "can not", "won't": "will not", "n't": " not", "'re": " are", "'m": " am", "'ll": " will", "'ve": " have",
    "'d": " would",
}  # fmt: skip
_IS = re.compile(r"\b(what|who|where|how|when|that|it|there|here)'s\b")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Match:
    """The nearest sentence of the dialogue and how near it is, 0 to 1."""

    sentence: Sentence
    score: float


def spoken_words(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation, as a recogniser writes them."""
    return tuple(_WORD.findall(text.lower().replace("\u2019", "'")))


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation, contractions and fillers; a text of fillers alone keeps them."""
    text = _IS.sub(r"\1 is", text.lower().replace("\u2019", "'"))
    for short, long in _CONTRACTIONS.items():
        text = text.replace(short, long)
    words = tuple(_WORD.findall(text))
    return tuple(word for word in words if word not in FILLERS) or words


class Matcher:
    """Compares sentences with a dialogue's. Built once; `best` is pure, so that many sessions may share it."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._known = [(sentence, words_of(sentence.text)) for sentence in dialogue.sentences]

    def best(self, text: str) -> Match | None:
        """The nearest sentence, the earlier in the file if two are equally near; None when nothing was said."""
        said = words_of(text)
        found: Match | None = None
        for sentence, known in self._known:
            value = score(known, said)
            if value and (found is None or value > found.score):
                found = Match(sentence, value)
        return found


def score(known: tuple[str, ...], said: tuple[str, ...]) -> float:
    """How well `said` matches `known`, 0 to 1: weight of the longest common subsequence against both."""
    if not known or not said:
        return 0.0
    row = [0.0] * (len(said) + 1)
    for word in known:
        diagonal = 0.0
        for j, other in enumerate(said, 1):
            above = row[j]
            row[j] = max(above, row[j - 1], diagonal + weight(word) * similarity(word, other))
            diagonal = above
    common = row[-1]
    recall = common / sum(map(weight, known))
    precision = min(1.0, common / sum(map(weight, said)))
    return RECALL_SHARE * recall + (1 - RECALL_SHARE) * precision


def weight(word: str) -> float:
    return FUNCTION_WEIGHT if word in FUNCTION_WORDS else 1.0


@functools.lru_cache(maxsize=8192)
def similarity(a: str, b: str) -> float:
    """1 for the same word, its likeness in letters for a near one, else 0. Short words have no near ones."""
    if a == b:
        return 1.0
    if min(len(a), len(b)) < 4 or a[0] != b[0]:
        return 0.0
    # The ratio depends on the order of its arguments; sorting them makes it symmetric.
    first, second = sorted((a, b))
    ratio = difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()
    return ratio if ratio >= SIMILAR_MIN else 0.0
