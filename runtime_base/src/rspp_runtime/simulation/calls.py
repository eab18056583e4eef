"""Invariants of inputs, sequences and invocations (docs/kernel.md: ingest, drain, Cancelling an invocation)."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_runtime.abi.codes import Control, In, Op, Result
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import CALLS_LIVE, Checks, claim
from rspp_runtime.simulation.pages import ACTIVE, DECISION, OPENING
from rspp_runtime.simulation.violation import Violation

CHECKS = Checks()
on, after_step, while_ = CHECKS.on, CHECKS.after_step, CHECKS.while_

_MEDIA, _CHUNK, _DONE, _CREDIT, _CONTROL = (int(kind) for kind in (In.MEDIA, In.CHUNK, In.DONE, In.CREDIT, In.CONTROL))
_UNCHECKED = (int(In.DONE), int(In.CREDIT), int(In.USAGE))  # whatever their epoch
_ACCEPTED = int(Result.ACCEPTED)
_ANY_EPOCH = frozenset(
    int(code) for code in (Control.LEASE_ROTATED, Control.HANDOFF, Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED)
)


def answer_is_right(book: Book, event: Inbound, result: int) -> None:
    """What comes under another epoch, for no invocation, or too large is not accepted."""
    if result != _ACCEPTED:
        if event.op == _CREDIT and result == Result.REFUSED:
            raise Violation("answer_is_right", "CREDIT was refused")
        return
    op = event.op
    if event.epoch != book.epoch and not (
        op in _UNCHECKED or (op == _CONTROL and event.port in _ANY_EPOCH) or event.epoch in book.epochs_offered
    ):  # fmt: skip
        raise Violation("answer_is_right", f"accepted under epoch {event.epoch}, the session is at {book.epoch}")
    if op == _CHUNK:
        if event.invocation in book.gone:
            raise Violation("answer_is_right", f"a chunk of invocation {event.invocation} was accepted after its end")
        if len(event.payload) > book.plan.nodes[event.node].outputs[event.port].item_bytes_max:
            raise Violation("answer_is_right", f"an item of {len(event.payload)} bytes was accepted")
    elif op == _MEDIA and len(event.payload) > book.plan.nodes[event.node].outputs[event.port].item_bytes_max:
        raise Violation("answer_is_right", f"an item of {len(event.payload)} bytes was accepted")


def nothing_is_taken_twice(book: Book, event: Inbound, result: int) -> None:
    """An item that was taken is not taken again under the same idempotency key."""
    if event.op == _MEDIA and result == _ACCEPTED and event.invocation and event.invocation in book.keys:
        raise Violation("nothing_is_taken_twice", f"the item with key {event.invocation} was accepted again")


def credit_sets_its_deadline_anew(book: Book, event: Inbound) -> None:
    """Python nodes outside owe an end of each item, and no output: see `first_output_is_in_time`."""
    call = book.calls.get(event.invocation) if event.op == _CREDIT and event.a > 0 else None
    if call is not None and call.node == event.node and book.plan.nodes[call.node].kind == "python":
        has_more = call.finished or call.untaken > event.a
        call.first_fed_ns = book.now if has_more else -1


def lanes_in_order(book: Book, outputs: Sequence[Output]) -> None:
    """A drain gives control before data before telemetry."""
    lane = 0
    for output in outputs:
        op = output[0]
        its = 0 if op < 20 else 1 if op < 40 else 2
        if its < lane:
            if op == DECISION and output[7] == 26 and output[10] == 1 and lane == 1:
                continue  # the fence's refusal, in the place of the item
            raise Violation("lanes_in_order", f"{Op(op).name} after an output of a lower lane")
        lane = its


def decisions_count_up(book: Book, outputs: Sequence[Output]) -> None:
    """Each decision has its own runtime sequence, above all earlier ones."""
    last = book.seq
    for output in outputs:
        if output[0] == DECISION:
            if output[2] <= last and not (output[7] == 26 and output[10] == 1):
                raise Violation("decisions_count_up", f"sequence {output[2]} after {last}")
            last = max(last, output[2])
        if output[1] > book.now:
            raise Violation("decisions_count_up", f"an output of the future: {output[1]} ns at {book.now} ns")


def sequence_is_gapless(book: Book, seq: int, counted: int) -> None:
    """Every runtime sequence is an accepted input's, a decision's, or an item's that the kernel made."""
    extra = seq - book.seq - counted
    if extra < 0:
        raise Violation("sequence_is_gapless", f"{counted} took one after {book.seq}, and the last is {seq}")
    joined = book.tables.joined + len(book.unplaced) * book.tables.joins
    if extra > 1 + book.opened + joined + book.tables.triggers * (1 + book.entries + len(book.excused)):
        raise Violation("sequence_is_gapless", f"{extra} sequences up to {seq} are nobody's")


for _claimed in (answer_is_right, nothing_is_taken_twice, lanes_in_order, decisions_count_up, sequence_is_gapless):
    claim(CHECKS, _claimed)


@on(Op.INVOKE)
def invocations_count_up(book: Book, output: Output) -> str | None:
    """Each invocation has a new number."""
    if output.invocation <= book.last_call:
        return f"invocation {output.invocation} after {book.last_call}"
    return None


@on(Op.INVOKE, Op.CONTEXT, Op.FEED, Op.FINISH)
def only_the_present_turn_works(book: Book, output: Output) -> str | None:
    """Nothing of a turn-scoped node is asked for but in its own, active turn."""
    if book.tables.of_turn[output.node]:
        if book.turn_state != ACTIVE or output.turn != book.turn.serial:
            return f"{Op(output.op).name} of turn {output.turn} while turn {book.turn.serial} is in {book.turn_state}"
    elif output.turn:
        return f"{Op(output.op).name} of turn {output.turn} for a node of the session"
    return None


