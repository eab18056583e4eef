"""Writes RESULTS.md and its pictures from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from speed.figures import Figure, Goal, Row
from speed.plots import Bar, Mark, picture, shown
from speed.verdicts import Results, judge, spread, value, why_not

PICTURES = "results"


def write(
    folder: Path,
    figures: Sequence[Figure],
    runs: Sequence[Results],
    names: list[str],
    machine: Sequence[tuple[str, str]],
    versions: Mapping[str, str],
    how: str,
) -> Path:
    """RESULTS.md in `folder`, and a picture a figure in `folder`/results. Returns the page."""
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    for old in (folder / PICTURES).glob("*.svg"):
        old.unlink()
    lines = [
        "# Results",
        "",
        f"Written by `make bench` ({how}). How it is measured, and how to read it: [README.md](README.md).",
        "",
        *_pairs([*machine, *((f"peer {peer}", version) for peer, version in versions.items())]),
        "",
        "## Goals",
        "",
        "Each run by itself. The ratio says how much of a goal was reached: 1 and more is held, 0.5 is missed by a",
        "factor of two.",
        "",
        *_goals(figures, runs, names),
        "",
    ]
    for figure in figures:
        rows = figure.rows(names)
        if any(value(row, figure, results) is not None for row in rows for results in runs):
            lines += _figure(folder, figure, rows, runs)
    page = folder / "RESULTS.md"
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8", newline="\n")
    return page


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for what, which in pairs:
        yield f"| {what} | {which} |"


def _goals(figures: Sequence[Figure], runs: Sequence[Results], names: list[str]) -> Iterator[str]:
    yield f"| figure | goal | {' | '.join(f'run {number}' for number in range(1, len(runs) + 1))} | |"
    yield f"|---|---|{'---:|' * len(runs)}---|"
    for figure in figures:
        rows = figure.rows(names)
        for goal in figure.goals:
            verdicts = [judge(goal, figure, rows, results) for results in runs]
            told = [
                f"{_in(figure, one.value)} ({_ratio(one.ratio)})" if one.value is not None else "–" for one in verdicts
            ]
            held = [one.held for one in verdicts]
            if all(one is None for one in held):
                row = next((one for one in rows if one.label == goal.row), None)
                word = f"not measured: {why_not(row, runs)}" if row else "not measured"
            else:
                word = "held" if all(held) else "**missed**" if not any(held) else "held in some runs"
            yield f"| {figure.title} | {_says(goal, figure)} | {' | '.join(told)} | {word} |"


def _figure(folder: Path, figure: Figure, rows: Sequence[Row], runs: Sequence[Results]) -> Iterator[str]:
    yield f"## {figure.title}"
    yield ""
    yield f"{figure.says} {_statistic(figure)}."
    yield ""
    ours = next((goal.row for goal in figure.goals), None)
    heads = " | ".join(f"run {number}" for number in range(1, len(runs) + 1))
    yield f"| | {heads} | middle half | × ours |"
    yield f"|---|{'---:|' * len(runs)}---:|---:|"
    base = _all(next((row for row in rows if row.label == ours), None), figure, runs)
    bars, marks = [], []
    for row in rows:
        told = [value(row, figure, results) for results in runs]
        middle, half = _all(row, figure, runs), spread(row, runs)
        if middle is None or half is None:
            yield f"| {row.label} | {' | '.join('–' for _ in runs)} | {why_not(row, runs)} | |"
            continue
        low, high = half
        ratio = shown(middle / base) if base and not row.label.startswith("rspp") else ""
        cells = " | ".join(_in(figure, one) for one in told)
        yield f"| {row.label} | {cells} | {_in(figure, low)} to {_in(figure, high)} | {ratio} |"
        bars.append(Bar(row.label, middle / figure.scale, low / figure.scale, high / figure.scale))
        marks += [
            Mark(row.label, goal.number / figure.scale)
            for goal in figure.goals
            if goal.row == row.label and goal.kind in ("at most", "at least")
        ]
    (folder / PICTURES / f"{figure.key}.svg").write_text(
        picture(figure.title, figure.unit, bars, marks), encoding="utf-8", newline="\n"
    )
    yield ""
    yield f"![{figure.title}]({PICTURES}/{figure.key}.svg)"
    yield ""


def _all(row: Row | None, figure: Figure, runs: Sequence[Results]) -> float | None:
    """The value of a row over all runs: the median of theirs."""
    if row is None:
        return None
    found = sorted(one for results in runs if (one := value(row, figure, results)) is not None)
    return found[len(found) // 2] if found else None


def _in(figure: Figure, number: float | None) -> str:
    if number is None:
        return "–"
    return f"{shown(number / figure.scale)} {figure.unit}".rstrip()


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    return "∞" if ratio == float("inf") else shown(ratio)


def _says(goal: Goal, figure: Figure) -> str:
    if goal.kind in ("at most", "at least"):
        return f"{goal.row}: {'≤' if goal.kind == 'at most' else '≥'} {_in(figure, goal.number)}"
    if goal.kind == "within":
        return f"{goal.row}: ≤ {shown(goal.number)} × {goal.than}"
    return f"{goal.row}: ≥ {shown(goal.number)} × faster than {goal.than}"


def _statistic(figure: Figure) -> str:
    return {
        "p50": "Medians",
        "p95": "The 95th percentile of all trials",
        "p99": "The 99th percentile of all trials",
        "most": "The most of all trials",
        "least": "The least of all trials",
    }[figure.statistic]
