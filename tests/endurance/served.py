"""A server as a process of its own, as it runs in production: started, looked at from outside, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

START_S_MAX = 60.0


class Held(NamedTuple):
    """What a process holds."""

    descriptors: int
    tasks: int
    sessions: int
    threads: int
    memory_bytes: int


class Served:
    """`rspp serve PACKAGE`, until the end of the `with`. `lines` are what it has logged, after it was stopped."""

    def __init__(self, package: Path, folder: Path, *options: str) -> None:
        self._command = [
            sys.executable, "-m", "rspp_runtime.cli", "serve", str(package), "--dev", "--port", "0", "--json",
            "--no-console", "--log-format", "json", "--log-dir", str(folder / "logs"), *options,
        ]  # fmt: skip
        self._out = folder / f"out-{time.monotonic_ns()}.txt"
        self.url = ""

    def __enter__(self) -> Self:
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(self._command, stdout=out, stderr=subprocess.STDOUT)
        until_s = time.monotonic() + START_S_MAX
        while not self.url:
            assert self.process.poll() is None, self._out.read_text()
            assert time.monotonic() < until_s, "it does not start"
            time.sleep(0.05)
            self.url = next((line["url"].rstrip("/") for line in self.lines if "url" in line), "")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def lines(self) -> list[dict[str, object]]:
        """What was logged so far."""
        found = []
        for line in self._out.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"level": "error", "message": line})
        return found

    def troubles(self) -> list[dict[str, object]]:
        """Lines that no client's behaviour excuses."""
        return [line for line in self.lines if line.get("level") in ("error", "critical")]

    # ---- from outside

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Every sample, by its name and the values of its labels in the order of their names."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def held(self) -> Held:
        found = self.metrics()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return Held(
            descriptors=len(os.listdir(f"/proc/{self.process.pid}/fd")),  # noqa: PTH208
            tasks=int(found["rspp_tasks",]),
            sessions=int(found["rspp_sessions_active",]),
            threads=int(fields["Threads"]),
            memory_bytes=int(fields["VmRSS"].split()[0]) * 1024,
        )

    def empty(self, seconds_max: float) -> Held:
        """What it holds when its last session has gone."""
        until_s = time.monotonic() + seconds_max
        while (held := self.held()).sessions and time.monotonic() < until_s:
            time.sleep(0.5)
        time.sleep(0.5)
        assert held.sessions == 0, f"{held.sessions} sessions are still here"
        return self.held()

    def stop(self, number: signal.Signals, seconds_max: float = 40.0) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds_max)
