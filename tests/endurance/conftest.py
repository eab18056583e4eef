"""The shipped pipeline, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

import assistant


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assistant.built(tmp_path_factory.mktemp("generated"))
