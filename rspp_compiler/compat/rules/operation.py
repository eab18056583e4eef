"""Budgets, worst cases, memory, recording, version."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.spec import BudgetSpec
from rspp_compiler.source import Span

_BUDGETS = {
    "turn_ns": "the turn",
    "turn_total_ns": "the whole turn",
    "turn_pause_ns": "a pause",
    "turn_apology_ns": "the time between two apologies",
    "path_ns": "a path",
    "edge_ns": "an edge",
}


@rule("VERSION_KEPT", "SOURCE", "Two different pipelines have one version.", breaks=True, is_boundary=False)
def version_kept(old: Version, new: Version) -> Iterator[Difference]:
    if old.spec.version == new.spec.version and old.frozen.template_hash != new.frozen.template_hash:
        message = f"the pipeline changed, and its version is still {new.spec.version}"
        yield Difference(message, old.spec.span, new.spec.span)


@rule("NAME_CHANGED", "SOURCE", "It becomes another package.", breaks=True, is_boundary=True)
def name_changed(old: Version, new: Version) -> Iterator[Difference]:
    if old.spec.name != new.spec.name:
        yield Difference(f"`{old.spec.name}` is now `{new.spec.name}`", old.spec.span, new.spec.span)


@rule("PROFILE_CHANGED", "PLAN", "Everything that the profile fills in may change.", breaks=False, is_boundary=True)
def profile_changed(old: Version, new: Version) -> Iterator[Difference]:
    if old.spec.profile != new.spec.profile:
        message = f"the profile was {old.spec.profile}, and is {new.spec.profile}"
        yield Difference(message, old.spec.span, new.spec.span)


@rule("BUDGET_CHANGED", "PLAN", "Warnings, fallbacks and ends come at another time.", breaks=False, is_boundary=True)
def budget_changed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = old.spec.budget, new.spec.budget
    for field, what in _BUDGETS.items():
        if getattr(before, field) != getattr(after, field):
            was, now = (f"{getattr(budget, field) / 1e6:g} ms" for budget in (before, after))
            spans = _place(before, field, old), _place(after, field, new)
            yield Difference(f"the budget of {what} was {was}, and is {now}", *spans)
    for node in old.spec.nodes:
        other = new.spec.node(node.id)
        if other and node.kind == other.kind and node.first_output_ns != other.first_output_ns:
            was, now = (f"{one.first_output_ns / 1e6:g} ms" for one in (node, other))
            places = node.origin("first_output_ns").span, other.origin("first_output_ns").span
            yield Difference(f"the budget of `{node.id}` was {was}, and is {now}", *places)


def _place(budget: BudgetSpec, field: str, version: Version) -> Span:
    return budget.origin(field).span if field in budget.origins else version.spec.span


@rule("SLOWER", "WIRE", "Users may wait longer for the first word.", breaks=False, is_boundary=False)
def slower(old: Version, new: Version) -> Iterator[Difference]:
    before, after = old.analysis.worst, new.analysis.worst
    if before and after and after.total_ns > before.total_ns:
        was, now = (f"{path.total_ns / 1e6:g} ms" for path in (before, after))
        yield Difference(f"the worst case was {was}, and is {now}", old.spec.span, new.spec.span)


@rule("MEMORY_RAISED", "PLAN", "Fewer sessions fit a machine.", breaks=False, is_boundary=False)
def memory_raised(old: Version, new: Version) -> Iterator[Difference]:
    before, after = (version.frozen.layout.memory_bytes_max for version in (old, new))
    if after > before:
        yield Difference(f"a session took {before} bytes, and takes {after}", old.spec.span, new.spec.span)


@rule("RECORDING_LOWERED", "PLAN", "Less of a call can be replayed.", breaks=True, is_boundary=False)
def recording_lowered(old: Version, new: Version) -> Iterator[Difference]:
    before, after = old.spec.recording, new.spec.recording
    if after.level < before.level:
        yield Difference(f"recorded {before.level}, now {after.level}", before.span, after.span)
    if before.keep_ns and after.keep_ns and after.keep_ns < before.keep_ns:
        days = [recording.keep_ns / 86_400e9 for recording in (before, after)]
        yield Difference(f"kept {days[0]:g} d, now {days[1]:g} d", before.span, after.span)


@rule("REGION_CHANGED", "PLAN", "Recordings lie somewhere else.", breaks=True, is_boundary=False)
def region_changed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = old.spec.recording, new.spec.recording
    if before.region != after.region:
        was, now = (
            f"`{recording.region}`" if recording.region else "nowhere in particular" for recording in (before, after)
        )
        yield Difference(f"recordings were kept in {was}, now in {now}", before.span, after.span)


@rule("COST_RAISED", "PLAN", "A turn may cost more.", breaks=False, is_boundary=False)
def cost_raised(old: Version, new: Version) -> Iterator[Difference]:
    before, after = old.spec.budget.cost_microusd, new.spec.budget.cost_microusd
    if before and (not after or after > before):
        now = f"{after / 1e6:g} usd" if after else "without a bound"
        message = f"a turn could cost {before / 1e6:g} usd, and can cost {now}"
        yield Difference(
            message, _place(old.spec.budget, "cost_microusd", old), _place(new.spec.budget, "cost_microusd", new)
        )
