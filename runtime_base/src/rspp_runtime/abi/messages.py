"""What goes into a session and what comes out, and the protocol that both kernels implement.

The signatures on this page are frozen: a change needs a page in `docs/decisions/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rspp_runtime.abi.plan import Plan


class Inbound(NamedTuple):
    """One input. Which fields matter depends on `op` (see `codes.In`); the others keep their defaults.

    For text, `a` is the byte offset just after the last sentence end within the payload (0 if none) and `b` its word
    count; for synthesised audio, `a` is the bytes and `b` the words of the invocation's text voiced by the end of the
    item, both cumulative; for a key, `a` is its code if a collector of the plan ends with it, else 0 (what else was
    pressed is content). They are stamped where the item enters (`rspp_runtime.session.gateway`) and recorded: the
    kernel never reads a payload to decide (CONTRACTS §2).
    """

    op: int
    node: int = -1
    port: int = 0
    invocation: int = 0
    epoch: int = 0  # authority epoch that the sender holds
    transport_sequence: int = 0
    media_ns: int = 0  # media time of the first sample
    flags: int = 0
    a: int = 0
    b: int = 0
    payload: bytes = b""


class Output(NamedTuple):
    """One output, decision or request. Which fields matter depends on `op` (see `codes.Op`)."""

    op: int
    t_ns: int  # `now_ns` of the step that made it
    seq: int  # runtime sequence: of the decision itself, or of the item
    node: int = -1
    port: int = 0
    turn: int = 0
    invocation: int = 0
    code: int = 0
    cause: int = 0
    x: int = 0
    y: int = 0
    payload: bytes = b""


class Item(NamedTuple):
    """What a Python kernel node receives. `a`, `b`, `flags` as in `Inbound`."""

    port: int
    turn: int
    seq: int
    media_ns: int
    flags: int
    a: int
    b: int
    payload: bytes


class Emission(NamedTuple):
    """What a Python kernel node returns, once per item that it emits."""

    port: int
    payload: bytes = b""
    flags: int = 0
    a: int = 0
    b: int = 0


Handler = Callable[[Item], Sequence[Emission] | None]
"""A Python kernel node as the kernel calls it: at most `Node.emissions_max` emissions; None means that it failed.

The driver wraps the user's object: it stamps both sides of the call, measures text attributes, turns an exception
into None, and records the outcome so that a replay need not run user code.
"""


class Session(Protocol):
    """One conversation: a pure machine. It opens no socket, reads no clock, draws no random number.

    `now_ns` is the driver's monotonic clock and never goes back; going back raises `ValueError`. Calls do not nest.
    """

    def ingest(self, event: Inbound, now_ns: int) -> int:
        """Offer one input; returns a `Result`. Payloads are copied; nothing runs yet."""
        ...

    def advance(self, now_ns: int) -> int:
        """Do everything that can be done at `now_ns`; returns the next deadline in ns, or -1 if there is none.

        Returns `now_ns` itself when the outputs are full and must be drained before it can go on.
        """
        ...

    def drain(self) -> list[Output]:
        """Take all outputs, control before data before telemetry. Data passes the egress fence here."""
        ...

    def stats(self) -> dict[str, int]:
        """Counters, same names and values on both kernels; `memory_bytes` is the size of the session's block."""
        ...

    def close(self) -> None:
        """Release the session's memory. Idempotent."""
        ...


class SessionFactory(Protocol):
    """How a generated package opens a session; `session_id` at most 64 bytes of UTF-8."""

    def __call__(self, plan: Plan, session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> Session: ...
