"""The helpers of tests/behaviour, for the families of conformance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BEHAVIOUR = str(Path(__file__).parents[1] / "behaviour")
for folder in (BEHAVIOUR, str(Path(__file__).parent)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

from kernels import Factory, compiled, pure  # noqa: E402


@pytest.fixture(params=["compiled", "pure"])
def kernel(request: pytest.FixtureRequest) -> Callable[[str], Factory]:
    """Either kernel of a stub, by the stub's name."""
    return compiled if request.param == "compiled" else pure
