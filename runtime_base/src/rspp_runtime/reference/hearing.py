"""The end of an utterance, and the joined transcript that a turn answers (`docs/kernel.md`)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Flag, Origin
from rspp_runtime.reference import invocations, paths, turns
from rspp_runtime.reference.edges import push_all
from rspp_runtime.reference.outputs import data_room
from rspp_runtime.reference.state import USER, Parcel, State


def fits(s: State, size: int) -> bool:
    """Whether a text of that size can still be joined to what was heard."""
    joined = len(s.hearing.join)
    return joined + bool(joined) + size <= s.plan.utterance_bytes_max


def join(s: State, text: bytes, words: int) -> None:
    """Add a final transcript, or typed text, to the utterance; parts are separated by one space."""
    if text:
        if s.hearing.join:
            s.hearing.join += b" "
        s.hearing.join += text
        s.hearing.words += words


def end_utterance(s: State, seq: int, origin: Origin, epoch: int) -> None:
    """The owner says that the user's input ended: the recogniser must finish, and a turn is proposed."""
    utterance = s.hearing
    utterance.last_seq = seq
    recogniser = s.recogniser
    if recogniser is not None and (
        recogniser.live is not None or recogniser.again or s.edges[recogniser.plan.edges_in[0]].items
    ):
        utterance.finish_pending = True
        utterance.finish_seq = seq
        s.timers[s.first_timer(recogniser.plan.id)] = s.now + recogniser.plan.first_output_ns
    turns.propose(s, origin, epoch)


def can_finish(s: State) -> bool:
    """Whether everything that belongs to the ended utterance has been fed."""
    recogniser = s.recogniser
    if recogniser is None or not s.hearing.finish_pending or recogniser.has_rest:
        return False
    items = s.edges[recogniser.plan.edges_in[0]].items
    if items and items[0][1].seq <= s.hearing.finish_seq:
        return False
    return recogniser.live is None or data_room(s, 1)


def finish(s: State) -> None:
    """Tell the recogniser that the utterance is complete."""
    recogniser = s.recogniser
    assert recogniser is not None
    s.hearing.finish_pending = False
    if recogniser.live is None:
        heard(s)
        return
    if recogniser.ending is not None:
        invocations.cancel(s, recogniser, recogniser.ending)
    invocations.finish(s, recogniser)


def pending(s: State) -> bool:
    """Whether an utterance has ended and is not recognised yet."""
    return s.hearing.finish_pending or (s.recogniser is not None and s.recogniser.ending is not None)


def heard(s: State) -> None:
    """An utterance is recognised, or given up: if the turn waited for it, it may answer now."""
    if not pending(s):
        s.stop(s.first_timer(s.plan.recogniser))
        if s.turn.waiting:
            release(s)


def lost(s: State) -> None:
    """The recogniser failed: a turn does not wait for what will not come."""
    if not pending(s):
        s.stop(s.first_timer(s.plan.recogniser))
        s.turn.waiting = False
        paths.heard(s)


def release(s: State) -> None:
    """Give the turn what the user said."""
    s.turn.waiting = False
    paths.heard(s)
    text, words = bytes(s.hearing.join), s.hearing.words
    forget(s)
    if text:
        seq = s.next_seq()
        node, port = _mouth(s)
        push_all(s, node, port, Parcel(seq, s.turn.serial, s.epoch, 0, Flag.FINAL, 0, words, text))
        turns.remember(s, USER, text)


def _mouth(s: State) -> tuple[int, int]:
    """The port that utterances come from: the recogniser's, or where people only type, that of the ingress."""
    node = s.recogniser or s.nodes[s.plan.ingress]
    names = [output.name for output in node.plan.outputs]
    return node.plan.id, names.index("utterance" if s.recogniser else "text")


def forget(s: State) -> None:
    """Empty the join buffer."""
    s.hearing.join.clear()
    s.hearing.words = 0
    s.hearing.first_seq = 0
