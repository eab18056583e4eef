"""Events by subject, and the variables that a condition may read, with their types."""

from __future__ import annotations

from rspp_compiler.ir.condition import VariableType

SESSION_EVENTS = (
    *("connected", "reconnecting", "disconnected", "ended", "silence", "stall"),
    *("turn_open_proposed", "admit", "reject", "defer", "shed", "stop"),
    *("lease_issued", "lease_rotated", "migration_start", "migration_finish", "session_handoff"),
    "recording_level_downgraded",
)
TURN_EVENTS = (
    *("turn_open", "commit", "abort", "error", "close", "cancel", "barge_in"),
    *("budget_warning", "budget_exhausted", "degrade", "fallback", "stale_epoch_reject", "deauthorized_drain"),
)
TOOL_EVENTS = ("started", "done", "error", "timeout")

Fields = dict[str, VariableType]

SESSION_FIELDS: Fields = {
    **dict.fromkeys(("id", "tenant", "language", "region", "tier", "name", "channel", "caller"), "text"),
    "mode": "mode",
}
TURN_FIELDS: Fields = {"number": "number", "origin": "text", "id": "text"}
# What is stamped on an item at ingest: conditions never read payload bytes.
ITEM_FIELDS: dict[str, Fields] = {
    "text": {
        **dict.fromkeys(("length", "words", "confidence", "revision"), "number"),
        **dict.fromkeys(("language", "speaker"), "text"),
        "final": "flag",
        "label": "number",
    },
    "audio": {"duration": "duration", "level": "number", "speech": "flag", "label": "number"},
    "event": {"digit": "text", "name": "text", "count": "number", "label": "number"},
    "bytes": {"length": "number", "label": "number"},
    "any": {"length": "number", "words": "number", "confidence": "number", "language": "text", "label": "number"},
}
_HEARD: Fields = {"words": "number", "duration": "duration", "confidence": "number"}
_PROVIDER: Fields = {"provider": "text", "reason": "text", "attempts": "number"}
_BUTTON: Fields = {"button": "text"}
_PLAYED: Fields = {"words": "number"}
_LINE: Fields = {"channel": "text", "reason": "text"}
EVENT_FIELDS: dict[str, Fields] = {
    **dict.fromkeys(("speech_start", "speech_end", "barge_in"), _HEARD),
    "idle": {"count": "number", "duration": "duration"},
    "fired": {"count": "number"},
    "dtmf": {"digit": "text"},
    **dict.fromkeys(("button_down", "button_up"), _BUTTON),
    "started": {"attempts": "number"},
    "done": {"elapsed": "duration", "attempts": "number"},
    "error": {"reason": "text", "retryable": "flag", "attempts": "number"},
    "timeout": {"elapsed": "duration", "attempts": "number"},
    **dict.fromkeys(("provider_error", "provider_switch", "circuit_event"), _PROVIDER),
    **dict.fromkeys(("playback_started", "playback_completed", "playback_cancelled"), _PLAYED),
    **dict.fromkeys(("connected", "reconnecting", "disconnected"), _LINE),
}
DEFAULT_FIELDS: Fields = {"reason": "text"}


_FAILED_TURN: Fields = {"reason": "text", "count": "number"}
_BUDGET_OF_TURN: Fields = {"reason": "text", "path": "text"}


def event_fields(event: str, subject: str = "") -> Fields:
    """Fields of an event, by its name and its subject; every other signal carries its reason."""
    if (subject, event) == ("turn", "error"):
        return _FAILED_TURN
    if subject == "turn" and event in ("budget_warning", "budget_exhausted"):
        return _BUDGET_OF_TURN
    return EVENT_FIELDS.get(event, DEFAULT_FIELDS)
