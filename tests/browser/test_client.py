"""The TypeScript client against the real server, in Node: no browser is needed for its connection."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

WEB = Path(__file__).parents[2] / "runtime_base" / "web"


def test_the_client_and_the_server(server: Any) -> None:
    if shutil.which("node") is None or not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("there is no Node.js here, or nothing was installed in runtime_base/web (npm ci)")
    built = subprocess.run(["node", "build.mjs", "--tests"], cwd=WEB, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run(
        ["node", "--test", "out/test/client/test/live.js"],
        cwd=WEB, capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"RSPP_URL": server.url},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# pass 4" in done.stdout
