"""Words that both plans are written in."""

from __future__ import annotations

MS = 1_000_000
S = 1_000_000_000
BLOCK, OLDEST, NEWEST, LATEST = "block", "drop_oldest", "drop_newest", "latest_only"


def mask(*bits: int) -> int:
    """The integer with these bits set."""
    return sum(1 << bit for bit in bits)
