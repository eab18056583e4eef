"""podman and the images, for the tests of this folder; they are skipped where `.ci/containers` has not been."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers import TYPED, Built, Podman, build_image, keys, usable_podman


@pytest.fixture(scope="session")
def podman() -> Podman:
    return usable_podman()


@pytest.fixture(scope="session")
def image(podman: Podman) -> Built:
    return build_image(podman)


@pytest.fixture(scope="session")
def typed(podman: Podman) -> Built:
    """Of a pipeline that nobody speaks to: no engine of speech, no model."""
    return build_image(podman, TYPED)


@pytest.fixture(scope="session")
def next_typed(podman: Podman, typed: Built) -> Built:
    """Of its next version: the same wheels, but for the pipeline's own."""
    return build_image(podman, TYPED, "2.0.0", typed.context / "wheels")


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Path]:
    with keys(tmp_path / "keys") as folder:
        yield folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Where pods write their logs, as the user that they run as."""
    folder = tmp_path / "logs"
    folder.mkdir()
    os.chown(folder, 65532, 65532)
    return folder
