"""Budgets of paths in the plan (`plan.py`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PathBudget:
    """The budget of a path of a turn: from the first item that enters it to the first that leaves it at its end.

    It begins with an item that is pushed to an edge of `pushed`; one that `hears` also when a turn opens that waits for
    its utterance. Its time counts from there, or with `from_input_end` from the end of the input. It is over with an
    output of the node `ends_node` (the recogniser: when the utterance is heard), or with an item that is taken from an
    edge of `ends_edges`. `edges` and `nodes` lie on the way; `modes` are those in which the way is there, a bit each.
    """

    id: int
    name: str  # "stt.utterance -> llm.delta"
    line: int
    limit_ns: int
    warning_ns: int
    pushed: int = 0
    hears: bool = False
    from_input_end: bool = False
    ends_node: int = -1
    ends_edges: int = 0
    edges: int = 0
    nodes: int = 0
    modes: int = 0
