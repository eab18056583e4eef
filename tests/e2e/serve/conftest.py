"""One server for most tests, and a maker of others; `served.py` says what they can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import soundfile
import soxr

from loading import module_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def serving() -> ModuleType:
    return module_of("rspp_served", Path(__file__).with_name("served.py"))


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from rspp_runtime.security.keys import new_key, write_private

    path = tmp_path_factory.mktemp("keys") / "signing.pem"
    write_private(path, new_key())
    return path


@pytest.fixture(scope="session")
def server(serving: ModuleType, package: Path, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """In development, with recordings; stopped by SIGTERM at the end, when it must leave with 0 and no error."""
    one = serving.Served(package, tmp_path_factory.mktemp("server"), key, "--level", "L2")
    yield one
    one.stop()


@pytest.fixture
def serve(serving: ModuleType, package: Path, key: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a server of the test's own; whatever still runs at its end is killed."""
    made: list[Any] = []

    served = package

    def start(*options: str, package: Path = served, **how: Any) -> Any:
        made.append(serving.Served(package, tmp_path, key, *options, **how))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture(scope="session")
def spoken() -> Callable[[str], bytes]:
    """The samples as 16 kHz PCM."""

    def read(name: str) -> bytes:
        pcm, rate_hz = soundfile.read(ROOT / "pipelines" / "samples" / f"{name}.wav", dtype="int16", always_2d=True)
        made: bytes = soxr.resample(pcm[:, 0], rate_hz, 16_000).tobytes()
        return made

    return read
