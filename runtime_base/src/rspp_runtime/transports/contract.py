"""What a transport is: where the party's audio and text come from, and where the session's go.

Its signatures are frozen: a change needs a page in `docs/decisions/`.
"""

from __future__ import annotations

from typing import Protocol

from rspp_runtime.abi.codes import Control
from rspp_runtime.session.activity import Activity
from rspp_runtime.session.clock import Clock


class HandedOver(Exception):  # noqa: N818 - it is no error of the program  # noqa: N818 - it is what happened
    """Raised by a transport's `run`: the session is left as it is in its log, for another process to go on with."""


class Ears(Protocol):
    """The session, as a transport sees it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def epoch(self) -> int:
        """Authority epoch that this process holds."""
        ...

    @property
    def activity(self) -> Activity:
        """Whether anything is still going on."""
        ...

    async def media(self, port: str, payload: bytes, media_ns: int) -> int:
        """Hands one item of the party in: port `audio` (20 ms, PCM s16le mono 16 kHz) or `text` (UTF-8).

        `media_ns` is the time of its first sample since the session began. Waits while the session has no room.
        Returns an `abi.Result`; raises `session.gateway.InputError`.
        """
        ...

    async def control(self, code: Control, a: int = 0, b: int = 0) -> int:
        """CONNECTED, DISCONNECTED, ENDED, END_UTTERANCE, …"""
        ...

    def hand_in(self, port: str, payload: bytes, media_ns: int, *, key: str = "", sequence: int | None = None) -> int:
        """As `media`, of a party that cannot wait: FULL where that would. For audio that arrives in real time, and
        wherever bytes come in by a callback."""
        ...

    def hand_in_frame(self, payload: bytes, media_ns: int) -> int:
        """`hand_in("audio", …)`, without a key or a number: fifty times a second."""
        ...

    def tell(self, code: Control, a: int = 0, b: int = 0) -> int:
        """As `control`, of a party that cannot wait: FULL where that would."""
        ...

    def reference(self, media_ns: int, duration_ns: int) -> bytes:
        """What the session played at that time."""
        ...


class Transport(Protocol):
    """One party's connection."""

    async def run(self, ears: Ears) -> None:
        """Connects, hands everything in, and hangs up: from CONNECTED to ENDED. Cancelled when the session ends.

        Raises `HandedOver` instead of hanging up, once no turn is open."""
        ...

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        """Takes one item of the session: port `audio`, to be played from `play_at_ns` on, or `text`.

        Never blocks. The kernel sends at most the plan's lead ahead of playback, which bounds what is held here.
        """
        ...

    def flush(self, turn: int, now_ns: int) -> None:
        """Forgets everything of that turn that was sent and is not yet played at `now_ns`."""
        ...

    async def close(self) -> None:
        """Once, after the session has ended."""
        ...
