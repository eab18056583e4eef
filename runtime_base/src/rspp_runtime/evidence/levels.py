"""Recording levels: what each keeps, and when a session steps down or up again (CONTRACTS §8; docs/replay.md).

Keeps(plan)         which payloads a level keeps
Levels(level)       the policy: a machine without I/O or clock, told the time, the queue's fill and the export's lag
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from rspp_runtime.abi.codes import In, Op, Signal
from rspp_runtime.abi.messages import Emission, Inbound, Output
from rspp_runtime.abi.plan import Plan

MS_NS = 1_000_000
LEVELS = ("L0", "L1", "L2")

PRESSED_NS = 500 * MS_NS  # for how long the queue is as full before a step down
STABLE_NS = 5_000 * MS_NS  # for how long nothing pressed before a step up
FILL = {"L2": 0.80, "L1": 0.90}  # of the queue: at least so full is pressure at that level
LAG_NS = {"L2": 2_000 * MS_NS, "L1": 5_000 * MS_NS}  # of the export: at least so late is a step down, at once


class Reason(enum.StrEnum):
    """Why the level changed; `reason` of `recording_level_downgraded`."""

    QUEUE_PRESSURE = "queue_pressure"
    EXPORT_LAG = "export_lag"
    STABLE = "stable"  # a step up again


class Change(NamedTuple):
    """A step of one level at `now_ns`."""

    now_ns: int
    before: str
    level: str
    reason: Reason


class Levels:
    """The level of one session. It begins at `level` and never goes above it.

    Down, one level at a time: when the queue has been as full as `FILL` of the present level for `PRESSED_NS`, or the
    export is `LAG_NS` late. Up, one level at a turn boundary, when for the whole of `STABLE_NS` before it neither the
    fill nor the lag of the level above was reached. L0 has nothing to give up.
    """

    def __init__(self, level: str) -> None:
        if level not in LEVELS:
            raise ValueError(f"no recording level {level!r}; there are {', '.join(LEVELS)}")
        self.level = level
        self._most = LEVELS.index(level)
        self._pressed_since_ns = -1  # the queue has been too full for the present level
        self._calm_since_ns = -1  # nothing has pressed on the level above

    def observe(self, now_ns: int, fill: float, lag_ns: int) -> Change | None:
        """What the writer looks like now; returns the step down that follows from it. `now_ns` never goes back."""
        self._watch_calm(now_ns, fill, lag_ns)
        if self.level == "L0":
            return None
        if lag_ns >= LAG_NS[self.level]:
            return self._step(now_ns, -1, Reason.EXPORT_LAG)
        if fill < FILL[self.level]:
            self._pressed_since_ns = -1
        elif self._pressed_since_ns < 0:
            self._pressed_since_ns = now_ns
        elif now_ns - self._pressed_since_ns >= PRESSED_NS:
            return self._step(now_ns, -1, Reason.QUEUE_PRESSURE)
        return None

    def turn_boundary(self, now_ns: int) -> Change | None:
        """A turn has closed; returns the step up, if it is time for one."""
        if LEVELS.index(self.level) >= self._most or self._calm_since_ns < 0:
            return None
        if now_ns - self._calm_since_ns < STABLE_NS:
            return None
        return self._step(now_ns, 1, Reason.STABLE)

    def _watch_calm(self, now_ns: int, fill: float, lag_ns: int) -> None:
        above = LEVELS[min(LEVELS.index(self.level) + 1, self._most)]
        if above == self.level or fill >= FILL[above] or lag_ns >= LAG_NS[above]:
            self._calm_since_ns = -1
        elif self._calm_since_ns < 0:
            self._calm_since_ns = now_ns

    def _step(self, now_ns: int, by: int, reason: Reason) -> Change:
        before, self.level = self.level, LEVELS[LEVELS.index(self.level) + by]
        self._pressed_since_ns = self._calm_since_ns = -1  # the new level has its own full time, in both directions
        return Change(now_ns, before, self.level, reason)


class Keeps:
    """Which payloads a level keeps: L2 all, L1 those of every port but audio, L0 none.

    A turn's plan hash is a decision's attribute and no payload: every level has it. So is what is empty. `outputs` and
    `inputs` say, by node and port, which payloads L1 keeps; the tape goes by the same tables.
    """

    def __init__(self, plan: Plan) -> None:
        self.outputs = [tuple(port.type != "audio" for port in node.outputs) for node in plan.nodes]
        self.inputs = [tuple(port.type != "audio" for port in node.inputs) for node in plan.nodes]

    def input(self, level: str, event: Inbound) -> bool:
        if level == "L1":
            return event.op not in (In.MEDIA, In.CHUNK) or _port(self.outputs, event.node, event.port)
        return level == "L2"

    def emission(self, level: str, node: int, emission: Emission) -> bool:
        return level == "L2" or (level == "L1" and _port(self.outputs, node, emission.port))

    def output(self, level: str, output: Output) -> bool:
        if is_plan_hash(output):
            return True
        if level == "L1" and output.op == Op.DEAD_LETTER:
            return _port(self.inputs, output.code, output.port)  # what it is, the node that was given it says
        if level == "L1":
            return output.op not in (Op.FEED, Op.SEND, Op.TAP) or _port(self.inputs, output.node, output.port)
        return level == "L2"


def _port(table: list[tuple[bool, ...]], node: int, port: int) -> bool:
    """False where there is no such port: what has no declared type may be audio."""
    return 0 <= node < len(table) and 0 <= port < len(table[node]) and table[node][port]


def is_plan_hash(output: Output) -> bool:
    """A turn's plan hash is a decision's attribute, not a payload: it is kept at every level."""
    return output.op == Op.DECISION and output.code == Signal.TURN_OPEN
