"""What the book keeps of nodes whose failures are shown (docs/kernel.md, Dead letters)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Cause, In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import EFFECT, Plan

KEPT = 32  # items of a node that it is not at any more


@dataclass(slots=True)
class Given:
    """Of one effect node: what its calls were given, by sequence."""

    invocation: int = 0  # the last attempt of its last call
    now: list[int] = field(default_factory=list)  # given to that one
    before: list[int] = field(default_factory=list)  # to the one before, or perhaps done with: may still be shown
    past: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))  # to earlier ones, or done with

    def begin(self, invocation: int, *, is_again: bool) -> None:
        """A call, or another attempt of the last one, which goes on with the same."""
        self.invocation = invocation
        if not is_again:
            self.before += self.now
            self.now = []

    def settle(self) -> None:
        """All was drained: nothing comes of the calls before."""
        self.past.extend(self.before)
        self.before.clear()


@dataclass(slots=True)
class Lost:
    """Of one session."""

    plan: Plan
    ways: frozenset[tuple[int, int, int]] = frozenset()  # (node, cause, tap) of each reaction that shows
    always: frozenset[tuple[int, int]] = frozenset()  # (node, cause) that are shown whatever else holds
    given: dict[int, Given] = field(default_factory=dict)
    refused: list[tuple[int, int]] = field(default_factory=list)  # (node, seq): its handler failed, since a drain
    owed: dict[int, int] = field(default_factory=dict)  # effect node → its invocation that failed, since the last drain
    shown: list[tuple[int, int]] = field(default_factory=list)  # (node, seq) since the last drain

    def __post_init__(self) -> None:
        plan = self.plan
        ways, always = set(), set()
        off = 0
        for mode in plan.modes:
            off |= mode.nodes_off
        for node in (one for one in plan.nodes if one.letters):
            causes = {node.event_error: Cause.NODE_ERROR, node.event_timeout: Cause.NODE_TIMEOUT}
            for row in (row for row in plan.reactions if row.action.verb == "show" and row.event in causes):
                ways.add((node.id, int(causes[row.event]), row.action.target))
                if not row.guard and not off >> row.action.target & 1:
                    always.add((node.id, int(causes[row.event])))
        self.ways, self.always = frozenset(ways), frozenset(always)
        self.given = {node.id: Given() for node in plan.nodes if node.letters and node.execution == EFFECT}

    def credited(self, event: Inbound, *, undrained: bool) -> None:
        """A node that answers for each item is done with some; it may have failed in a step that nobody has drained."""
        given = self.given.get(event.node)
        if event.op != In.CREDIT or given is None or event.invocation != given.invocation:
            return
        if self.plan.nodes[event.node].kind == "python":
            count = max(0, event.a)
            (given.before if undrained else given.past).extend(given.now[:count])
            del given.now[:count]
