"""Pages of the book: what is known of an invocation, and of a turn. Times are ns, sizes bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Call:
    """An invocation that the kernel asked for and has neither cancelled nor seen the end of."""

    node: int
    id: int
    turn: int
    untaken: int = 0
    fed: int = 0
    first_fed_ns: int = -1
    answered_ns: int = -1
    blocked: bool = False  # told FULL, not yet RESUME
    finished: bool = False


@dataclass(slots=True)
class TurnBook:
    """The turn that is in progress, or that was last."""

    serial: int = 0
    input_end_ns: int = 0
    opened_ns: int = 0
    open_seq: int = 0
    ends: set[int] = field(default_factory=set)  # reasons to end that were given since it opened
    output: bool = False  # OUTPUT_ACCEPTED
    asked_ns: int = -1  # APPEND before its terminal
    appended: bool = False  # EVIDENCE_APPENDED came in, after it was asked
    playback: int = 0  # 0 not started, 1 playing, 2 completed or cancelled
    audio: deque[tuple[int, int]] = field(default_factory=deque)  # (end ns, words) of what left
    frames: deque[int] = field(default_factory=deque)  # … and the sequence of each
    again: deque[int] = field(default_factory=deque)  # sequences of what the transport was told to forget in a pause
    paused_ns: int = -1  # since when playback is paused
    pauses: int = 0
    refused: int = 0  # LATE_AFTER_CANCEL at the fence
    text: bool = False  # text left
    budgets: set[int] = field(default_factory=set)  # y of BUDGET_EXHAUSTED
