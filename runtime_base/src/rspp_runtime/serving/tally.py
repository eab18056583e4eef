"""What the parties of a process have done, counted: read by `/metrics`, written without a lock on the loop's thread."""

from __future__ import annotations

from collections import Counter


class Tally:
    """Counters since the process began."""

    __slots__ = (
        "connections", "deliveries", "duplicates", "early", "frames_in", "frames_out", "frames_refused",
        "handshakes_refused", "refused",
    )  # fmt: skip

    def __init__(self) -> None:
        self.frames_in = 0  # of 20 ms, handed in
        self.frames_out = 0  # sent
        self.frames_refused = 0  # for which the session had no room
        self.duplicates = 0  # words that came again
        self.deliveries = 0  # reports of playback
        self.early = 0  # messages before the welcome
        self.handshakes_refused: Counter[str] = Counter()  # by code
        self.refused: Counter[str] = Counter()  # messages, by code
        self.connections: Counter[str] = Counter()  # what happened to them: reconnecting, stall, idle, …
