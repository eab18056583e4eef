"""The helpers of tests/behaviour and tests/e2e, for the families of conformance: all of it runs on both kernels."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
for folder in (TESTS / "behaviour", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from kernels import Factory, compiled, pure  # noqa: E402


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_e2e = _module("rspp_e2e", TESTS / "e2e" / "conftest.py")
package = _e2e.package


@pytest.fixture(scope="session", params=["compiled", "pure"])
def kernel_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def kernel(kernel_name: str) -> Callable[[str], Factory]:
    """Either kernel of a stub, by the stub's name."""
    return compiled if kernel_name == "compiled" else pure


@pytest.fixture
def stage(package: Path, kernel_name: str, tmp_path: Path) -> Any:
    """Sessions of the shipped voice assistant, freshly built, with the test's own providers."""
    from rspp_runtime.session.package import load

    scripted = _module("rspp_scripted", _e2e.SCRIPTED)
    module = _module("rspp_stage", TESTS / "e2e" / "stage.py")
    return module.Stage(scripted, load(str(package)), kernel_name, tmp_path)
