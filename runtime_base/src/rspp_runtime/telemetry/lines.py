"""What one session leaves in the log of its server: that it began, how each turn ended, which calls failed, its end."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.session.observer import InvocationEnd, Observer

log = logging.getLogger("rspp.session")

MS_NS = 1_000_000
_FINE = (Outcome.SUCCESS, Outcome.CANCELLED)


class SessionLines(Observer):
    """`ids` are in each line: session_id, tenant, trace_id."""

    LATER = True
    INPUTS = ()
    QUIET_STEPS = MOVES = False
    EVERY_CALL = False

    def __init__(self, plan: Plan, **ids: str) -> None:
        self._plan = plan
        self._ids = ids
        self._opened_ns: dict[int, int] = {}
        self._played_ns: dict[int, int] = {}
        self._turns = 0
        log.info("session began", extra=ids)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op == Op.DECISION:
                self._decided(output)

    def on_invocation(self, end: InvocationEnd) -> None:
        if end.outcome not in _FINE:
            told = {
                "node": self._plan.nodes[end.node].name, "provider": end.provider, "reason": end.reason,
                "outcome": Outcome(end.outcome).name.lower(), "duration_ms": (end.end_ns - end.start_ns) // MS_NS,
            }  # fmt: skip
            log.warning("a call of a provider failed", extra={**self._ids, **told})

    def on_over(self, now_ns: int) -> None:
        log.info("session is over", extra={**self._ids, "duration_ms": now_ns // MS_NS, "count": self._turns})

    def _decided(self, output: Output) -> None:
        signal, turn = output.code, output.turn
        if signal == Signal.TURN_OPEN:
            self._opened_ns[turn] = output.t_ns
            self._turns += 1
        elif signal == Signal.PLAYBACK_STARTED:
            self._played_ns.setdefault(turn, output.t_ns)
        elif signal in (Signal.COMMIT, Signal.ABORT):
            opened_ns = self._opened_ns.pop(turn, output.t_ns)
            played_ns = self._played_ns.pop(turn, None)
            cause = Cause(output.cause)
            is_failure = signal == Signal.ABORT and cause != Cause.CANCELLED
            told = {
                "turn_id": f"{self._ids['session_id']}/{turn}",
                "terminal": "commit" if signal == Signal.COMMIT else "abort",
                "reason": "completed" if signal == Signal.COMMIT else cause.name.lower(),
                "duration_ms": (output.t_ns - opened_ns) // MS_NS,
                "playback_ms": None if played_ns is None else (played_ns - opened_ns) // MS_NS,
            }
            log.log(logging.WARNING if is_failure else logging.INFO, "turn ended", extra={**self._ids, **told})
