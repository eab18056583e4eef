"""How far a simulation is: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rspp_runtime.simulation.tally import Tally

QUIET_SECONDS = 60.0


class Progress:
    """`show` takes the figures so far."""

    def __init__(self, turns: int, *, shown: bool) -> None:
        self.turns = turns
        self.bar: Any = None
        self.began = self.told = time.perf_counter()
        self.show: Callable[[Tally], None] = self._line
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self.bar = Progress(
                TextColumn("simulate"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} turns"),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            task = self.bar.add_task("turns", total=turns, rate="")
            self.show = lambda tally: self.bar.update(
                task, completed=min(tally.turns, turns), rate=f"{self._rate(tally):,.0f} turns/s"
            )

    def _rate(self, tally: Tally) -> float:
        return tally.turns / max(1e-9, time.perf_counter() - self.began)

    def _line(self, tally: Tally) -> None:
        now = time.perf_counter()
        if now - self.told < QUIET_SECONDS:
            return
        self.told = now
        rate = self._rate(tally)
        left = max(0, self.turns - tally.turns) / max(rate, 1e-9)
        print(f"simulate: {tally.turns:,} of {self.turns:,} turns, {rate:,.0f} turns/s, {left / 60:,.0f} min left",
              file=sys.stderr, flush=True)  # fmt: skip

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
