"""Invariants of edges and of the egress (docs/kernel.md: Edges, Moving an item, drain)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import TURN
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import ITEMS_WAIT, Checks, claim
from rspp_runtime.simulation.pages import ACTIVE
from rspp_runtime.simulation.violation import Violation

CHECKS = Checks()
on, after_step, while_ = CHECKS.on, CHECKS.after_step, CHECKS.while_


@on(Signal.DROP_NOTICE)
def drop_notice_names_what_waited(book: Book, output: Output) -> str | None:
    """The first and last sequence of a drop notice were offered to that edge, and neither delivered nor dropped."""
    edge, first, last = output.node, output.x, output.y
    if not 0 <= edge < len(book.held):
        return f"edge {edge} is none"
    if first > last:
        return f"edge {edge}: {first} to {last}"
    if not book.tracked[edge]:
        return None if first >= book.last_seq_out[edge] else f"edge {edge}: {first} was delivered"
    waiting = {item[0] for item in book.held[edge]}
    missing = {first, last} - waiting
    return f"edge {edge}: {sorted(missing)} did not wait there" if missing else None


@on(Signal.DROP_NOTICE)
def drop_notice_has_a_reason(book: Book, output: Output) -> str | None:
    """The cause of a drop is one that the edge's bounds, order and target have; a flush is of a turn or a mode."""
    if not 0 <= output.node < len(book.plan.edges):
        return None
    edge = book.plan.edges[output.node]
    order = {step.strategy for step in edge.overflow}
    if output.cause == Cause.BUDGET_EXHAUSTED:
        return None if book.plan.nodes[edge.target].meter >= 0 else f"{edge.name} goes to nobody with a cap"
    if output.cause == Cause.QUEUE_AGE:
        return None if edge.age_ns_max else f"{edge.name} has no age bound"
    if output.cause == Cause.SUPERSEDED:
        return None if "latest_only" in order else f"{edge.name} keeps more than one"
    if output.cause == Cause.SYNC_LOSS:
        is_atomic = edge.sync is not None and edge.sync.policy == "atomic"
        return None if is_atomic else f"{edge.name} falls with no other"
    if output.cause == Cause.CANCEL_FLUSH:
        flushes = book.turn_state == ACTIVE or book.handing
        return None if flushes else f"{edge.name} flushed and no turn is active"
    if output.cause == Cause.NOT_SELECTED:
        target = book.plan.nodes[edge.target]
        if target.join is None or target.join.by not in ("first", "highest"):
            return f"{edge.name} does not lead to a select"
        return f"{edge.name} was chosen" if book.selected.get(target.id) == edge.id else None
    if output.cause == Cause.CALLER_GONE:
        of_a_tool = {edge.source, edge.target} & book.called.tools
        return None if of_a_tool else f"nobody called by {edge.name}"
    if output.cause == Cause.SAMPLED:
        return None if "sample" in order else f"{edge.name} keeps all"
    if output.cause == Cause.COALESCED:
        return None if "coalesce" in order or edge.gather else f"{edge.name} joins nothing"
    return None if output.cause == Cause.QUEUE_PRESSURE else f"cause {output.cause}"


@on(Signal.SELECTED)
def a_turn_selects_once(book: Book, output: Output) -> str | None:
    """A select chooses one of its own flows, and inside a turn keeps to it."""
    node = book.plan.nodes[output.node]
    if node.join is None or output.x not in node.join.sources:
        return f"{node.name} chose edge {output.x}, which does not lead to it"
    if node.scope == TURN and node.id in book.selected:
        return f"{node.name} chose again in turn {book.turn.serial}"
    return None


@on(Signal.DROP_NOTICE)
def a_sample_keeps_its_share(book: Book, output: Output) -> str | None:
    """Of n items that came, an edge that thins them out has kept p % of n, rounded down."""
    edge = output.node
    if output.cause != Cause.SAMPLED or not book.tables.kept_percent[edge] or not book.tracked[edge]:
        return None
    came, kept = book.offered[edge], book.offered[edge] - book.thinned[edge] - 1
    right = came * book.tables.kept_percent[edge] // 100
    return None if kept == right else f"{book.plan.edges[edge].name} kept {kept} of {came}, not {right}"


