"""What a party that was cut off has missed: bounded, by number and by time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

WORDS_MAX = 256
FRAME_NS = 20_000_000


class Missed:
    """Words (texts, transcripts, signals, flushes) until the party says that it has them; audio while it is away."""

    __slots__ = ("_audio", "_words")

    def __init__(self, audio_ns: int) -> None:
        """`audio_ns`: the audio of so much time is kept, at most."""
        self._words: deque[tuple[int, str, tuple[object, ...]]] = deque(maxlen=WORDS_MAX)
        self._audio: deque[tuple[int, bytes, int]] = deque(maxlen=max(1, audio_ns // FRAME_NS))

    def keep(self, sequence: int, name: str, args: tuple[object, ...]) -> None:
        self._words.append((sequence, name, args))

    def audio(self, turn: int, payload: bytes, play_at_ns: int) -> None:
        self._audio.append((turn, payload, play_at_ns))

    def received(self, sequence: int) -> None:
        """The party has everything up to this."""
        while self._words and self._words[0][0] <= sequence:
            self._words.popleft()

    def words(self, received: int) -> list[tuple[int, str, tuple[object, ...]]]:
        """What came after that number, oldest first."""
        self.received(received)
        return list(self._words)

    def still_to_play(self, now_ns: int) -> Iterator[tuple[int, bytes, int]]:
        """Audio whose moment is still to come: turn, payload, moment. It is not kept any longer."""
        audio, self._audio = self._audio, deque(maxlen=self._audio.maxlen)
        return (one for one in audio if one[2] >= now_ns)

    def flush(self, turn: int) -> None:
        """The audio of that turn will not be played."""
        if self._audio:
            self._audio = deque((one for one in self._audio if one[0] != turn), self._audio.maxlen)

    def forget_audio(self) -> None:
        self._audio.clear()

    def forget(self) -> None:
        self._words.clear()
        self._audio.clear()
