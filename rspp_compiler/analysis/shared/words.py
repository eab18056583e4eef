"""The words in which the analyses speak: durations, money, ways, and the mode that they speak of."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

_UNITS = (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000))


def duration(ns: int) -> str:
    """`300ms`, `2s`, `1.5ms`: the largest unit in which it is a whole number, or else as many decimals as it takes."""
    for unit, size in _UNITS:
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{_decimal(Fraction(ns, 1_000_000))}ms"


def usd(microusd: int) -> str:
    """`0.05usd`: exact."""
    return f"{_decimal(Fraction(microusd, 1_000_000))}usd"


def ports(path: Iterable[str]) -> str:
    """`llm.delta -> voice.text -> egress.audio`."""
    return " -> ".join(path)


def listed(names: Iterable[str], word: str = "and") -> str:
    """`a`, `b` and `c`."""
    *most, last = [f"`{name}`" for name in names] or ["nothing"]
    return f"{', '.join(most)} {word} {last}" if most else last


def in_mode(mode: str) -> list[str]:
    """A note that names the mode a finding is about; none for the full pipeline."""
    return [f"so it is in mode `{mode}`"] if mode else []


def _decimal(value: Fraction) -> str:
    whole, rest = divmod(abs(value.numerator), value.denominator)
    digits = ""
    while rest:
        digit, rest = divmod(rest * 10, value.denominator)
        digits += str(digit)
    return f"{'-' if value < 0 else ''}{whole}{'.' if digits else ''}{digits}"
