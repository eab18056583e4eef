"""The playout ledger: when the next sample plays, and which words each frame completes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import Basis, Cause

if TYPE_CHECKING:
    from rspp_runtime.reference.state import Parcel


@dataclass(slots=True)
class Played:
    """A frame on its way to the ear: by `end_ns` this much of the turn's text has been heard."""

    end_ns: int
    words: int
    bytes: int
    frame: Parcel


@dataclass(slots=True)
class Egress:
    """What was sent and is not known to be heard, and what is known of it (`reports.py`)."""

    cursor_ns: int = 0
    ledger: deque[Played] = field(default_factory=deque)
    heard_words: int = 0
    heard_bytes: int = 0
    paused: bool = False
    pause_cause: Cause = Cause.NONE
    unsent: int = 0  # of the ledger's last entries: the transport was told to forget them, they are sent again
    basis: Basis = Basis.PACED  # what the party tells of playback
    interval_ns: int = 0  # between two of its reports
    began_ns: int = 0  # when the turn's first frame plays
    reported_ns: int = -1  # up to where the party has played it; -1: it has not said yet
    reported_at_ns: int = 0  # when it said so
