"""rsppc build --watch: builds again after a change, of the pipeline or of what it is made of, and ends at Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines import HELLO

_PATIENCE_S = 60


class Watching:
    """A running `rsppc build --emit plan --watch`, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rspp_compiler.cli", "build", "hello.rspp", "--emit", "plan", "--watch"],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)

    def wait_for(self, words: str) -> None:
        while words not in self._lines.get(timeout=_PATIENCE_S):
            pass


@pytest.mark.parametrize("changed", ["hello.rspp", "lib/ears.rspp"])
def test_a_change_builds_again(tmp_path: Path, changed: str) -> None:
    (tmp_path / "lib").mkdir()
    library = tmp_path / "lib" / "ears.rspp"
    library.write_text("module hear (a : audio) -> (b : audio) { a -> vad -> b }\n", encoding="utf-8")
    text = HELLO.replace("-> vad ->", "-> ears ->").replace("  profile", "  node ears : hear\n  profile")
    (tmp_path / "hello.rspp").write_text(f'import hear from "lib/ears.rspp"\n{text}', encoding="utf-8")
    watching = Watching(tmp_path)
    try:
        watching.wait_for("watching 2 files")
        path = tmp_path / changed
        path.write_text(path.read_text(encoding="utf-8").replace("-> ", "-> sst, ", 1), encoding="utf-8")
        watching.wait_for(f"{changed} changed")
        watching.wait_for("error[")
        watching.wait_for("watching")
        watching.process.send_signal(signal.SIGINT)
        assert watching.process.wait(_PATIENCE_S) == 0
    finally:
        watching.process.kill()
        watching.process.wait()
