"""What a cancel does, for every scope: what stops and by when, what is flushed, what can no longer be recalled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.ir.origin import Origin
from rspp_compiler.source import Span

CancelScope = Literal["session", "turn", "node", "provider_invocation"]
How = Literal["at once", "hard", "soft"]


@dataclass(frozen=True, slots=True)
class Stop:
    """`subject`, a node or tool, has stopped `within_ns` after the cancel.

    `at once`: it runs inside a step of the kernel, and there is no next one. `hard`: it is told to stop, and forced
    after the grace. `soft`: it may end its segment, at most this long, and is then stopped hard.
    """

    subject: str
    how: How
    within_ns: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Commit:
    """What has passed `place`, an edge or a tool, is not recalled: `what` says how much that can be."""

    place: str
    what: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class HookRun:
    """A hook that the cancel runs, and the most it may take."""

    node: str
    hook: str
    timeout_ns: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class CancelRow:
    """A cancel of one scope. `subject` is the party of a turn ("" for the only one), else the node.

    `flushed` are the edges that are emptied: what waits in one, a commit point included, has not passed it. `committed`
    is what has, `exempt` the nodes that the user has declared not interruptible: a barge-in leaves them their say.
    """

    scope: CancelScope
    subject: str
    stops: tuple[Stop, ...]
    flushed: tuple[str, ...]
    committed: tuple[Commit, ...]
    hooks: tuple[HookRun, ...]
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """A way by which something is still heard after a cancel: `path` are the ports from where it goes on to the egress.

    `survivor`  the cancel of a turn does not reach `subject`, which belongs to the session
    `exempt`    `subject` must not be interrupted, and never comes to an end by itself
    `commit`    `subject`, an edge, lets go of what is not heard yet
    `restart`   `subject` is cancelled, and what `cause` still sends starts it again
    `endless`   `subject` may end its segment first, and nothing says when that is
    """

    kind: Literal["survivor", "exempt", "commit", "restart", "endless"]
    subject: str
    cause: str
    path: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Cancel:
    """Every scope that can be cancelled, and what a cancel would not silence: nothing, in a pipeline without errors."""

    rows: tuple[CancelRow, ...]
    leaks: tuple[Leak, ...]

    def row(self, scope: CancelScope, subject: str = "") -> CancelRow:
        """The row of one scope; `StopIteration` if there is none."""
        return next(row for row in self.rows if (row.scope, row.subject) == (scope, subject))
