"""Worst-case latency: how long until something is heard, at most, and what decides it. All times in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.assumptions import Assumption

Limit = Literal["turn budget", "path budget"]


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a path: `subject` takes at most `ns`, because `what`; the number is from `origin`.

    `until_ns` is the time since the clock started at which the stretch is over.
    """

    subject: str  # "stt", or an edge "ears.speech -> stt.audio"
    what: str  # "budget", "age bound", "hand-off", "coalescing", "window"
    ns: int
    until_ns: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class ClockStart:
    """Where the clock of a party's turns starts: at what leaves `node`, by `port` if that is given.

    `takes_budget` is true where the node itself has still to answer: its budget then counts.
    """

    party: str
    node: str
    port: str
    takes_budget: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PathLatency:
    """The slowest way from where the clock starts to a first output: the witness of its worst case.

    `flow`      the pipeline as written, from the end of input of `party`.
    `fallback`  the way of a reaction to a failure, behind the slowest way to what failed.
    `filler`    what is said while a tool runs, behind the slowest way to the model that calls it.
    `reaction`  the way of any other reaction; its event starts the clock.

    `cause` says which reaction ("llm.timeout -> sorry"), `starts_ns` when it begins; "" and 0 for a flow.
    """

    kind: Literal["flow", "fallback", "filler", "reaction"]
    party: str
    start: str  # "ears", "session.connected"
    output: str  # "egress.audio"
    cause: str
    starts_ns: int
    total_ns: int
    steps: tuple[Step, ...]

    @property
    def needs_ns(self) -> int:
        """What the way of a reaction takes by itself."""
        return self.total_ns - self.starts_ns


@dataclass(frozen=True, slots=True)
class PathBudget:
    """`budget { ingress.audio -> stt.final = 700ms }`, and the slowest way between the two.

    `total_ns` is None if no flow leads there.
    """

    source: str
    target: str
    limit_ns: int
    limit_origin: Origin
    total_ns: int | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class FallbackDeadline:
    """When the fallback for a failure of `node` must begin: at `latest_ns`, so that its first output still makes the
    limit. If budgets hold it begins at `starts_ns` at the latest, when the node's own time is used up.

    A node may therefore be given up `node_ns` after its input, before its budget ends where that is less.
    """

    reaction: str  # "on#2"
    cause: str  # "llm.timeout -> sorry"
    node: str
    starts_ns: int
    latest_ns: int
    needs_ns: int
    node_ns: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a provider for `node`: it begins at `starts_ns` if every try before used its time up, and is given up
    at `deadline_ns`. Both count from the node's input; those of detectors and recognisers from the onset of speech.
    """

    node: str
    provider: str
    number: int  # of the tries of this provider, from 1
    starts_ns: int
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Every latency. `paths` are sorted slowest first; each is compared with `limit_ns`."""

    limit_ns: int
    limit: Limit
    limit_origin: Origin
    starts: tuple[ClockStart, ...]
    paths: tuple[PathLatency, ...]
    path_budgets: tuple[PathBudget, ...]
    fallbacks: tuple[FallbackDeadline, ...]
    attempts: tuple[Attempt, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def worst(self) -> PathLatency | None:
        """The slowest path; None for a pipeline that never speaks."""
        return self.paths[0] if self.paths else None
