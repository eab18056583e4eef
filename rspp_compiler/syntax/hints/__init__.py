"""What people write who know another language: recognised by the text around a mistake, and told in ours.

    place.py      what is looked at, and what is found
    signs.py      arrows, operators, comments, quotes
    values.py     numbers, units, texts, references
    reactions.py  `on …`
    lines.py      nodes and flows
    heads.py      heads of declarations
    blocks.py     provider blocks, policies, modes
    words.py      words that begin no line here, or are misspelt

A rule takes a `Place`, and gives a `Hint` or None. The first that gives one is told.
"""

from __future__ import annotations

from rspp_compiler.syntax.hints.blocks import BLOCKS
from rspp_compiler.syntax.hints.heads import HEADS
from rspp_compiler.syntax.hints.lines import LINES
from rspp_compiler.syntax.hints.place import Hint, Place
from rspp_compiler.syntax.hints.reactions import REACTIONS
from rspp_compiler.syntax.hints.signs import SIGNS
from rspp_compiler.syntax.hints.values import VALUES
from rspp_compiler.syntax.hints.words import WORDS

__all__ = ["Hint", "Place", "hint"]

_RULES = (*REACTIONS, *HEADS, *BLOCKS, *VALUES, *SIGNS, *LINES, *WORDS)


def hint(place: Place) -> Hint | None:
    """What is probably meant; None when nothing is recognised."""
    return next((found for rule in _RULES if (found := rule(place))), None)
