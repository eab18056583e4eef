"""A flame graph as one SVG: no script, no font of its own, and its figures as text for who does not see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape

from speed.flame.sampler import Stack

WIDTH, MARGIN, TOP, ROW = 960, 10, 48, 17
SHARE_MIN = 0.004  # narrower boxes are left out
CHAR = 6.1  # the width of one, in px
COLOURS = {"kernel": "#7cc4a4", "stages": "#c9b6e4", "evidence": "#f2c078", "ours": "#9cc3e6", "other": "#d8dbe0"}
LEGEND = {
    "kernel": "kernel", "stages": "Python nodes", "evidence": "evidence", "ours": "driver",
    "other": "event loop, benchmark",
}  # fmt: skip
PartOf = Callable[[str], str]
"""The key in `COLOURS` of a function (`folder/module.name`)."""


@dataclass(slots=True)
class Box:
    """One function with this way to it: `total` samples in it and below, `own` in itself."""

    name: str
    total: int = 0
    own: int = 0
    above: dict[str, Box] = field(default_factory=dict)


def tree(stacks: Mapping[Stack, int]) -> Box:
    """All stacks, put together."""
    root = Box("all")
    for stack, count in stacks.items():
        root.total += count
        box = root
        for name in stack:
            box = box.above.setdefault(name, Box(name))
            box.total += count
        box.own += count
    return root


def own(stacks: Mapping[Stack, int]) -> list[tuple[str, float]]:
    """The share of each function by itself, the largest first."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[stack[-1]] += count
    return [(name, count / counts.total()) for name, count in counts.most_common()]


def by_part(stacks: Mapping[Stack, int], part_of: PartOf) -> list[tuple[str, float]]:
    """The share of each part of `COLOURS` by itself. `part_of` says that of a function."""
    counts: Counter[str] = Counter()
    for name, share in own(stacks):
        counts[part_of(name)] += round(share * 1_000_000)
    return [(part, counts[part] / 1_000_000) for part in COLOURS]


def picture(title: str, stacks: Mapping[Stack, int], part_of: PartOf) -> str:
    """The SVG; what was called first is on top."""
    root = tree(stacks)
    rows: list[str] = []
    depth = _draw(root, MARGIN, 0, root.total, part_of, rows)
    height = TOP + ROW * depth + MARGIN
    shares = by_part(stacks, part_of)
    told = "; ".join(f"{LEGEND[part]} {share:.0%}" for part, share in shares)
    most = "; ".join(f"{name} {share:.1%}" for name, share in own(stacks)[:12])
    legend = []
    x = MARGIN
    for part, share in shares:
        text = f"{LEGEND[part]} {share:.0%}"
        legend.append(f'<rect x="{x}" y="28" width="11" height="11" fill="{COLOURS[part]}"/>')
        legend.append(f'<text x="{x + 15}" y="38">{escape(text)}</text>')
        x += 36 + round(len(text) * CHAR)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            'font-size="11" role="img" aria-labelledby="title about">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="about">{escape(f"Processor time by part: {told}. By function alone: {most}.")}</desc>',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            f'<text x="{MARGIN}" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
            *legend,
            *rows,
            "</svg>",
            "",
        ]
    )


def _draw(box: Box, x: float, row: int, total: int, part_of: PartOf, rows: list[str]) -> int:
    """Draws what `box` called, side by side from `x`; returns the number of rows."""
    depth = row
    for above in sorted(box.above.values(), key=lambda one: -one.total):
        width = (WIDTH - 2 * MARGIN) * above.total / total
        if above.total < SHARE_MIN * total:
            continue
        y, share = TOP + ROW * row, above.total / total
        rows.append(
            f"<g><title>{escape(above.name)}: {share:.1%}, alone {above.own / total:.1%}</title>"
            f'<rect x="{x:.1f}" y="{y}" width="{width - 0.6:.1f}" height="{ROW - 1}" rx="1" '
            f'fill="{COLOURS[part_of(above.name)]}"/>'
        )
        room = int((width - 6) / CHAR)
        if room >= 4:
            name = above.name if len(above.name) <= room else above.name[: room - 1] + "…"
            rows.append(f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(name)}</text>')
        rows.append("</g>")
        depth = max(depth, _draw(above, x, row + 1, total, part_of, rows))
        x += width
    return max(depth, row)
