"""The compiled kernel of the hand-written plan, without the compiler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

STUB = str(Path(__file__).parents[1] / "stub")
if STUB not in sys.path:
    sys.path.insert(0, STUB)

from build import build, committed  # noqa: E402
from plans import PLANS  # noqa: E402

from rspp_runtime.abi import Handler, Plan, Session  # noqa: E402


@pytest.fixture(scope="session")
def kernels() -> dict[str, tuple[type[Session], Plan]]:
    """Session class and plan of each stub."""
    return {name: (build(name, committed(name)).Session, PLANS[name]()) for name in PLANS}


@pytest.fixture
def open_session(kernels: dict[str, tuple[type[Session], Plan]]) -> Callable[..., Session]:
    """Opens a session of a stub."""

    def opened(name: str = "stub_assistant", handlers: tuple[Handler | None, ...] = (None, None)) -> Session:
        factory, plan = kernels[name]
        return factory(plan, "conversation", 1, list(handlers))  # type: ignore[call-arg]

    return opened
