"""What a session hears when it goes on from another one's end, and when it is left (docs/kernel.md, Another template).

Drawn apart from the rest of a schedule, so that schedules from before it was there are what they were.
"""

from __future__ import annotations

import random
from typing import Any

from rspp_runtime.abi import Control, In


class Moving:
    """Of one schedule. `driver` is the schedule's (`schedule.Driver`)."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"moving {seed}")

    def begins(self, driver: Any) -> None:
        """A new holder tells the session what was known; now and then what cannot be, or too late."""
        if self.rng.random() < 0.15:
            self._tell(driver)

    def leaves(self, driver: Any) -> None:
        """Whoever holds the session says what is known, or is told what it cannot be told any more."""
        draw = self.rng.random()
        if draw < 0.5:
            driver.control(Control.LEAVE)
            if self.rng.random() < 0.7:
                driver.advance()
        elif draw < 0.6:
            self._tell(driver)

    def _tell(self, driver: Any) -> None:
        rng = self.rng
        for _ in range(rng.randrange(5)):
            size = rng.choice((0, 9, 40, 300, 70_000)) if rng.random() < 0.2 else rng.randrange(1, 60)
            driver.control(Control.RECALL, a=rng.choice((0, 0, 1, 1, 2, -1, 3)), payload=b"word " * (size // 5))
        driver.ingest(
            In.CONTROL, port=Control.GO_ON_FROM, a=rng.choice((0, 1, 7, -1, 2**40)),
            b=rng.choice((0, driver.keys + 100, 2**60)), invocation=rng.choice((0, 5, 2**60)),
        )  # fmt: skip