@on(Op.CONTEXT, Op.FEED, Op.FINISH)
def only_live_invocations_are_fed(book: Book, output: Output) -> str | None:
    """Input and its end go only to an invocation that was started, not finished, cancelled or ended."""
    call = book.calls.get(output.invocation)
    if call is None or call.node != output.node:
        return f"{Op(output.op).name} for invocation {output.invocation}, which is none"
    is_answer = (output.node, output.port) in book.called.answers and output.op == Op.FEED
    return f"{Op(output.op).name} after FINISH" if call.finished and not is_answer else None


@on(Op.FEED)
def attempts_get_the_same_input(book: Book, output: Output) -> str | None:
    """An attempt gets what the one before got in the same order, and only a node that has attempts makes a second."""
    call = book.calls.get(output.invocation)
    if call is None or not call.attempts or len(book.plan.nodes[call.node].inputs) > 1:
        return None
    if book.plan.nodes[call.node].attempts is None:
        return f"attempt {call.attempts + 1} of {book.plan.nodes[call.node].name}, which has one"
    # Pieces of a text that was split share a sequence.
    place = book.given.get(call.node, {}).get(output.seq, call.last_fed)
    return f"{output.seq} again, after what had come behind it" if place < call.last_fed else None


@on(Op.FEED)
def window_is_kept(book: Book, output: Output) -> str | None:
    """At most `window` items are fed and not yet taken."""
    if (output.node, output.port) in book.called.answers:
        return None
    call = book.calls.get(output.invocation)
    window = book.plan.nodes[output.node].window
    if call is not None and call.untaken >= window and call.id not in book.uncounted:
        return f"item {call.untaken + 1} for a window of {window}"
    return None


@on(Op.CANCEL)
def a_cancel_gives_the_grace(book: Book, output: Output) -> str | None:
    """A cancel's deadline is the grace after it; a soft tool may have the rest of its own time."""
    row, call = book.plan.nodes[output.node], book.calls.get(output.invocation)
    if row.tool and row.tool.soft and output.x > output.t_ns + book.plan.grace_ns:
        began_ns = call.first_fed_ns if call and call.first_fed_ns >= 0 else output.t_ns  # cancelled as it began
        late = output.x > began_ns + row.first_output_ns
        return f"until {output.x} ns, later than its timeout" if late else None
    if output.x != output.t_ns + book.plan.grace_ns:
        return f"{output.x - output.t_ns} ns of grace, not {book.plan.grace_ns}"
    return None


@on(Op.CANCEL)
def a_cancel_comes_once(book: Book, output: Output) -> str | None:
    """An invocation is cancelled at most once, and not after its end."""
    return f"invocation {output.invocation} has ended" if output.invocation in book.gone else None


@on(Op.FORCE)
def only_the_cancelled_are_forced(book: Book, output: Output) -> str | None:
    """FORCE ends an invocation that was cancelled and has not ended."""
    invocation = book.grace.get(output.node, (0, 0))[0]
    return None if invocation == output.invocation else f"invocation {output.invocation} is not being cancelled"


@after_step
def force_comes_after_the_grace(book: Book) -> str | None:
    """An invocation is ended by force only after its grace, or because the next of its node is cancelled."""
    return f"nodes {sorted(book.early)} were forced early" if book.early else None


@after_step
def grace_is_not_longer(book: Book) -> str | None:
    """When the grace is over, what was cancelled has ended or is ended by force."""
    for node, (invocation, deadline) in book.grace.items():
        if book.now >= deadline:
            return f"invocation {invocation} of node {node} should have ended at {deadline}"
    return None


@while_(CALLS_LIVE)
def first_output_is_in_time(book: Book) -> str | None:
    """An effect that has not answered within its budget is cancelled (but for the recogniser: see its turn).

    A Python node outside is, when it has not been done with an item for that long.
    """
    for call in book.calls.values():
        if call.first_ns and call.answered_ns < 0 <= call.first_fed_ns <= book.now - call.first_ns:
            node = book.plan.nodes[call.node]
            return f"invocation {call.id} of {node.name}: fed at {call.first_fed_ns}, no output by {book.now}"
    return None


@while_(CALLS_LIVE)
def a_word_is_in_time(book: Book) -> str | None:
    """A model that has said no word within its deadline `speakable` is cancelled."""
    for call in book.calls.values():
        node = book.plan.nodes[call.node]
        limit = node.speakable_ns
        if limit and not call.spoke and 0 <= call.first_fed_ns <= book.now - limit:
            return f"invocation {call.id} of {node.name}: fed at {call.first_fed_ns}, no word by {book.now}"
    return None


@while_(CALLS_LIVE)
def chunks_are_in_time(book: Book) -> str | None:
    """An effect that stops in the middle of its answer is cancelled (a voice may wait for text)."""
    for call in book.calls.values():
        if not call.chunk_ns or call.blocked or call.node in book.blocked:
            continue
        if 0 <= call.answered_ns <= book.now - call.chunk_ns:
            node = book.plan.nodes[call.node]
            return f"invocation {call.id} of {node.name}: last output at {call.answered_ns}, now {book.now}"
    return None


@after_step
def an_ended_session_is_quiet(book: Book) -> str | None:
    """After ENDED no invocation is left and no turn is in progress."""
    if book.ended and book.calls:
        return f"invocations {sorted(book.calls)} go on"
    return "a turn goes on" if book.ended and book.turn_state in (OPENING, ACTIVE) else None
