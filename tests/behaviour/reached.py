"""What random schedules reached, and an output on one line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rspp_runtime.abi import Cause, Op, Signal
from rspp_runtime.abi.codes import PLAYBACK


@dataclass
class Coverage:
    """What the schedules reached."""

    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    ops: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    follows: set[int] = field(default_factory=set)  # what followed the failure of an attempt
    heard: Counter[tuple[str, int]] = field(default_factory=Counter)  # decisions about playback, by basis
    exhausted: set[int] = field(default_factory=set)  # which caps were reached, 0 a budget of time

    def see(self, output: Any) -> None:
        self.ops[Op(output.op).name] += 1
        if output.op == Op.DECISION:
            self.signals[Signal(output.code).name, _cause(output.cause)] += 1
            if output.code in PLAYBACK or output.code in (Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED):
                self.heard[Signal(output.code).name, output.port] += 1
            elif output.code == Signal.PROVIDER_ERROR:
                self.follows.add(output.y)
            elif output.code == Signal.BUDGET_EXHAUSTED:
                self.exhausted.add(output.x)


def _cause(code: int) -> str:
    return Cause(code).name


def show(output: Any) -> str:
    """An output on one line: names for numbers, the size of its payload."""
    if not hasattr(output, "op"):
        return str(output)
    name = Signal(output.code).name if output.op == Op.DECISION else Op(output.op).name
    fields = [f"{key}={int(getattr(output, key))}" for key in ("node", "port", "turn", "invocation", "code", "x", "y")]
    payload = f"{len(output.payload)}B" if len(output.payload) > 24 else output.payload
    return f"{name} seq={output.seq} {' '.join(fields)} {_cause(output.cause)} {payload!r}"
