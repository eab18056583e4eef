"""Every rule over two versions of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from rspp_compiler.compat.rule import RULES, Difference, Rule, Version, rule
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.source import Span

_REST = "TEMPLATE_CHANGED"
_ROOMS = ("nodes", "edges", "user", "control", "offers", "operation")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `before` and `after` are its places in the old and in the new version."""

    rule: Rule
    message: str
    before: Span | None
    after: Span | None


def diff(old: Frozen, new: Frozen) -> tuple[Change, ...]:
    """All differences: what breaks first, then by category and rule."""
    versions = Version(old), Version(new)
    found = [
        Change(one, difference.message, difference.before, difference.after)
        for one in rules()
        for difference in one.check(*versions)
    ]
    if old.template_hash != new.template_hash and not any(change.rule.is_boundary for change in found):
        found.append(Change(RULES[_REST], "what the pipeline is has changed", *(one.spec.span for one in versions)))
    return tuple(sorted(found, key=lambda change: (not change.rule.breaks, change.rule.category, change.rule.id)))


@rule(_REST, "PLAN", "A change that no other rule names.", breaks=False, is_boundary=True)
def _template_changed(_old: Version, _new: Version) -> Iterator[Difference]:
    """`diff` reports it when the hashes differ and nothing else says why."""
    return iter(())


def rules() -> tuple[Rule, ...]:
    """Every rule, by category and id."""
    for room in _ROOMS:
        import_module(f"rspp_compiler.compat.rules.{room}")
    return tuple(sorted(RULES.values(), key=lambda one: (one.category, one.id)))
