"""What the book knows of caps."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Unit
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Plan


@dataclass(slots=True)
class Spent:
    """What a block of providers has used."""

    used: dict[int, int] = field(default_factory=dict)  # of the turn, by `Unit`
    session_ns: int = 0
    reached_seq: int = 0  # of the last decision that a cap is reached
    closed_seq: int = 0  # of the last CLOSE

    def use(self, unit: int, amount: int) -> None:
        self.used[unit] = self.used.get(unit, 0) + amount
        self.session_ns += amount if unit == Unit.AUDIO_NS else 0

    def turn_closed(self, seq: int) -> None:
        self.used.clear()
        self.closed_seq = seq


def began(plan: Plan, spent: list[Spent], node: int, made: int, seq: int) -> None:
    """An invocation began; one that is tried again is no call of its own."""
    meter = plan.nodes[node].meter
    if meter >= 0 and made == 0 and seq >= spent[meter].closed_seq:
        spent[meter].use(Unit.CALLS, 1)


def used(plan: Plan, spent: list[Spent], event: Inbound) -> None:
    """USAGE was counted."""
    meter = plan.nodes[event.node].meter
    if meter >= 0:
        spent[meter].use(event.port, event.a)
