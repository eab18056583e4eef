"""The commands of docs/deploy.md that need podman, as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from containers import BASE, Built, Podman, free_port, wait_for
from pipelines import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def commands(kind: str) -> list[list[str]]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for line in "".join(blocks).replace("\\\n", " ").splitlines() if line.strip()]


def test_one_machine(podman: Podman, image: Built, tmp_path: Path) -> None:
    """The base and the wheels are those that are here; the container has a name and a port of its own."""
    path = f"{ROOT / 'out' / 'containers' / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    port, name = free_port(), f"concierge-{os.getpid()}"

    def run(command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env={**podman.environment, "PATH": path},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    run(["rsppc", "new", "concierge"])
    package, new_key, once = commands("sh image")
    try:
        run([*package, "--base", BASE, "--wheels", str(image.context / "wheels")])
        run(new_key)
        assert "commit" in run(once)
        start, stop = commands("sh server")
        os.chown(tmp_path / "signing.pem", 65532, 65532)
        (tmp_path / "logs").mkdir()
        os.chown(tmp_path / "logs", 65532, 65532)
        mine = {"7860:7860": f"{port}:{port}", "concierge": name, "logs:/var/lib/rspp": "./logs:/var/lib/rspp"}
        start = [mine.get(word, word) for word in start]
        start[3:3] = ["--env", f"RSPP_SERVE_PORT={port}"]
        run(start)
        try:
            wait_for(port, "/readyz")
            run([mine.get(word, word) for word in stop])
            assert podman.inspect(name)["State"]["ExitCode"] == 0  # type: ignore[index]
        finally:
            podman.done("rm", "-f", "-t", "0", name)
    finally:
        podman.done("rmi", "concierge:1")
