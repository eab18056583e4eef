"""Which decisions of the kernel are events that a reaction can name, and what guards may read of an event."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import EventSpec

_OF_THE_SESSION = (
    *("disconnected", "ended", "turn_open_proposed", "reject", "defer"),
    *("lease_rotated", "migration_start", "migration_finish", "session_handoff"),
)
_OF_THE_TURN = (
    *("turn_open", "commit", "abort", "error", "close", "cancel", "barge_in"),
    *("budget_warning", "degrade", "fallback", "stale_epoch_reject", "deauthorized_drain"),
)
_OF_AN_EFFECT = ("provider_error", "provider_switch", "circuit_event", "cancel", "fallback")
_PLAYBACK = ("playback_started", "playback_completed", "playback_cancelled")
AT_ONCE = frozenset({"started", "done", "error", "timeout", "budget_exhausted"})
"""Events of a node whose reactions run in the middle of the step in which they occur."""
FAILED = "turn.error"
"""The abort of a turn that nobody wanted to end."""
PRESSED = ("button_down", "button_up", "dtmf")
DETECTED = ("speech_start", "speech_end", "idle")
"""Events that a provider emits."""

_OF_THE_SPEECH = {"words": "spoken", "duration": "speech"}
_PROVIDER = {"provider": "provider", "attempts": "attempts", "reason": "cause"}
_ENDED = {"elapsed": "elapsed", "attempts": "attempts"}
_PLAYED = {"words": "heard"}
_UNKNOWN: dict[str, str] = {}
_FIELDS = {
    **dict.fromkeys(("speech_start", "speech_end", "barge_in"), _OF_THE_SPEECH),
    "idle": {"count": "idles", "duration": "idle"},
    "started": {"attempts": "attempts"},
    "done": _ENDED,
    "timeout": _ENDED,
    "error": {"reason": "outcome", "retryable": "retryable", "attempts": "attempts"},
    "provider_error": {**_PROVIDER, "reason": "outcome"},
    **dict.fromkeys(("provider_switch", "circuit_event"), _PROVIDER),
    **dict.fromkeys(_PLAYBACK, _PLAYED),
    **dict.fromkeys(PRESSED, _UNKNOWN),
    "connected": {},
    "fired": _UNKNOWN,
    "disconnected": {"reason": "cause"},
}
_OTHER = {"reason": "cause"}
_FAILED = {**_OTHER, "count": "failures"}
_BUDGET = {**_OTHER, "path": "path"}


def signal(graph: Graph, event: EventSpec) -> str:
    """The decision that raises an event, by its name in `abi.codes.Signal`; "" for what is raised otherwise, or not."""
    name = event.event
    if event.subject in ("session", "turn"):
        found = name in (_OF_THE_SESSION if event.subject == "session" else _OF_THE_TURN)
        if found and str(event) == FAILED:
            return "ABORT"
        return name.upper() if found else ""
    node = graph.find(event.subject)
    if node is None:
        return ""
    played = name in _PLAYBACK and node.kind in ("egress", "tts", "say")
    sent = node.kind == "egress" and name == "output_accepted"
    return name.upper() if played or sent or (node.execution == "effect" and name in _OF_AN_EFFECT) else ""


def occurs(graph: Graph, event: EventSpec) -> bool:
    """Whether the runtime lets it occur."""
    if signal(graph, event) or (event.subject, event.event) in (("session", "connected"), ("turn", "budget_exhausted")):
        return True
    if graph.spec.tool(event.subject) is not None and graph.find(event.subject) is None:
        return event.event in ("started", "done", "error", "timeout")
    node = graph.find(event.subject)
    if node is not None and node.kind == "ingress":
        return event.event in PRESSED
    return (
        node is not None and node.execution != "boundary" and event.event in (*AT_ONCE, *DETECTED, "barge_in", "fired")
    )


def fields(event: EventSpec, detector: str) -> dict[str, str]:
    """The kernel's names of the fields that an event has today. What the user says is known of one detector."""
    heard = event.event in (*DETECTED, "barge_in") and event.subject != "turn"
    if heard and event.subject != detector:
        return {}
    if event.subject == "turn":
        of_a_budget = event.event in ("budget_warning", "budget_exhausted")
        return _FAILED if str(event) == FAILED else _BUDGET if of_a_budget else _OTHER
    return _FIELDS.get(event.event, _OTHER)


def detector(graph: Graph) -> str:
    """The node whose `speech_start` may be a barge-in: the one a reaction names, or the owner of the turn's end."""
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            if event.event == "barge_in" and event.subject != "turn":
                return event.subject
    owner = graph.spec.owners[0].event if graph.spec.owners else None
    detectors = [node.id for node in graph.of_kind("vad", "realtime")]
    if owner is not None and owner.subject in detectors:
        return owner.subject
    return detectors[0] if detectors else ""
