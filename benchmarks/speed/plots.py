"""One picture a figure: a bar for each row on a logarithmic axis, its middle half, and where the goal is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LEFT, RIGHT, TOP, LINE, WIDTH = 210, 90, 30, 22, 720
OURS, PEER, FLOOR = "#1a7f5a", "#8a93a3", "#c8a04b"


@dataclass(frozen=True, slots=True)
class Bar:
    """In shown units. `low` and `high` are the middle half."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A goal: a line at `value` through the bar of that label."""

    label: str
    value: float


def picture(title: str, unit: str, bars: Sequence[Bar], marks: Sequence[Mark]) -> str:
    """The SVG. Values of nought are drawn at the axis."""
    numbers = [number for bar in bars for number in (bar.value, bar.low, bar.high) if number > 0]
    numbers += [mark.value for mark in marks if mark.value > 0]
    first = math.floor(math.log10(min(numbers))) if numbers else 0
    last = max(first + 1, math.ceil(math.log10(max(numbers)))) if numbers else 1
    height = TOP + LINE * len(bars) + 34

    def x(number: float) -> float:
        share = (math.log10(number) - first) / (last - first) if number > 0 else 0.0
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    bottom = TOP + LINE * len(bars)
    for power in range(first, last + 1):
        at = x(10.0**power)
        parts.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#e3e6ea"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#667">{shown(10.0**power)}</text>'
        )
    parts.append(f'<text x="{WIDTH - 10}" y="{bottom + 16}" text-anchor="end" fill="#667">{escape(unit)}</text>')
    goals = {mark.label: mark.value for mark in marks}
    for index, bar in enumerate(bars):
        y = TOP + LINE * index
        end = x(bar.value)
        color = OURS if bar.label.startswith("rspp") else FLOOR if bar.label.startswith("floor") else PEER
        parts.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>')
        parts.append(
            f'<rect x="{LEFT}" y="{y + 4}" width="{max(1.0, end - LEFT):.1f}" height="14" rx="2" fill="{color}"/>'
        )
        parts.append(f'<path d="M{x(bar.low):.1f} {y + 11}H{x(bar.high):.1f}" stroke="#223" stroke-width="2"/>')
        parts.append(f'<text x="{max(end, x(bar.high)) + 6:.1f}" y="{y + 15}" fill="#223">{shown(bar.value)}</text>')
        if bar.label in goals:
            at = x(goals[bar.label])
            parts.append(f'<path d="M{at:.1f} {y + 1}V{y + 21}" stroke="#c0392b" stroke-width="2"/>')
    if goals:
        parts.append(f'<text x="10" y="{bottom + 30}" fill="#c0392b" font-size="11">red: the goal</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def shown(number: float) -> str:
    """Three figures, and thousands apart."""
    if number == 0:
        return "0"
    if abs(number) >= 100:
        return f"{number:,.0f}"
    digits = 2 - math.floor(math.log10(abs(number)))
    return f"{number:.{max(0, digits)}f}".rstrip("0").rstrip(".") if digits > 0 else f"{number:.0f}"
