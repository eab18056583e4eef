"""The scripted pipeline of the driver's tests."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from loading import module_of


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    return module_of("rspp_scripted", Path(__file__).parents[1] / "session" / "scripted.py")
