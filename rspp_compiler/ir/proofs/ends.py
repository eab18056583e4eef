"""That nothing hangs: every failure has an end, and every wait a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.ir.origin import Origin
from rspp_compiler.source import Span

EndKind = Literal["fallback", "degrade", "abort", "session", "told", "restart", "next", "hand-over", "none"]


@dataclass(frozen=True, slots=True)
class End:
    """What happens when `node` fails; for a tool or a provider block, its id is in `node` too, and `of` says which.

    `fallback`   a path is taken, or the turn goes on without it
    `degrade`    a mode without it
    `abort`      the turn is aborted
    `session`    the session ends
    `told`       the model is told, and goes on
    `restart`    it is started again
    `next`       another attempt, and then the node's own end
    `hand-over`  somebody else takes the call
    `none`       nothing of that: an error
    """

    node: str
    of: Literal["node", "tool", "provider"]
    failure: str  # "error" or "timeout"
    kind: EndKind
    end: str  # "sorry -> voice", "degrade text_only", "aborts the turn (provider_failure)"
    span: Span


@dataclass(frozen=True, slots=True)
class Wait:
    """`subject` waits for `what`, at most `deadline_ns`; 0 where nothing bounds it.

    That is as it should be where `on` is a person: whoever speaks or listens may take their time. Else it is an error.
    """

    subject: str
    what: str
    deadline_ns: int
    origin: Origin
    on: Literal["machine", "person"] = "machine"


@dataclass(frozen=True, slots=True)
class Loop:
    """Fallbacks that lead back to where they began: `steps` are the failures in turn, the first one again at the end.

    `reactions` are the lines that close it, one for each step.
    """

    steps: tuple[str, ...]
    reactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ends:
    """Ends in topological order, then those of tools and provider blocks; waits by subject, in the same order."""

    ends: tuple[End, ...]
    waits: tuple[Wait, ...]
    loops: tuple[Loop, ...]

    def of(self, node: str, failure: str) -> End:
        """The end of one failure; `StopIteration` if there is none such."""
        return next(end for end in self.ends if (end.node, end.failure) == (node, failure))
