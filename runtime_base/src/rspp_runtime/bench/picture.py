"""The curve of `rspp bench`: how much of the core so many sessions take, and how late their frames are."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

from rspp_runtime.bench.ramp import CPU_MAX, LATE_NS_MAX, Point
from rspp_runtime.bench.report import verdict

WIDTH, HEIGHT = 640, 470
LEFT, RIGHT = 70, 610
CPU_BOX, LATE_BOX = (60, 220), (270, 430)  # top and bottom
CPU, LATE, BAD = "#1a66cc", "#117755", "#cc3322"


def draw(title: str, points: Sequence[Point]) -> str:
    """An SVG, both axes of sessions logarithmic."""
    most = max(point.sessions for point in points)
    late_ms = [max(0.01, point.meter.lateness.quantile(0.99) / 1e6) for point in points]
    top_ms = 10 ** math.ceil(math.log10(max(20.0, *late_ms)))

    def across(sessions: float) -> float:
        return LEFT + (RIGHT - LEFT) * (math.log10(sessions) / math.log10(most) if most > 1 else 0.5)

    def of_cpu(share: float) -> float:
        return CPU_BOX[1] - (CPU_BOX[1] - CPU_BOX[0]) * min(1.0, share)

    def of_late(ms: float) -> float:
        return LATE_BOX[1] - (LATE_BOX[1] - LATE_BOX[0]) * (math.log10(ms) + 2) / (math.log10(top_ms) + 2)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{html.escape(title)}: {html.escape(verdict(points))}</text>',
        f'<text x="{LEFT}" y="48" fill="{CPU}">of one core</text>',
        f'<text x="{LEFT}" y="258" fill="{LATE}">late by, 99 of 100 frames</text>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts += _grid(of_cpu(share), f"{share:.0%}")
    ms = 0.01
    while ms <= top_ms * 1.001:
        parts += _grid(of_late(ms), f"{ms:g} ms")
        ms *= 10
    parts += _limit(of_cpu(CPU_MAX)) + _limit(of_late(LATE_NS_MAX / 1e6))
    ordered = sorted(zip(points, late_ms, strict=True), key=lambda one: one[0].sessions)
    parts += _curve([(across(p.sessions), of_cpu(p.cpu), p.keeps_up) for p, _ in ordered], CPU)
    parts += _curve([(across(p.sessions), of_late(ms), p.keeps_up) for p, ms in ordered], LATE)
    parts += _names(ordered[-1][0].sessions, across, [point.sessions for point, _ in ordered])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(y: float, label: str) -> list[str]:
    return [
        f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#e4e4e4"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    ]


def _limit(y: float) -> list[str]:
    return [f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{BAD}" stroke-dasharray="4 4"/>']


def _curve(places: Sequence[tuple[float, float, bool]], colour: str) -> list[str]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    return [
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour if good else BAD}"/>' for x, y, good in places),
    ]


def _names(most: int, across: Callable[[float], float], counts: Sequence[int]) -> list[str]:
    """Numbers below the axis, where there is room for them."""
    parts: list[str] = []
    free = 0.0
    for count in counts:
        x = across(count)
        if x >= free or count == most:
            parts.append(f'<text x="{x:.1f}" y="{LATE_BOX[1] + 18}" text-anchor="middle">{count:,}</text>')
            free = x + 28
    return [*parts, f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">sessions</text>']
