"""The figures of `rspp bench`, as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rspp_runtime.abi.plan import KERNEL, Plan
from rspp_runtime.bench.meter import Samples
from rspp_runtime.bench.ramp import Point
from rspp_runtime.session.clock import MS_NS


def capacity(points: Sequence[Point]) -> int:
    """The most sessions that were seen to be kept up with; 0 for none."""
    return max((point.sessions for point in points if point.keeps_up), default=0)


def is_limit(points: Sequence[Point]) -> bool:
    """More were tried, and were too many."""
    return any(not point.keeps_up for point in points)


def counted(sessions: int) -> str:
    """`1 session`, `2 sessions`."""
    return f"{sessions:,} session{'' if sessions == 1 else 's'}"


def stages(plan: Plan, point: Point) -> list[tuple[str, str, Samples]]:
    """Name, what is measured, samples: the kernel first, then the nodes in their order."""
    rows = [("kernel", "one step, without nodes", point.meter.kernel)]
    for node, samples in sorted(point.meter.nodes.items()):
        called = plan.nodes[node].execution == KERNEL
        rows.append((plan.nodes[node].name, "one call" if called else "asked to first output", samples))
    rows.append(("answer", "end of a question to its first output", point.meter.answers))
    return rows


def as_data(plan: Plan, points: Sequence[Point]) -> dict[str, Any]:
    """For `--json`. Durations in ms."""
    return {
        "pipeline": plan.pipeline,
        "version": plan.pipeline_version,
        "sessions_per_core": capacity(points),
        "limit_reached": is_limit(points),
        "points": [
            {
                "sessions": point.sessions,
                "keeps_up": point.keeps_up,
                "cpu": round(point.cpu, 4),
                "turns": point.meter.turns,
                "seconds": round(point.seconds, 3),
                "rss_bytes_per_session": point.bytes_each,
                "late_ms": _quantiles(point.meter.lateness),
                "stages": {name: _quantiles(samples) for name, _, samples in stages(plan, point)},
                "kernel_share": round(point.meter.kernel.total_ns / 1e9 / point.seconds, 4),
            }
            for point in points
        ],
    }


def as_text(plan: Plan, points: Sequence[Point]) -> str:
    """Two tables, and the sentence that one came for."""
    lines = [f"{'sessions':>8}  {'CPU':>6}  {'of it kernel':>12}  {'late p50':>9}  {'p99':>9}  {'answer p50':>10}  "
             f"{'p99':>9}  {'turns':>6}  {'RSS each':>9}"]  # fmt: skip
    for point in points:
        meter = point.meter
        share = meter.kernel.total_ns / 1e9 / point.seconds
        lines.append(
            f"{point.sessions:>8}  {point.cpu:>6.1%}  {share:>12.1%}  {_ms(meter.lateness, 0.5):>9}  "
            f"{_ms(meter.lateness, 0.99):>9}  {_ms(meter.answers, 0.5):>10}  {_ms(meter.answers, 0.99):>9}  "
            f"{meter.turns:>6}  {point.bytes_each / 1024:>5,.0f} KiB{'' if point.keeps_up else '  too many'}"
        )
    first = points[0]
    lines += ["", f"{f'with {counted(first.sessions)}':<20}  {'p50':>9}  {'p99':>9}  {'longest':>9}  {'count':>7}"]
    for name, what, samples in stages(plan, first):
        lines.append(
            f"{name:<20}  {_ms(samples, 0.5):>9}  {_ms(samples, 0.99):>9}  {samples.longest_ns / MS_NS:>6.3f} ms  "
            f"{samples.count:>7,}  {what}"
        )
    return "\n".join([*lines, "", verdict(points)])


def verdict(points: Sequence[Point]) -> str:
    """What one core holds."""
    most = capacity(points)
    if most == 0:
        return "not one session was served on time: this machine is busy, or a node holds the process up"
    return f"one core holds {counted(most)}" if is_limit(points) else f"one core holds {counted(most)}, or more"


def _quantiles(samples: Samples) -> dict[str, float | int]:
    return {
        "count": samples.count,
        "p50": round(samples.quantile(0.5) / MS_NS, 4),
        "p99": round(samples.quantile(0.99) / MS_NS, 4),
        "longest": round(samples.longest_ns / MS_NS, 4),
    }


def _ms(samples: Samples, share: float) -> str:
    return f"{samples.quantile(share) / MS_NS:.3f} ms" if samples.count else "-"
