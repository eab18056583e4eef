"""What the parties of a process have done, counted: read by `/metrics`, written without a lock on the loop's thread."""

from __future__ import annotations

from collections import Counter

from rspp_runtime.serving.lane import Frames


class Tally(Frames):
    """Counters since the process began."""

    __slots__ = (
        "audio_concealed_ms", "audio_packets", "audio_transcode_ns", "connections", "deliveries", "duplicates", "early",
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
        self.audio_packets: Counter[str] = Counter()  # of clients, by what became of them; `lost`: that never came
        self.audio_concealed_ms = 0  # of audio made up for what did not come
        self.audio_transcode_ns = 0  # spent on decoding and resampling what came
        self.connections: Counter[str] = Counter()  # what happened to them: reconnecting, stall, idle, …
