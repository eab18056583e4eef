"""The failure classes of CONTRACTS §13, as the world injects them.

Each is a set of misfortunes that differ in where they strike; a case mixes those classes that were asked for.
"""

from __future__ import annotations

FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "F1": ("admission overload", ("snapshot", "binding", "proposals", "control_flood", "text_flood",
                                  "brink")),
    "F2": ("node timeout or failure", ("silent", "stalls", "drips", "rubbish", "flood", "late", "evidence_fails",
                                       "evidence_silent")),
    "F3": ("provider failure", ("fails", "fails_at_once", "slow")),
    "F4": ("edge pressure overflow", ("frames_flood", "burst", "credits_held", "undrained")),
    "F5": ("partial loss in a sync domain", ("frames_lost", "frames_twice", "frames_swapped", "marks_lost")),
    "F6": ("transport disconnect or stall", ("disconnect", "flapping", "hang_up", "clock_jump")),
    "F7": ("authority conflict", ("rotate", "rotate_twice", "ends_at_once", "stale_inputs", "revoke", "learn_epoch")),
    "F8": ("failover with migration", ("crash", "crash_at_append", "hand_over", "hand_over_twice")),
}  # fmt: skip
"""Class → (title, its misfortunes)."""

OF_CALLS = frozenset(
    ("silent", "stalls", "drips", "rubbish", "flood", "late", "fails", "fails_at_once", "slow", "marks_lost")
)
"""Misfortunes that strike the next invocation of some node; the others strike at a time."""

RARE = {"hang_up": 0.08, "revoke": 0.1, "hand_over": 0.5, "hand_over_twice": 0.2}
"""Misfortunes that end the session, or that take long to play, are drawn less often."""


def parse(text: str) -> tuple[str, ...]:
    """`all`, `none`, or names with commas between; raises ValueError with what is wrong."""
    if text.lower() == "all":
        return tuple(FAULTS)
    if text.lower() in ("none", ""):
        return ()
    names = [name.strip().upper() for name in text.split(",")]
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise ValueError(f"--faults {text}: there is no {', '.join(unknown)}; use all, none, or {','.join(FAULTS)}")
    return tuple(sorted(set(names)))
