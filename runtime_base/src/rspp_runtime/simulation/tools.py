"""Invariants of calls of tools (docs/kernel.md, Tools)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Flag, Op
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks

CHECKS = Checks()
on, after_step = CHECKS.on, CHECKS.after_step


@on(Op.FEED)
def a_call_begins_once(book: Book, output: Output) -> str | None:
    """A tool runs only for a call that was taken, only once for it, and only while somebody waits for the answer."""
    called = book.called
    if output.node not in called.tools or not output.x:  # a reaction calls
        return None
    key = called.waiting.get(output.seq)
    if key is None:
        return f"{book.plan.nodes[output.node].name} runs for item {output.seq}, which is no call, or ran before"
    is_gone = called.left_ns.get(key[0], output.t_ns) < output.t_ns  # else in the same step, after it began
    return f"invocation {key[0]}, which called, is gone" if is_gone else None


@on(Op.INVOKE)
def a_tool_runs_one_call_at_a_time(book: Book, output: Output) -> str | None:
    """No call of a tool begins while another one of this session is at work, or is being cancelled."""
    if output.node not in book.called.tools:
        return None
    others = [call.id for call in book.calls.values() if call.node == output.node]
    others += [book.grace[output.node][0]] if output.node in book.grace else []
    others = [one for one in others if one not in book.called.ended]
    return f"invocation {output.invocation} beside {others}" if others else None


@on(Op.FEED)
def an_answer_goes_to_who_called(book: Book, output: Output) -> str | None:
    """An answer is given to the invocation that called, for its own call, once, and is what the tool said."""
    called = book.called
    if (output.node, output.port) not in called.answers:
        return None
    key = output.invocation, output.x
    if key not in called.open:
        return f"call {output.x} of invocation {output.invocation} was answered, or never made"
    said = called.said.get(key)
    if said is not None:
        return None if said == output.payload else f"call {key} is given what another one was answered"
    return None if output.y & Flag.FAILED and not output.payload else f"call {key} is given what nobody said"


@after_step
def calls_are_bounded(book: Book) -> str | None:
    """A model calls at most `max_calls` times in a turn."""
    for (node, turn), count in book.called.counted.items():
        most = book.plan.nodes[node].calls_max
        if count > most:
            return f"{count} calls of {book.plan.nodes[node].name} in turn {turn}: at most {most}"
    return None
