"""The kernels of the stub plans, for every test here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from kernels import Factory, compiled, pure  # noqa: E402


@pytest.fixture(params=["compiled", "pure"])
def kernel(request: pytest.FixtureRequest) -> Callable[[str], Factory]:
    """Either kernel of a stub, by the stub's name."""
    return compiled if request.param == "compiled" else pure