@on(Signal.DROP_NOTICE)
def what_was_joined_lives_on(book: Book, output: Output) -> str | None:
    """Items that were joined live on in one that waits on the same edge."""
    if output.cause != Cause.COALESCED or not book.tracked[output.node]:
        return None
    into = output.invocation
    waits = any(item[0] == into for item in book.held[output.node])
    return None if waits and not output.x <= into <= output.y else f"into {into}, which does not wait"


@on(Signal.WATERMARK)
def marks_take_turns(book: Book, output: Output) -> str | None:
    """An edge with marks reaches the high one and then the low one, and so on."""
    mark = book.plan.edges[output.node].watermark
    if mark is None:
        return f"edge {output.node} has no marks"
    if (book.above >> output.node & 1) == output.x:
        return f"edge {output.node} twice"
    if output.x:
        return None if mark.high_ns or output.y >= mark.high_items else f"high with {output.y} items"
    return None if not mark.high_items or output.y <= mark.low_items else f"low with {output.y} items"


@on(Op.FEED, Op.SEND, Op.TAP)
def items_keep_their_order(book: Book, output: Output) -> str | None:
    """An edge delivers each item at most once, in order; what it does not deliver has a drop notice."""
    call = book.calls.get(output.invocation)
    if call is not None and call.attempts and output.seq in book.given.get(call.node, ()):
        return None  # once more, for another attempt: see `attempts_get_the_same_input`
    edge = book.edge_of(output.node, output.port, output.seq)
    if edge < 0 or (output.op == Op.SEND and output.seq in book.turn.again):
        return None  # (what comes again has its own check)
    if not book.tracked[edge]:
        return None if output.seq >= book.last_seq_out[edge] else f"edge {edge}: {output.seq} after a later one"
    held = book.held[edge]
    if held and held[0][0] == output.seq:
        return None if held[0][1] == len(output.payload) else f"edge {edge}: {output.seq} has another size"
    if edge in book.hazy and any(item[0] == output.seq for item in held):
        return None  # items before it were on their way to an invocation that ended
    ahead = [item[0] for item in held][:3]
    return f"edge {edge} delivered {output.seq}; next should come {ahead or 'nothing'}"


def consumed(book: Book, node: int, port: int, seq: int) -> None:
    """A Python node is called with the items of an edge in their order, with each at most once."""
    edge = book.edge_of(node, port, seq)
    if edge < 0:
        return
    last = book.last_seq_out[edge]
    if seq < last or (seq == last and book.tracked[edge]):
        raise Violation("consumed", f"{book.plan.edges[edge].name}: {seq} after {last}")
    book.last_seq_out[edge] = seq
    if book.tables.together[edge]:
        book.went_on[edge].append(seq)
    if book.tracked[edge] and not book.take_out(edge, seq):
        book.consumed.add((edge, seq))


claim(CHECKS, consumed)


@while_(ITEMS_WAIT)
def nothing_vanishes(book: Book) -> str | None:
    """What an edge has passed over was delivered or dropped with a notice."""
    for edge in book.waiting:
        held = book.held[edge]
        if held[0][0] < book.last_seq_out[edge] and edge not in book.hazy and book.tracked[edge]:
            return f"{book.plan.edges[edge].name}: {held[0][0]} is gone, {book.last_seq_out[edge]} came"
    return None


@while_(ITEMS_WAIT)
def edges_keep_their_bounds(book: Book) -> str | None:
    """No edge holds more items or bytes than it may."""
    for edge in book.waiting:
        held = book.held[edge]
        if edge not in book.hazy:
            plan = book.plan.edges[edge]
            if book.turn.pauses and book.tables.egress_edge[edge]:
                continue  # some were taken back on their way out
            if len(held) > plan.items_max or book.held_bytes[edge] > plan.bytes_max:
                return f"{plan.name} holds {len(held)} items, {book.held_bytes[edge]} bytes"
    return None


@on(Op.METRIC)
def counters_tell_the_truth(book: Book, output: Output) -> str | None:
    """A turn's metrics: never more items waiting than the bound, and as many shed as drop notices said."""
    edge = output.code
    plan = book.plan.edges[edge]
    if output.x > plan.items_max:
        return f"{plan.name} held {output.x} items of {plan.items_max}"
    if book.tracked[edge] and not book.dropped_before[edge] <= output.y <= book.dropped[edge]:
        return f"{plan.name} counted {output.y} shed; notices told {book.dropped[edge]}"
    return None


