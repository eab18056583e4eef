"""CONTRACTS §5: the legal transitions of a turn."""

from __future__ import annotations

from typing import ClassVar, Literal

from rspp_compiler.ir.contracts.rules import Contract, Rule

State = Literal["Idle", "Opening", "Active", "Terminal", "Closed"]
Trigger = Literal[
    "turn_open_proposed", "turn_open", "reject", "defer", "stale_epoch_reject", "deauthorized_drain", "commit", "abort",
    "close",
]  # fmt: skip

# (from, triggers, to)
TRANSITIONS: tuple[tuple[State, tuple[Trigger, ...], State], ...] = (
    ("Idle", ("turn_open_proposed",), "Opening"),
    ("Opening", ("turn_open",), "Active"),
    ("Opening", ("reject", "defer", "stale_epoch_reject", "deauthorized_drain"), "Idle"),
    ("Active", ("commit", "abort"), "Terminal"),
    ("Terminal", ("close",), "Closed"),
)


def _rules() -> tuple[Rule, ...]:
    """Which triggers a state knows, and where each leads."""
    states = tuple(dict.fromkeys(state for state, _, _ in TRANSITIONS))
    known = {
        state: tuple(trigger for one, triggers, _ in TRANSITIONS if one == state for trigger in triggers)
        for state in states
    }
    return (
        Rule(values={"from_state": states, "deterministic": (True,)}),
        *(Rule({"from_state": (state,)}, values={"trigger": triggers}) for state, triggers in known.items()),
        *(Rule({"from_state": (a,), "trigger": by}, values={"to_state": (b,)}) for a, by, b in TRANSITIONS),
    )


class TurnTransition(Contract):
    """One step in the life of a turn. Every step is deterministic; a closed turn never reopens."""

    RULES: ClassVar[tuple[Rule, ...]] = _rules()

    from_state: State
    trigger: Trigger
    to_state: State
    deterministic: bool  # and true: to a Literal, 1 is as good
