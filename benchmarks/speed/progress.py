"""How far a run is: one line that is written over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

WIDTH = 24
SELDOM_S = 20.0  # between two lines where there is no terminal


class Progress:
    """Of so many measurements."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._name = ""

    def at(self, name: str) -> None:
        self._name = name
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{self._line()}")
            sys.stderr.flush()

    def done(self, error: str | None) -> None:
        self._done += 1
        if error is not None:
            sys.stderr.write(f"{chr(13) + chr(27) + '[K' if self._terminal else ''}bench  {self._name}: {error}\n")
        elif not self._terminal and time.monotonic() - self._told > SELDOM_S:
            self._told = time.monotonic()
            sys.stderr.write(self._line() + "\n")

    def close(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")

    def _line(self) -> str:
        share = self._done / max(1, self._total)
        bar = "█" * round(share * WIDTH) + "·" * (WIDTH - round(share * WIDTH))
        took = time.monotonic() - self._began
        left = f", {took / share - took:.0f} s left" if self._done > 5 else ""
        return f"bench  {bar} {self._done}/{self._total}{left}  {self._name}"
