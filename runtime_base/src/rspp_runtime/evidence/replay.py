"""Replay: executes a log again, on either kernel, and names the first thing that differs (CONTRACTS §8)."""

from __future__ import annotations

from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.differences import Difference as Difference
from rspp_runtime.evidence.differences import Divergence as Divergence
from rspp_runtime.evidence.entries import Log
from rspp_runtime.evidence.execution import Execution, OpenSession
from rspp_runtime.evidence.report import Report as Report


def replay(log: Log, plan: Plan, open_session: OpenSession) -> Report:
    """Executes `log` on a session of `plan`. Raises `LogError` if the log cannot be executed at all."""
    if plan.template_hash != log.header.template_hash:
        return other_template(log, plan)
    execution = Execution(log, plan, open_session)
    try:
        while execution.next() is not None:
            pass
    finally:
        execution.close()
    return execution.report


def other_template(log: Log, plan: Plan) -> Report:
    """The report on a log of another build."""
    report = Report(level=log.header.level, torn=log.torn)
    told = f"template {log.header.template_hash}", f"template {plan.template_hash}"
    report.add(Difference(Divergence.PLAN, 1, 0, *told))
    return report
