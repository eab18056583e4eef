"""Time: W05."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.lint.subject import Subject, ms

LOOSE = 2  # times the worst case
HELD_NS_MAX = 400_000_000
STEP_NS = 100_000_000


def loose_budget(subject: Subject, sink: Sink) -> None:
    """W0501: a budget far above the worst case never warns, and hides how slow a later change makes the pipeline."""
    spec, analysis = subject.spec, subject.analysis
    if spec is None or analysis is None or analysis.worst is None:
        return
    worst, turn, origin = analysis.worst.total_ns, spec.budget.turn_ns, spec.budget.origin("turn_ns")
    if origin.kind != "user" or turn < LOOSE * worst or worst == 0:
        return
    enough = ms(-(-worst // STEP_NS) * STEP_NS)
    sink.add(
        "W0501",
        f"the turn budget of {ms(turn)} is {turn // worst} times what a turn can take",
        origin.span,
        label=f"at worst, the first output comes after {ms(worst)}",
        help=f"write `{enough}`, so that it says when something gets slower",
        fix=Fix(origin.span, enough),
    )


def held_back(subject: Subject, sink: Sink) -> None:
    """W0502: text that a hand-off holds back is silence, in every turn."""
    for edge in subject.spec.edges if subject.spec else ():
        if edge.handoff is None or edge.handoff.age_ns_max <= HELD_NS_MAX:
            continue
        origin = edge.handoff.origin("age_ns_max")
        if origin.kind == "user":
            sink.add(
                "W0502",
                f"`{edge.id}` may hold text back for {ms(edge.handoff.age_ns_max)}",
                origin.span,
                label="so long nothing is said, although there is something to say",
                help=f"write `{ms(HELD_NS_MAX)}` or less",
                fix=Fix(origin.span, ms(HELD_NS_MAX)),
            )
