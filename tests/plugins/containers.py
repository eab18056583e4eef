"""Images in tests: podman as `.ci/containers` sets it up, images of the voice assistant and of one that is typed to.

`Podman` runs podman; `build_image` makes an image once for the same sources.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import ROOT
from rspp.client import Conversation, Refused, talk

FOLDER = ROOT / "out" / "containers"
BASE = "localhost/rspp-base:1"
VOICE = "voice_assistant"
TYPED = "typed"
TYPED_SOURCES = {
    "1.0.0": """pipeline typed version "1.0.0" {
  profile simple/v1

  ingress.text -> llm -> egress.text
}
""",
    "2.0.0": """pipeline typed version "2.0.0" {
  profile simple/v1

  node llm { system = "You are brief and kind." }

  ingress.text -> llm -> egress.text
}
""",
}
SESSIONS = 8  # that a pod is sized for
PINS = ("base", "local", "serve", "opus")
SOURCES = ("rspp_compiler", "templates", "grammar", "runtime_base/src", "requirements", "pipelines")


class Podman:
    """podman with the configuration of `.ci/containers`. Every call has a deadline."""

    def __init__(self) -> None:
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(FOLDER / "containers.conf"),
            "STORAGE_DRIVER": "overlay",
            "BUILDAH_ISOLATION": "chroot",
        }

    def run(self, *arguments: str, check: bool = True, timeout_s: float = 120) -> str:
        """What podman prints. Fails the test with what it said if it fails."""
        done = self.done(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0 or not check, f"podman {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def done(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["podman", *arguments],
            env=self.environment, capture_output=True, text=True, check=False, timeout=timeout_s,
        )  # fmt: skip

    def inspect(self, name: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.run("inspect", name))[0]
        return found


def usable_podman() -> Podman:
    """podman, if it and a base image are here; else the test is skipped, and the reason says what is missing."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed: .ci/containers installs it (Debian, as root)")
    if not (FOLDER / "containers.conf").is_file():
        pytest.skip("there is no out/containers/containers.conf: .ci/containers makes it")
    podman = Podman()
    if podman.done("image", "exists", BASE).returncode:
        pytest.skip(f"podman has no image {BASE}: .ci/containers makes it")
    version = podman.run("run", "--rm", BASE, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    if version != f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"the base has Python {version}, and wheels built here are for {sys.version.split()[0]}")
    return podman


@dataclass(frozen=True, slots=True)
class Built:
    """An image, the folder that it was built from, and the manifests that were written with it."""

    tag: str
    context: Path
    manifests: Path


def build_image(podman: Podman, pipeline: str = VOICE, version: str = "1.0.0", wheels: Path | None = None) -> Built:
    """The image and the manifests of a pipeline as `rsppc package` makes them, at the versions that the tests run with.

    With `wheels`, a folder that has all that it needs, nothing else is compiled than the pipeline's own package.
    """
    folder = FOLDER / "packages" / _key()
    at = folder / version
    tag = f"localhost/rspp-test-{pipeline.replace('_', '-')}:{folder.name}-{version}"
    built = Built(tag, at / pipeline / "dist" / "image", at / pipeline / "dist" / "kubernetes")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:  # another worker may be building it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if podman.done("image", "exists", built.tag).returncode or not built.manifests.is_dir():
            _forget_all_but(folder)
            podman.run("image", "prune", "-f", check=False)
            source = _source(pipeline, version, at)
            pins = " ".join(str(ROOT / "requirements" / f"{name}.txt") for name in PINS)
            command = [sys.executable, "-m", "rspp_compiler.cli", "package", str(source)]
            command += ["--base", BASE, "--image", built.tag, "-o", str(at)]
            command += ["--kubernetes", "--sessions-per-pod", str(SESSIONS), "--cpu-per-session", "60"]
            command += ["--wheels", str(wheels)] if wheels else []
            environment = {**podman.environment, "PIP_CONSTRAINT": pins, "PATH": _without_docker(FOLDER / "bin")}
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=480
            )
            if "cannot be collected" in done.stderr and wheels is None:
                pytest.skip("no package index to collect the wheels from")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "built with podman" in done.stdout
    return built


def _forget_all_but(folder: Path) -> None:
    """What was built of other sources."""
    for other in folder.parent.glob("*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _source(pipeline: str, version: str, folder: Path) -> Path:
    if pipeline != TYPED:
        return Path("pipelines") / f"{pipeline}.rspp"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{TYPED}.rspp"
    source.write_text(TYPED_SOURCES[version], encoding="utf-8")
    return source


def _key() -> str:
    digest = hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes())
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".so", ".c", ".pyc") and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _without_docker(folder: Path) -> str:
    """A search path on which `docker` is a command that does not work: podman is what is tested."""
    folder.mkdir(parents=True, exist_ok=True)
    fake = folder / "docker"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


# ---- what runs


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def status(port: int, path: str) -> int:
    """The HTTP status of an answer; 0 if there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_for(port: int, path: str, wanted: int = 200, within_s: float = 60) -> None:
    """Waits until a path answers so; fails after `within_s`."""
    until = time.monotonic() + within_s
    while status(port, path) != wanted:
        assert time.monotonic() < until, f"{path} did not answer {wanted} within {within_s} s"
        time.sleep(0.1)


@contextlib.contextmanager
def keys(folder: Path) -> Iterator[Path]:
    """A signing key as a kubelet mounts it for a group that is not root's: `signing.pem`, 0440. Beside it `own.pem`."""
    folder.mkdir(parents=True)
    rspp = Path(sys.executable).parent / "rspp"
    subprocess.run([str(rspp), "token", "new-key", str(folder / "own.pem")], check=True, capture_output=True)
    mounted = folder / "mounted"
    mounted.mkdir()
    shutil.copy(folder / "own.pem", mounted / "signing.pem")
    os.chown(mounted / "signing.pem", 0, 65532)
    (mounted / "signing.pem").chmod(0o440)
    yield folder


def bearer(folder: Path, pipeline: str = VOICE) -> str:
    """A token with which sessions may be asked for."""
    rspp = Path(sys.executable).parent / "rspp"
    command = [str(rspp), "token", "issue", "--key", str(folder / "own.pem"), "--tenant", "acme", "--scope", "issue"]
    command += ["--pipeline", pipeline, "--version", "1.0.0"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def come_in(port: int, token: str) -> Conversation:
    """A conversation with whoever answers there; a server that is late, or about to go, or gone, is asked again."""
    while True:
        try:
            return await talk(f"http://127.0.0.1:{port}", bearer=token)
        except Refused as refused:
            if not refused.retry_after_ms:
                raise
            await asyncio.sleep(refused.retry_after_ms / 1000)
        except OSError:
            await asyncio.sleep(0.1)
