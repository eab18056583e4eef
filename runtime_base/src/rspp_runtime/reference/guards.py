"""Which items an edge takes, and which reactions act (`docs/kernel.md`, Guard): headers are compared, no payload."""

from __future__ import annotations

import operator
from collections.abc import Callable

from rspp_runtime.abi.codes import Attribute, Flag, label_of
from rspp_runtime.abi.plan import Check
from rspp_runtime.reference.state import EdgeState, Happened, State

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_ATTRIBUTES = {attribute.name.lower(): attribute for attribute in Attribute}


def passes(s: State, edge: EdgeState, size: int, words: int, flags: int) -> bool:
    """Whether an item of that size, with these words and flags, is one for this edge."""
    return _holds(edge.plan.guard, lambda name: _of_item(s, name, size, words, flags))


def acts(s: State, guard: tuple[Check, ...], happened: Happened) -> bool:
    """Whether a reaction with that guard does something about an event."""
    return _holds(guard, lambda name: _of_event(s, name, happened))


def _holds(guard: tuple[Check, ...], field: Callable[[str], int | None]) -> bool:
    truths: list[bool] = []
    for check in guard:
        if check.op == "not":
            truths.append(not truths.pop())
        elif check.op in ("and", "or"):
            right, left = truths.pop(), truths.pop()
            truths.append(left and right if check.op == "and" else left or right)
        elif check.op == "never":
            truths.append(False)
        else:
            one = field(check.field)
            two = field(check.other) if check.other else check.value
            truths.append(one is not None and two is not None and _COMPARE[check.op](one, two))
    return truths.pop() if truths else True


def _of_session(s: State, name: str) -> int | None:
    """The mode, or an attribute; None where it is missing."""
    return s.mode if name == "mode" else s.attributes[_ATTRIBUTES[name]] or None


def _of_item(s: State, name: str, size: int, words: int, flags: int) -> int | None:
    """A field's value; None where it is missing."""
    if name == "length":
        return size
    if name == "words":
        return words
    if name == "final":
        return int(bool(flags & Flag.FINAL))
    if name == "label":
        return label_of(flags)
    if name == "mode" or name in _ATTRIBUTES:
        return _of_session(s, name)
    if not s.active:
        return None
    return s.turn.serial if name == "turn" else int(s.turn.origin)


def _of_event(s: State, name: str, happened: Happened) -> int | None:
    """A field's value; None where it is missing."""
    if name == "mode" or name in _ATTRIBUTES:
        return _of_session(s, name)
    if name in ("turn", "origin"):
        return getattr(happened, name) if happened.turn else None
    if name in ("cause", "outcome"):
        return int(getattr(happened, name)) or None
    if name in ("provider", "path"):
        place = int(getattr(happened, name))
        return place if place >= 0 else None
    if name in ("spoken", "speech"):
        if not s.speech.speaking:
            return None
        return s.speech.words if name == "spoken" else s.now - s.speech.onset_ns
    if name == "failures":
        return s.failures
    if name in ("idles", "idle"):
        return s.speech.idles if name == "idles" else s.now - s.speech.quiet_ns
    return int(happened.elapsed_ns if name == "elapsed" else getattr(happened, name))
