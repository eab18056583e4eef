"""The public client's own serializer, in Node: it writes what our fixtures say, and reads what we write."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import rtvi_page
from rspp_runtime.serving.rtvi import frames, framing

FIXTURES = Path(__file__).parents[2] / "runtime_base" / "tests" / "serving" / "rtvi" / "frames.json"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not rtvi_page.ESBUILD.exists(),
    reason="needs Node and the public client: npm ci --ignore-scripts --prefix tests/e2e/rtvi",
)


def node(*arguments: str) -> Any:
    done = subprocess.run(
        ["node", "frames.mjs", *arguments], cwd=rtvi_page.ASSETS, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_the_fixtures_are_what_the_client_writes() -> None:
    assert node() == json.loads(FIXTURES.read_text(encoding="utf-8"))


def test_the_client_reads_what_we_write(tmp_path: Path) -> None:
    message = {"type": "bot-output", "data": {"text": "Größe 🕰", "spoken_progress": {"accumulated_text": ""}}}
    written = [
        frames.audio(b"\1\0\2\0\0\x80", 24_000),
        framing.write(message, binary=True),
        frames.interruption(),
    ]
    given = tmp_path / "frames.json"
    given.write_text(json.dumps([base64.b64encode(one).decode() for one in written if isinstance(one, bytes)]))
    assert node(str(given)) == [
        {"type": "audio", "audio": [1, 2, -32768]},
        {"type": "message", "message": {"label": "rtvi-ai", **message}},
        {"error": "Unknown frame kind"},  # which is one reason why it is not sent (decision 0055)
    ]
