"""How a run is made; `run` fills it from the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`only`: parts of names of cases; `sessions`: how many at once; `seconds`: of each count of sessions."""

    quick: bool = False
    runs: int = 3
    rounds: int = 3
    only: tuple[str, ...] = ()
    sessions: tuple[int, ...] = (10, 100)
    seconds: float = 2.0
    pipecat_most: int = 100
