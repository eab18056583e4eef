"""Pronunciations for the recogniser: from its dictionary, else from a word's parts, else from its letters.

The phones are those of the CMU dictionary (ARPABET without stress).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Longest first where one begins another. Rough by nature: good enough that a name is recognised in its sentence.
_LETTERS: Mapping[str, str] = {
    "tion": "SH AH N", "sion": "ZH AH N", "ight": "AY T", "ough": "AO", "tch": "CH", "sch": "SH", "igh": "AY",
    "eau": "OW", "air": "EH R", "ear": "IH R", "oor": "AO R", "our": "AW R", "ch": "CH", "sh": "SH", "th": "TH",
    "ph": "F", "wh": "W", "ck": "K", "ng": "NG", "qu": "K W", "kn": "N", "wr": "R", "gh": "G", "dg": "JH", "ee": "IY",
    "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "oa": "OW", "oi": "OY", "oy": "OY", "ai": "EY", "ay": "EY",
    "ei": "EY", "ey": "IY", "ie": "IY", "au": "AO", "aw": "AO", "ew": "UW", "ue": "UW", "ar": "AA R", "er": "ER",
    "ir": "ER", "ur": "ER", "or": "AO R", "ce": "S", "ci": "S IH", "cy": "S IY", "ge": "JH", "gy": "JH IY",
    "bb": "B", "cc": "K", "dd": "D", "ff": "F", "gg": "G", "ll": "L", "mm": "M", "nn": "N", "pp": "P", "rr": "R",
    "ss": "S", "tt": "T", "zz": "Z", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G",
    "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LETTERS_MAX = max(map(len, _LETTERS))
_VOICELESS = frozenset(("P", "T", "K", "F", "TH"))
_HISSING = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_PART_MIN = 3  # shorter parts make nonsense of a compound


def read_dictionary(text: str) -> dict[str, list[str]]:
    """`word phones` lines, variants written `word(2)`, as word to its pronunciations in the file's order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        word, _, phones = line.partition(" ")
        if phones and not line.startswith((";;;", "#")):
            found.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones.strip())
    return found


def pronounce(word: str, dictionary: Mapping[str, list[str]]) -> str:
    """Phones for a word that the dictionary lacks; empty when it has no letter that English writes."""
    for ending in ("'s", "s'", "s"):
        stem = word.removesuffix(ending)
        if stem != word and stem in dictionary:
            return _plural(dictionary[stem][0])
    for cut in range(len(word) - _PART_MIN, _PART_MIN - 1, -1):
        if word[:cut] in dictionary and word[cut:] in dictionary:
            return f"{dictionary[word[:cut]][0]} {dictionary[word[cut:]][0]}"
    return _by_letters(word)


def dictionary_lines(words: Iterable[str], dictionary: Mapping[str, list[str]]) -> tuple[str, list[str], list[str]]:
    """A small dictionary of just these words; the words pronounced by rule; the words that cannot be pronounced."""
    lines: list[str] = []
    by_rule: list[str] = []
    impossible: list[str] = []
    for word in sorted(set(words)):
        variants = dictionary.get(word, [])
        if not variants:
            phones = pronounce(word, dictionary)
            (by_rule if phones else impossible).append(word)
            variants = [phones] if phones else []
        for number, phones in enumerate(variants, 1):
            lines.append(f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}")
    return "\n".join(lines) + "\n", by_rule, impossible


def _plural(phones: str) -> str:
    last = phones.split()[-1]
    if last in _HISSING:
        return f"{phones} IH Z"
    return f"{phones} S" if last in _VOICELESS else f"{phones} Z"


def _by_letters(word: str) -> str:
    letters = re.sub(r"[^a-z]", "", word.lower())
    if len(letters) > 3 and letters.endswith("e") and letters[-2] not in "aeiou":
        letters = letters[:-1]  # a final e is silent
    phones: list[str] = []
    at = 0
    while at < len(letters):
        for size in range(min(_LETTERS_MAX, len(letters) - at), 0, -1):
            part = letters[at : at + size]
            if part in _LETTERS:
                phones.append(_LETTERS[part])
                at += size
                break
    return " ".join(phones)
