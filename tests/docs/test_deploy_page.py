"""docs/deploy.md: its commands run, but for those of a cluster. Those of an image run in tests/containers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from containers import free_port, wait_for
from rspp_compiler.emit.shipping import kubernetes, pod

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def commands(kind: str) -> list[list[str]]:
    """The commands of all blocks of a kind: `sh`, `sh image`, `sh cluster` …"""
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deploy")


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_block_is_of_a_kind_that_is_known() -> None:
    kinds = set(re.findall(r"^```(\w[^\n]*)$", PAGE, re.MULTILINE))
    assert kinds == {"sh", "sh image", "sh server", "sh bench", "sh cluster", "yaml"}


def test_the_laptop_and_the_manifests(folder: Path) -> None:
    """In order, in one folder. `serve` is stopped by Ctrl-C once it answers."""
    seen = []
    for command in commands("sh"):
        seen.append(command[1])
        if command[:2] == ["rsppc", "serve"]:
            _serve(command, folder)
        elif command[0] == "kubectl":
            if shutil.which("kubectl") is not None:
                kinds = {one["kind"] for one in yaml.safe_load_all(run(command, folder))}
                assert {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor"} <= kinds
        else:
            run(command, folder)
    assert seen == ["new", "check", "serve", "package", "kustomize"]
    assert (folder / "deploy" / "tenants" / "acme" / "kustomization.yaml").is_file()


def _serve(command: list[str], folder: Path) -> None:
    port = free_port()
    command = [str(port) if word == "7860" else word for word in command]
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    server = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
    try:
        wait_for(port, "/readyz", within_s=180)
        os.killpg(server.pid, signal.SIGINT)
        server.wait(30)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.killpg(server.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(server.pid, signal.SIGKILL)
    raise AssertionError("the server outlives its command")


def test_the_bench(folder: Path) -> None:
    if not (folder / "generated" / "concierge").is_dir():
        pytest.skip("the package is built by the test before")
    for command in commands("sh bench"):
        assert "sessions" in run(command, folder)


def test_the_clusters_commands_name_what_is_there() -> None:
    """They need a cluster; what they name is what the manifests have."""
    said = [shlex.join(command) for command in commands("sh cluster")]
    assert "kubectl apply -k deploy/overlays/production" in said
    assert any("create secret generic concierge-signing-key --from-file=signing.pem" in line for line in said)
    assert any("rspp/may-connect=true" in line for line in said)


def test_figures_are_those_of_the_code() -> None:
    assert f"`preStop` waits {'five' if kubernetes.PRE_STOP_S == 5 else '?'} seconds" in PAGE
    assert f"at {kubernetes.SESSIONS_TARGET_PERCENT} % of a full pod" in PAGE
    assert f"{pod.SESSION_MILLICPU}m a session for its frames, {pod.PROCESS_MILLICPU}m for the process" in PAGE
    rates = {level: rate >> 10 for level, rate in pod.LOG_BYTES_PER_S.items()}
    assert f"some {rates['L0']} KiB for each second" in PAGE
    assert f"and {rates['L2']} at L2" in PAGE
    assert rates["L0"] == rates["L1"]