@while_(ITEMS_WAIT)
def what_can_move_has_moved(book: Book) -> str | None:
    """A step leaves nothing on an edge whose target could take it."""
    if book.ended:
        return None
    calls = book.calls
    for edge in book.waiting:
        held = book.held[edge]
        if edge in book.hazy:
            continue
        plan = book.plan.edges[edge]
        if book.tables.together[edge]:
            continue  # it may wait for others
        target = book.plan.nodes[plan.target]
        if book.tables.gather_ns[edge] and book.now <= book.held_since[edge] + book.tables.gather_ns[edge]:
            continue
        if target.kind == "tap":
            return f"{plan.name} kept {len(held)} items from a tap"
        if target.execution != "effect" or book.edges_off >> edge & 1:
            continue
        if plan.target in book.stopping or (book.turn.stopping_ns >= 0 and target.scope == "turn"):
            continue  # it is to stop
        here = [call for call in calls.values() if call.node == target.id]
        live = [call for call in here if not call.finished]
        if live and live[0].id in book.uncounted:
            continue
        if (live and live[0].untaken < target.window) or not here:
            return f"{plan.name} kept {len(held)} items, and {target.name} has room"
    return None


@while_(ITEMS_WAIT)
def waiting_audio_has_a_deadline(book: Book) -> str | None:
    """While audio waits to be sent, the kernel wants to be called when the frame before has played, or earlier."""
    if book.turn_state != ACTIVE or book.turn.paused_ns >= 0:
        return None
    stops = bool(book.basis) or book.turn.is_silenced  # … while its party plays, or what waits is not sent any more
    latest = max(book.now, book.cursor_ns, book.turn.stopping_ns if stops else 0)
    if book.turn.again and not 0 <= book.deadline <= latest:
        return f"frames are to be sent again: deadline {book.deadline}, playback ends at {book.cursor_ns}"
    for edge in book.tables.audio_edges:
        waits = book.held[edge] and book.tracked[edge] and not book.edges_off >> edge & 1
        if waits and not 0 <= book.deadline <= latest:
            return f"{book.plan.edges[edge].name}: deadline {book.deadline}, playback ends at {book.cursor_ns}"
    return None


@after_step
def a_blocked_producer_is_resumed(book: Book) -> str | None:
    """A producer that was told FULL is resumed when all of its edges have room again."""
    for node in book.blocked:
        if node in book.unsure or not 0 <= node < len(book.plan.nodes):
            continue
        edges = [e for e in book.tables.edges_from_node.get(node, ()) if not book.edges_off >> e & 1]
        if edges and all(book.tracked[edge] and _has_ample_room(book, edge) for edge in edges):
            return f"{book.plan.nodes[node].name} still waits"
    return None


def _has_ample_room(book: Book, edge: int) -> bool:
    plan = book.plan.edges[edge]
    largest = book.plan.nodes[plan.source].outputs[plan.source_port].item_bytes_max
    held = len(book.held[edge])
    if edge in book.hazy:
        return False
    return held <= book.tables.ample[edge] and (
        held < plan.items_max and book.held_bytes[edge] + largest <= plan.bytes_max
    )


@on(Signal.FLOW_XOFF, Signal.FLOW_XON)
def xoff_and_xon_take_turns(book: Book, output: Output) -> str | None:
    """Each edge is stopped before it is started."""
    off = bool(book.xoff >> output.node & 1)
    return f"edge {output.node} twice" if off == (output.code == Signal.FLOW_XOFF) else None


@on(Op.RESUME)
def only_the_blocked_are_resumed(book: Book, output: Output) -> str | None:
    """RESUME goes to a producer that was told FULL."""
    return None if output.node in book.blocked else f"node {output.node} was not blocked"


# ---- egress


@on(Op.SEND)
def nothing_leaves_after_the_fence(book: Book, output: Output) -> str | None:
    """Only items of the active turn leave, under an authority that holds."""
    if book.turn_state != ACTIVE or output.turn != book.turn.serial:
        return f"an item of turn {output.turn} left; turn {book.turn.serial} is in state {book.turn_state}"
    return "an item left without authority" if book.revoked and not book.unplaced else None


