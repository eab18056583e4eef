"""Reactions, modes, the owner of the turn's end."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.compare import compare
from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.spec import ReactionSpec


def _interruptions(version: Version) -> list[ReactionSpec]:
    return [one for one in version.spec.reactions if one.verb in ("cancel_turn", "cancel_session", "cancel_node")]


@rule("INTERRUPTION_REMOVED", "WIRE", "The user can no longer cut the agent off.", breaks=True, is_boundary=True)
def interruption_removed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = _interruptions(old), _interruptions(new)
    if before and not after:
        yield Difference("nothing cancels a turn any more", before[0].span, new.spec.span)


@rule("REACTION_REMOVED", "PLAN", "An event has no answer any more, or another.", breaks=False, is_boundary=True)
def reaction_removed(old: Version, new: Version) -> Iterator[Difference]:
    for reaction in compare(old.spec.reactions, new.spec.reactions, ReactionSpec.line).removed:
        yield Difference(f"`{reaction.line()}` is gone", reaction.span)


@rule("REACTION_ADDED", "PLAN", "An event has a new answer.", breaks=False, is_boundary=True)
def reaction_added(old: Version, new: Version) -> Iterator[Difference]:
    for reaction in compare(old.spec.reactions, new.spec.reactions, ReactionSpec.line).added:
        yield Difference(f"`{reaction.line()}` is new", None, reaction.span)


@rule("MODE_REMOVED", "SOURCE", "Who enters the mode or asks for it finds nothing.", breaks=True, is_boundary=True)
def mode_removed(old: Version, new: Version) -> Iterator[Difference]:
    for mode in compare(old.spec.modes, new.spec.modes, lambda mode: mode.id).removed:
        yield Difference(f"mode `{mode.id}` is gone", mode.span)


@rule("MODE_CHANGED", "PLAN", "A mode leaves something else.", breaks=False, is_boundary=True)
def mode_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.modes, new.spec.modes, lambda mode: mode.id).kept:
        settings = [{(one.node, one.field): one.value for one in mode.overrides} for mode in (before, after)]
        if set(before.off) != set(after.off) or settings[0] != settings[1]:
            yield Difference(f"mode `{after.id}` does something else", before.span, after.span)


@rule("OWNER_CHANGED", "PLAN", "Something else decides when the user is done.", breaks=False, is_boundary=True)
def owner_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.owners, new.spec.owners, lambda owner: owner.party).kept:
        was, now = str(before.event), str(after.event)
        if was != now:
            yield Difference(f"an utterance ended with `{was}`, and ends with `{now}`", before.span, after.span)
