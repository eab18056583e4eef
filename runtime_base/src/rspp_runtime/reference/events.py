"""Decisions as events, and what a user who speaks makes happen (`docs/kernel.md`, Events)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Scope, Signal
from rspp_runtime.abi.lookup import PATHS
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Event
from rspp_runtime.reference import apologies
from rspp_runtime.reference.state import Happened, NodeState, State

_BUDGETS = (Signal.BUDGET_WARNING, Signal.BUDGET_EXHAUSTED)
_PLAYBACK = (Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED)


def notice(s: State, decision: Output) -> None:
    """Raise the events that this decision is; one that waits already is the later of the two."""
    for event in s.plan.events:
        is_raised = event.signal and Signal[event.signal] == decision.code and event.id not in s.chain
        if is_raised and _is_of(s, event, decision):
            s.raised[event.id] = _happened(s, event, decision)


def attempts(node: NodeState) -> int:
    """How many attempts of a node's call have begun."""
    return node.made - node.again if node.plan.attempts is not None else 1


def _is_of(s: State, event: Event, decision: Output) -> bool:
    """Whether a decision of the event's signal is about the event's subject."""
    signal, node = Signal(decision.code), event.node
    if event.name == apologies.EVENT:
        return apologies.is_failure(s, decision.cause)
    if signal is Signal.CANCEL:
        return decision.x == Scope.TURN if node == -2 else decision.x == Scope.NODE and decision.y == node
    if signal in _BUDGETS:
        return decision.y < 0
    if signal is Signal.FALLBACK and node >= 0:
        return s.plan.events[s.plan.reactions[decision.x].event].node == node
    if signal in _PLAYBACK and node >= 0 and node != s.plan.egress:
        return bool(s.turn.spoke >> node & 1)
    return node in (decision.node, -1, -2) or node == s.plan.egress


def _happened(s: State, event: Event, decision: Output) -> Happened:
    signal, node = Signal(decision.code), decision.node
    provider, outcome, made = -1, 0, 0
    if signal is Signal.PROVIDER_ERROR:
        provider, outcome = decision.port if decision.invocation else -1, decision.x
    elif signal is Signal.PROVIDER_SWITCH:
        provider = decision.y
    elif signal is Signal.CIRCUIT_EVENT:
        provider = decision.x
    of_a_path = signal in _BUDGETS and decision.y <= PATHS
    if provider >= 0 and decision.cause != Cause.PROBE_DUE:
        made = attempts(s.nodes[node])
    return Happened(
        event.id, Cause(decision.cause), decision.seq, s.epoch, decision.turn, s.turn.origin,
        outcome=outcome, provider=provider, attempts=made, heard=decision.x if signal in _PLAYBACK else 0,
        path=PATHS - decision.y if of_a_path else -1,
    )  # fmt: skip


# ---- what the user is saying


def connected(s: State) -> None:
    """Nobody has spoken yet."""
    s.speech.quiet_ns = s.now


def speech_begins(s: State) -> None:
    speech = s.speech
    speech.speaking, speech.onset_ns = True, s.now
    speech.settled = speech.words = speech.idles = speech.turn = 0
    speech.acted.clear()
    speech.due = False


def speech_ends(s: State) -> None:
    s.speech.speaking = s.speech.due = False
    s.speech.quiet_ns = s.now


def said(s: State, words: int, *, final: bool) -> None:
    """The recogniser has understood more."""
    speech = s.speech
    if speech.speaking:
        speech.words = speech.settled + words
        if final:
            speech.settled = speech.words
        goes_on(s)


def goes_on(s: State) -> None:
    """The user speaks on: reactions to the interruption that wait for more are asked again."""
    speech = s.speech
    if s.barge_in_waits and speech.speaking and speech.turn:
        speech.due = True


def is_due(s: State) -> bool:
    return s.speech.due and s.active and s.turn.serial == s.speech.turn
