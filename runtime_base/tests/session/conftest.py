"""The scripted pipeline as a fixture, and a runner in virtual time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    path = Path(__file__).with_name("scripted.py")
    spec = importlib.util.spec_from_file_location("rspp_scripted", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rspp_scripted"] = module
    spec.loader.exec_module(module)
    return module
