"""The life of a party's connection (RK-23): a pure machine that is told what happens and what time it is.

    connected ──socket gone──▶ reconnecting ──reconnect_ns──▶ disconnected ──resume_ns──▶ ended
        ▲─────────back in time──────┘                 │
        └──────────────back──────────────────────────-┘

While reconnecting the session is not told: a turn goes on, and what it says is kept for as long. Disconnected it is.
`silence` and `stall` are told once, and again after they were over.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rspp_runtime.serving.lane import Heard

NEVER = -1


class State(enum.StrEnum):
    WAITING = "waiting"  # nobody has come yet
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    DISCONNECTED = "disconnected"
    ENDED = "ended"


class Event(enum.StrEnum):
    """What the machine finds out by itself, by the names of CONTRACTS §3."""

    RECONNECTING = "reconnecting"
    DISCONNECTED = "disconnected"
    ENDED = "ended"
    SILENCE = "silence"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in ns."""

    reconnect_ns: int = 2_000_000_000
    resume_ns: int = 30_000_000_000
    silence_ns: int = 5_000_000_000
    stall_ns: int = 500_000_000
    idle_ns: int = 60_000_000_000


class Connection(Heard):
    """See the module. All times are of one monotonic clock."""

    __slots__ = ("_gone_ns", "_patience", "state")

    def __init__(self, patience: Patience, now_ns: int) -> None:
        self.state = State.WAITING
        self._patience = patience
        self._gone_ns = now_ns
        self.heard_ns = NEVER  # the last audio
        self.message_ns = now_ns
        self.silent = False
        self.stalled_ns = NEVER

    def attached(self, now_ns: int) -> bool:
        """A socket is there. Returns whether the session had been told that nobody is: it has to be told again. Nobody
        comes back to what has ended."""
        if self.state is State.ENDED:
            return False
        anew = self.state in (State.WAITING, State.DISCONNECTED)
        self.state = State.CONNECTED
        self.message_ns = now_ns
        self.heard_ns = self.stalled_ns = NEVER
        self.silent = False
        return anew

    def detached(self, now_ns: int) -> None:
        """The socket is gone."""
        if self.state is State.CONNECTED:
            self.state = State.RECONNECTING
            self._gone_ns = now_ns

    def hung_up(self) -> None:
        self.state = State.ENDED

    def heard(self, now_ns: int) -> None:
        """Audio came."""
        self.heard_ns = self.message_ns = now_ns
        self.silent = False

    def message(self, now_ns: int) -> None:
        self.message_ns = now_ns

    def writing(self, waits: bool, now_ns: int) -> None:
        """Whether more waits to be sent than may."""
        if not waits:
            self.stalled_ns = NEVER
        elif self.stalled_ns == NEVER:
            self.stalled_ns = now_ns

    def idle(self, now_ns: int) -> bool:
        """A socket that is there, and says nothing at all."""
        return self.state is State.CONNECTED and now_ns - self.message_ns >= self._patience.idle_ns

    def quiet_ns(self, now_ns: int) -> int:
        """Since anything was said."""
        return now_ns - self.message_ns

    def poll(self, now_ns: int) -> Event | None:
        """What has happened by the passing of time; asked until it answers None."""
        patience, state = self._patience, self.state
        if state is State.CONNECTED:
            if self.stalled_ns != NEVER and now_ns - self.stalled_ns >= patience.stall_ns:
                self.stalled_ns = NEVER
                return Event.STALL
            if self.heard_ns != NEVER and not self.silent and now_ns - self.heard_ns >= patience.silence_ns:
                self.silent = True
                return Event.SILENCE
        elif state is State.RECONNECTING and now_ns - self._gone_ns >= patience.reconnect_ns:
            self.state = State.DISCONNECTED
            self._gone_ns += patience.reconnect_ns
            return Event.DISCONNECTED
        elif state in (State.DISCONNECTED, State.WAITING) and now_ns - self._gone_ns >= patience.resume_ns:
            self.state = State.ENDED
            return Event.ENDED
        return None
