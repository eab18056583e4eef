"""The helpers of tests/behaviour and tests/e2e, for the families of conformance: all of it runs on both kernels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loading import module_of

TESTS = Path(__file__).parents[1]
for folder in (TESTS / "behaviour", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from conversation import Conversation  # noqa: E402
from kernels import Factory, compiled, plan_of, pure  # noqa: E402

_e2e = module_of("rspp_e2e", TESTS / "e2e" / "conftest.py")
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
def talk(kernel: Callable[[str], Factory]) -> Conversation:
    """Connected, silent, at epoch 1: no turn, nothing fed to the ears, no output yet."""
    session = kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])
    conversation = Conversation(session).connect()
    conversation.outputs.clear()
    return conversation


@pytest.fixture
def stage(package: Path, kernel_name: str, tmp_path: Path) -> Any:
    """Sessions of the shipped voice assistant, freshly built, with the test's own providers."""
    from rspp_runtime.session.package import load

    scripted = module_of("rspp_scripted", _e2e.SCRIPTED)
    module = module_of("rspp_stage", TESTS / "e2e" / "stage.py")
    return module.Stage(scripted, load(str(package)), kernel_name, tmp_path)
