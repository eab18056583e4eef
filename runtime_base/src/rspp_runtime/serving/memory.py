"""How the process gets memory from the system, and gives it back when sessions end.

The C library of Linux (glibc) learns from the first large block that is freed to take such blocks from its heaps, of
which it has one for each few threads. A session's block of a megabyte then leaves a hole that the next one does not fit
into, and after a thousand sessions a process holds twice what it needs (`tests/endurance/soak.py`).
"""

from __future__ import annotations

import ctypes
import os

LARGE_BYTES = 128 * 1024  # from here on a block is the system's own pages, which go back when it is freed
TRIM_BYTES = 128 * 1024  # free at the end of a heap, from which on that goes back
HEAPS_MAX = 2
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_ENVIRONMENT = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def give_back() -> bool:
    """Large blocks go back to the system when they are freed. Before threads are begun. Whether that was said: not by
    another C library, and not where the environment says something else."""
    if any(os.environ.get(name) for name in _ENVIRONMENT):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    pairs = ((_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, TRIM_BYTES), (_ARENA_MAX, HEAPS_MAX))
    return bool(sum(mallopt(name, value) for name, value in pairs) == len(pairs))
