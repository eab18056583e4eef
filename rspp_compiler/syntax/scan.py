"""Text to tokens, by the terminals of the grammar. Whatever fits none of them is a token of a `BAD` kind."""

from __future__ import annotations

import functools
import re

from rspp_compiler.syntax.tables import tables
from rspp_compiler.syntax.tree import Token

# Tried in this order where no terminal of the grammar matches. A text that does not end stops before the brackets that
# end its line; a long one takes all that follows.
_BAD = (
    ("BAD_TEXT", r'"""[\s\S]*'),
    ("BAD_STRING", r'"(?:[^\n]*[^\s})\],])?'),
    ("BAD_WORD", r"[\w%]+"),
    ("BAD_BLANK", r"\s+"),
    ("BAD", r"[^\x00-\x7f\w\s]+|[\s\S]"),  # an emoji is more than one character
)


def scan(text: str, start: int = 0) -> list[Token]:
    """The tokens from `start` on, blanks and comments aside; the last is `$END`, behind the text."""
    pairs, kind_of, keywords = _scanner()
    kinds: dict[str, str] = dict(keywords)
    tokens: list[Token] = []
    end = start
    for ignored, word in pairs.findall(text, start):
        kind = kinds.get(word)
        if kind is None:
            found = kind_of.fullmatch(word)
            kind = kinds[word] = (found.lastgroup if found else None) or "$END"
        begin = end + len(ignored)
        end = begin + len(word)
        tokens.append(Token(kind, word, begin, end))
        if not word:  # blanks that end the text, then its end: the pattern finds both
            break
    return tokens


@functools.cache
def _scanner() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """A pattern that cuts a text into (what is ignored, token); one that names a token's kind; and the keywords.

    Cutting goes without a group for each kind, which would slow it down threefold; a word's kind is looked up once.
    Nothing is ever tried twice (`(?>…)*+`), so that no text takes longer than its length allows.
    """
    known = tables()
    ignored = "|".join(_plain(pattern) for name, pattern in known.terminals if name in known.ignored)
    # NAME matches the beginning of what others match whole.
    kinds = sorted((one for one in known.terminals if one[0] not in known.ignored), key=lambda one: one[0] == "NAME")
    kinds += _BAD
    words = "|".join(_plain(pattern) for _, pattern in kinds)
    named = "|".join(f"(?P<{name}>{pattern})" for name, pattern in kinds)
    return re.compile(rf"((?>{ignored})*+)({words}|\Z)"), re.compile(named), known.keywords


def _plain(pattern: str) -> str:
    """A pattern whose groups catch nothing."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)
