"""The benchmarks are no package: their folder is put on the path."""

from __future__ import annotations

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
for folder in (BENCHMARKS, BENCHMARKS / "instructions"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
