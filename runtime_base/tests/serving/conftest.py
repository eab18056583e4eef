"""Sessions in virtual time whose party speaks rspp/1 over a socket of the test's (`parties.py`)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from loading import module_of

HERE = Path(__file__)


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    return module_of("rspp_scripted", HERE.parents[1] / "session" / "scripted.py")


@pytest.fixture(scope="session")
def parties(scripted: ModuleType) -> ModuleType:
    return module_of("rspp_parties", HERE.with_name("parties.py"))
