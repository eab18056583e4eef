"""Invariants of caps and budgets of cost (docs/kernel.md, Caps), and how the world's providers use what is counted."""

from __future__ import annotations

from rspp_runtime.abi.codes import Op, Unit
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Meter, Node, Plan
from rspp_runtime.session.usage import counted
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks

CHECKS = Checks()
on, after_step = CHECKS.on, CHECKS.after_step
_SECOND_NS = 1_000_000_000


@on(Op.INVOKE)
def a_spent_block_begins_nothing(book: Book, output: Output) -> str | None:
    """Once a cap is reached, no invocation of the block begins before the turn has closed."""
    meter = book.plan.nodes[output.node].meter
    if meter < 0:
        return None
    spent = book.spent[meter]
    if spent.closed_seq < spent.reached_seq <= output.seq:
        return f"invocation {output.invocation} began after decision {spent.reached_seq}"
    return None


@after_step
def caps_are_kept(book: Book) -> str | None:
    """No provider uses more than its block may, of a turn or of the session."""
    for meter, spent in zip(book.plan.meters, book.spent, strict=True):
        for unit, limit in limits(meter).items():
            if limit and spent.used.get(unit, 0) > limit:
                return f"{meter.name}: {spent.used[unit]} of {limit} {unit.name}"
        if meter.session_audio_ns and spent.session_ns > meter.session_audio_ns:
            return f"{meter.name}: {spent.session_ns} ns of {meter.session_audio_ns} ns in the session"
    return None


def limits(meter: Meter) -> dict[Unit, int]:
    return {
        Unit.AUDIO_NS: meter.audio_ns,
        Unit.CHARS: meter.chars,
        Unit.TOKENS_IN: meter.tokens_in,
        Unit.TOKENS_OUT: meter.tokens_out,
        Unit.CALLS: meter.calls,
    }


def stamps(plan: Plan, node: Node, size: int, *, gives: bool) -> list[tuple[Unit, int]]:
    """What `size` bytes use that a provider of the node takes or gives."""
    if node.meter < 0 or not size:
        return []
    audio = (Unit.AUDIO_NS, size * _SECOND_NS // plan.audio_bytes_per_second)
    if node.kind in ("stt", "vad"):
        found = [] if gives else [audio]
    elif node.kind == "tts":
        found = [audio] if gives else [(Unit.CHARS, size)]
    else:
        found = [(Unit.TOKENS_OUT if gives else Unit.TOKENS_IN, -(-size // 4))]
    asked = counted(plan.meters[node.meter])
    return [one for one in found if one[0] in asked]
