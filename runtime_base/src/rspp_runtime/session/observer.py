"""Whoever looks on while a session runs: the log, the console, the record of each turn.

An observer is told about everything in the order in which it happened, and can change nothing. It must be quick. What
it does not override, or says that it does not want (`INPUTS`, `ports`, `QUIET_STEPS`), costs a session nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Emission, Inbound, Output


class HandlerCall(NamedTuple):
    """One call of a user's Python node. `emissions` is None if it failed, `reason` says why.

    `durable` is what the node remembers for whoever goes on with the session, if that is something else now.
    """

    node: int
    seq: int  # runtime sequence of the item it was given
    start_ns: int
    end_ns: int
    emissions: tuple[Emission, ...] | None
    reason: str = ""
    durable: bytes | None = None


class InvocationEnd(NamedTuple):
    """How one invocation of a provider ended. `outcome` is a `providers.contract.Outcome`; times in session ns.

    `first_ns` is -1 if it produced nothing.
    """

    node: int
    invocation: int
    provider: str
    outcome: int
    retryable: bool
    reason: str
    start_ns: int
    first_ns: int
    end_ns: int


class Observer:
    """Base class whose methods do nothing: override what is of interest."""

    INPUTS: ClassVar[Collection[int]] = tuple(In)
    """The kinds of input that `on_input` is told of."""

    ports: Collection[tuple[int, int]] | None = None
    """Of items (`In.MEDIA`, `In.CHUNK`) only those of these ports, by ids of node and port; None: of all."""

    QUIET_STEPS: ClassVar[bool] = True
    """Whether `on_step` is told of steps without outputs too."""

    MOVES: ClassVar[bool] = True
    """Whether `on_step` is told of steps too that decided nothing and only moved items, as most do."""

    LATER: ClassVar[bool] = False
    """Whether it is told a little later, with the evidence (`session.later`): for whoever only writes things down."""

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        """`ingest(event, now_ns)` answered `result`."""

    EVERY_CALL: ClassVar[bool] = True
    """Whether `on_handler` is told of each call, or only of those that failed or took longer than they should."""

    def on_handler(self, call: HandlerCall) -> None:
        """A Python node was called, within the step that follows."""

    def on_calls(self, took_ns: Mapping[int, int]) -> None:
        """Python nodes were called, within the step that follows: how long each took, in ns by node id."""

    def on_state(self, node: int, seq: int, durable: bytes) -> None:
        """A Python node outside of the kernel remembers this, since its call for item `seq` has come back; it is for
        whoever goes on with the session. Of a node in the kernel, `HandlerCall.durable` says so."""

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        """`advance(now_ns)` returned `deadline_ns`; `drain`, at `drained_ns`, gave `outputs`. Called before they are
        performed."""

    def on_invocation(self, end: InvocationEnd) -> None:
        """An invocation's task ended."""

    def on_over(self, now_ns: int) -> None:
        """Nothing more is told: the session has ended, was handed over, or has failed."""
