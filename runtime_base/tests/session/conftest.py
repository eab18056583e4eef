"""The scripted pipeline as a fixture, and a runner in virtual time."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from loading import module_of


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    return module_of("rspp_scripted", Path(__file__).with_name("scripted.py"))