@on(Op.SEND)
def playback_is_paced(book: Book, output: Output) -> str | None:
    """Audio is sent at most `lead_ns` ahead of playback, and not behind the present."""
    if (output.node, output.port) not in book.tables.audio_out:
        return None
    ahead = output.x - output.t_ns
    return None if 0 <= ahead <= book.plan.lead_ns else f"sent {ahead} ns ahead"


@on(Op.SEND)
def playback_never_overlaps(book: Book, output: Output) -> str | None:
    """The next frame plays when the one before has ended, and the words that it completes do not become fewer."""
    if (output.node, output.port) not in book.tables.audio_out:
        return None
    audio = book.turn.audio
    if audio and not book.turn.refused and output.x < audio[-1][0]:
        return f"plays at {output.x}, the frame before ends at {audio[-1][0]}"
    return None


@on(Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED, Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED)
def heard_is_what_was_played(book: Book, output: Output) -> str | None:
    """Words heard are those of the last frame whose end has passed, and was reported if anything was."""
    turn = book.turn
    until = min(output.t_ns, turn.reported_ns) if turn.reported_ns >= 0 else output.t_ns
    played = [words for end, words in turn.audio if end <= until]
    if turn.refused or turn.text or turn.vague or not turn.audio or turn.reported_at_ns > output.t_ns:
        return None  # (or it was reported after a step that nobody has drained yet)
    expected = max(played[-1] if played else 0, turn.heard)
    is_late = book.undrained_ns < output.t_ns  # frames that nobody has drained yet
    if (turn.thinned or (book.basis and is_late)) and output.x <= expected:
        return None  # known less finely
    if output.x == expected or (output.x > expected and is_late):
        return None  # or those were heard
    return f"{output.x} words, the ledger says {expected}"


@on(Signal.ABORT)
def a_cut_answer_is_flushed(book: Book, output: Output) -> str | None:
    """If the transport still holds audio of the turn, it is told to forget it."""
    return _left_with_the_transport(book, output)


def _left_with_the_transport(book: Book, output: Output) -> str | None:
    audio = book.turn.audio
    is_left = audio and audio[-1][0] > output.t_ns
    return f"audio until {audio[-1][0]} ns stays with the transport" if is_left else None


@on(Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED)
def pause_and_resume_take_turns(book: Book, output: Output) -> str | None:
    """Playback is paused within an active turn, and resumed only when it is paused."""
    paused = book.turn_state == ACTIVE and book.turn.paused_ns >= 0
    if output.code == Signal.PLAYBACK_RESUMED:
        return None if paused else "resumed, and it was not paused"
    return "paused twice" if paused else None if book.turn_state == ACTIVE else "paused outside of a turn"


@on(Signal.PLAYBACK_PAUSED)
def a_pause_is_heard_at_once(book: Book, output: Output) -> str | None:
    """What the transport holds when playback pauses, it is told to forget."""
    return _left_with_the_transport(book, output)


@on(Op.SEND)
def a_pause_is_silent(book: Book, output: Output) -> str | None:
    """Nothing is played while playback is paused."""
    is_audio = (output.node, output.port) in book.tables.audio_out
    return f"sent {output.seq} in a pause" if is_audio and book.turn.paused_ns >= 0 else None


@on(Op.SEND)
def what_was_taken_back_comes_again_first(book: Book, output: Output) -> str | None:
    """Playback goes on with the first frame that was not played to its end: none is left out, none comes before."""
    again = book.turn.again
    if not again or (output.node, output.port) not in book.tables.audio_out:
        return None
    return (
        None
        if output.seq == again[0] or (book.turn.thinned and output.seq in again)
        else f"{output.seq} was sent; {again[0]} was not heard yet"
    )


@after_step
def a_pause_ends(book: Book) -> str | None:
    """A pause lasts at most `pause_ns`: then the turn is cancelled."""
    turn = book.turn
    if book.turn_state != ACTIVE or turn.paused_ns < 0 or book.now < turn.paused_ns + book.plan.pause_ns:
        return None
    return f"paused since {turn.paused_ns}"


def refused_outputs_are_recorded(book: Book) -> None:
    """What a closed turn had on its way out is refused at the fence, each item with its own decision."""
    if book.closing:
        if book.departed > 0:
            raise Violation("refused_outputs_are_recorded", f"{book.departed} items vanished at the egress")
        book.departed = 0


claim(CHECKS, refused_outputs_are_recorded)
