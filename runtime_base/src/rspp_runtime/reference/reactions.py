"""What the pipeline's `on …` lines do (`docs/kernel.md`, Raising an event)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Flag, Origin, Scope, SessionState, Signal
from rspp_runtime.abi.plan import EFFECT, Reaction
from rspp_runtime.reference import (
    apologies,
    edges,
    guards,
    hearing,
    invocations,
    letters,
    pauses,
    stopping,
    timed,
    turns,
)
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import Happened, Parcel, State

_OF_A_FAILURE = (Cause.NODE_TIMEOUT, Cause.NODE_ERROR, Cause.BUDGET_EXHAUSTED)


def raise_event(s: State, event: int, cause: Cause = Cause.USER, **fields: int) -> bool:
    """Run the reactions to an event; returns whether one acts. `fields` are what their guards may read of it."""
    if event < 0:
        return False
    turn = s.turn.serial if s.active else 0
    return react(s, Happened(event, cause, s.input_seq, s.input_epoch, turn, s.turn.origin, **fields), cause)


def react(s: State, happened: Happened, cause: Cause) -> bool:
    """Run the reactions to an event in the order of their lines, each if its guard holds then."""
    acted = False
    interrupts = s.barge_in_waits and happened.event == s.plan.barge_in
    for reaction in s.plan.reactions:
        if reaction.event != happened.event or (interrupts and reaction.id in s.speech.acted):
            continue
        if guards.acts(s, reaction.guard, happened):
            s.speech.acted.add(reaction.id)
            _react(s, reaction, cause, happened.seq, happened.epoch)
            acted = acted or reaction.action.verb != "show"
    return acted


def next_raised(s: State) -> None:
    """Run the reactions to the first event that decisions have raised."""
    event = min(s.raised)
    happened = s.raised.pop(event)
    s.chain.add(event)
    s.input_seq, s.input_epoch = happened.seq, happened.epoch
    react(s, happened, Cause.USER)


def cancel_node(s: State, identity: int, cause: Cause) -> None:
    """Cancel what one effect node is doing; the turn goes on."""
    node = s.nodes[identity]
    if node.plan.execution == EFFECT and not stopping.cancel_node(s, node, cause):
        decide(s, Signal.CANCEL, cause, node=identity, x=Scope.NODE, y=identity)
        invocations.cancel_all(s, node)


def cancel_session(s: State, cause: Cause) -> None:
    """Cancel the turn, if there is one, and end the session."""
    decide(s, Signal.CANCEL, cause, x=Scope.SESSION)
    turns.cancel(s, cause)
    s.ending = True


def say(s: State, identity: int) -> None:
    """A say node speaks its text."""
    if s.plan.nodes[identity].keys:
        timed.say(s, s.nodes[identity])
        return
    text = s.plan.nodes[identity].text.encode()
    s.turn.exempt = s.turn.exempt or not s.plan.nodes[identity].interruptible
    s.turn.spoke |= 1 << identity
    seq = s.next_seq()
    parcel = Parcel(seq, s.turn.serial, s.epoch, 0, Flag.FINAL, len(text), len(text.split()), text)
    edges.push_all(s, identity, 0, parcel)


def _react(s: State, reaction: Reaction, cause: Cause, seq: int, epoch: int) -> None:
    verb, target = reaction.action.verb, reaction.action.target
    if verb == "cancel_turn":
        turns.cancel(s, cause)
    elif verb == "abort_turn":
        turns.fail(s, _reason(s, reaction, cause))
    elif verb == "open_turn":
        turns.propose(s, _origin(s, reaction), epoch)
    elif verb == "cancel_node":
        cancel_node(s, target, cause)
    elif verb == "cancel_session":
        cancel_session(s, cause)
    elif verb == "end_utterance":
        hearing.end_utterance(s, seq, Origin.SPEECH, epoch)
    elif verb == "end_session":
        s.ending = True
    elif verb == "degrade":
        if s.active and _takes_away(s, target):
            _degrade(s, target, cause)
    elif verb == "pause":
        pauses.pause(s, cause)
    elif verb == "resume":
        pauses.resume(s, cause)
    elif verb == "enter":
        _enter(s, target, cause)
    elif verb == "show":
        letters.show(s, s.plan.events[reaction.event].node, target, cause)
    elif verb == "trigger" and s.plan.events[reaction.event].name == apologies.EVENT:
        turns.apologise(s, target, epoch)
    elif verb == "trigger":
        if s.active and not s.turn.evidence_asked:
            if cause in _OF_A_FAILURE:
                decide(s, Signal.FALLBACK, cause, x=reaction.id)
            say(s, target)
        else:
            turns.propose(s, _origin(s, reaction), epoch, trigger=target)


def _origin(s: State, reaction: Reaction) -> Origin:
    """Who proposes a turn by a reaction."""
    event = s.plan.events[reaction.event]
    if event.name == "session.connected":
        return Origin.GREETING
    if event.node >= 0 and s.plan.nodes[event.node].clock:
        return Origin.TIMER
    return Origin.DTMF if event.node == s.plan.ingress and event.name.endswith(".dtmf") else Origin.API


def _reason(s: State, reaction: Reaction, cause: Cause) -> Cause:
    """Why a turn that a reaction aborts has failed: a provider did, or something else."""
    node = s.plan.events[reaction.event].node
    by_provider = cause is Cause.NODE_ERROR and node >= 0 and s.plan.nodes[node].execution == EFFECT
    return Cause.PROVIDER_FAILURE if by_provider else Cause.NODE_TIMEOUT_OR_FAILURE


def _takes_away(s: State, mode: int) -> bool:
    """Whether a mode leaves out all that the present one does, and more: within a turn there is only ever less."""
    off, present = s.plan.modes[mode].nodes_off, s.plan.modes[s.mode].nodes_off
    return off & present == present and off != present


def _enter(s: State, mode: int, cause: Cause) -> None:
    """From the next turn on."""
    if mode != s.entered and s.state is not SessionState.ENDED:
        s.entered = mode
        decide(s, Signal.ENTERED, cause, x=mode)
        if not s.active:
            s.mode = mode


def _degrade(s: State, mode: int, cause: Cause) -> None:
    s.mode = mode
    decide(s, Signal.DEGRADE, cause, x=mode)
    for node in s.nodes:
        if s.node_off(node.plan.id) and node.plan.execution == EFFECT:
            invocations.cancel_all(s, node)
    for edge in s.edges:
        if s.edge_off(edge.plan.id):
            edges.flush(s, edge)
