"""How far the budgets of paths are used (`paths.py`)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rspp_runtime.abi.budgets import PathBudget


class Progress(enum.Enum):
    """Of the budget of a path, in a turn."""

    NOT_BEGUN = enum.auto()
    BEGUN = enum.auto()
    WARNED = enum.auto()
    OVER = enum.auto()  # it was kept, or used up


@dataclass(slots=True)
class PathState:
    """How far the budget of a path is used (`paths.py`)."""

    plan: PathBudget
    progress: Progress = Progress.NOT_BEGUN
    began_ns: int = 0
