"""A competitor's process, as the runner sees it (`worker` is its inside)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import IO, Any

BENCHMARKS = Path(__file__).resolve().parents[1]


class Worker:
    """One process. `why` says why it cannot measure, None if it can; `version` what it is."""

    def __init__(self, python: Path, peer: str, log: IO[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS), "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [str(python), "-m", "speed.worker", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=BENCHMARKS,
            env=environment,
        )
        ready = self._read()
        self.why: str | None = None if ready.get("ready") else str(ready.get("why") or ready.get("error"))
        self.version = str(ready.get("version", ""))

    def measure(self, command: dict[str, Any]) -> dict[str, Any]:
        """The result of one case, or `{"error": …}`."""
        if self.why is not None:
            return {"error": self.why}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            return {"error": f"its process is gone: {error}"}
        return self._read()

    def stop(self) -> None:
        """Ends the process, by force if it does not go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            return {"error": "its process ended"}
        answer: dict[str, Any] = json.loads(line)
        return answer
