"""A server, its clients, and more and more conversations between them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from speed.prepare import OUT, PEERS

HERE = Path(__file__).parent
LATE_MS = 20.0  # behind the median of one session: a frame
READY_S_MAX = 30.0
TRIES = 3

Step = dict[str, Any]
"""What `load.hold` says of so many sessions, and what `run` adds: `late` is why it was not kept up with, or nothing;
`tried` is how often it was made."""


@dataclass(slots=True)
class Contestant:
    """`kind` as `load` knows it; `why` says why it cannot be measured."""

    kind: str
    label: str
    command: Sequence[str | Path]
    steps: list[Step] = field(default_factory=list)
    why: str = ""
    limit_ms: float = math.inf  # a frame that takes longer is late

    @property
    def is_over(self) -> bool:
        return bool(self.why) or bool(self.steps and self.steps[-1]["late"])

    @property
    def sessions(self) -> int:
        """As many as were kept up with."""
        return max((step["sessions"] for step in self.steps if not step["late"]), default=0)


def contestants(package: Path, logs: Path) -> list[Contestant]:
    found = [
        Contestant("bare", "floor: bare echo", [sys.executable, HERE / "bare.py"]),
        Contestant("ours", "rspp", [sys.executable, HERE / "ours.py", package, logs]),
        Contestant("peer", "Pipecat", [PEERS, HERE / "peer.py"]),
    ]
    for one in found:
        if not Path(one.command[0]).exists():
            one.why = f"{one.command[0]} is not there"
    return found


def pinned(command: Sequence[str | Path], core: int) -> list[str]:
    """On one core, where a machine has two and a way to say so."""
    words = [str(word) for word in command]
    return words if (os.cpu_count() or 1) < 2 or sys.platform != "linux" else ["taskset", "-c", str(core), *words]


class Server:
    """One process, for as long as a step lasts: nothing of one step is left in the next."""

    def __init__(self, one: Contestant, log: IO[str]) -> None:
        """Raises `OSError` if it does not come up."""
        self._process = subprocess.Popen(
            pinned(one.command, 0), stdout=subprocess.PIPE, stderr=log, text=True, cwd=HERE.parent
        )
        self.pid = self._process.pid
        try:
            self.port, self.token = self._said(time.monotonic() + READY_S_MAX)
        except OSError:
            self.stop()
            raise

    def _said(self, until_s: float) -> tuple[int, str]:
        """Its port, and a token if it wants one: the first line with a number. Some say other things before."""
        assert self._process.stdout is not None
        while time.monotonic() < until_s and (line := self._process.stdout.readline()):
            port, _, token = line.strip().partition(" ")
            if port.isdecimal():
                return int(port), token
        raise OSError(f"the server did not come up (its output is in {OUT / 'serve.log'})")

    def stop(self) -> None:
        self._process.kill()  # it has nothing to say that anybody waits for
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def measure(one: Contestant, sessions: int, seconds: float, log: IO[str]) -> Step:
    """One step, with a server and clients of its own. `{"error": …}` if it cannot be made."""
    try:
        server = Server(one, log)
    except OSError as error:
        return {"sessions": sessions, "error": str(error)}
    try:
        asked = {
            "kind": one.kind, "port": server.port, "token": server.token, "pid": server.pid,
            "sessions": sessions, "seconds": seconds,
        }  # fmt: skip
        done = subprocess.run(
            pinned([sys.executable, HERE / "load.py"], 1),
            input=json.dumps(asked) + "\n", stdout=subprocess.PIPE, stderr=log, text=True,
            timeout=60 + seconds + sessions / 5, check=True,
        )  # fmt: skip
        found: Step = json.loads(done.stdout)
        return found
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"sessions": sessions, "error": f"{type(error).__name__}: {error}"}
    finally:
        server.stop()


def verdict(step: Step, limit_ms: float) -> str:
    """Why it was not kept up with, or nothing."""
    if "error" in step:
        return str(step["error"])
    if step["gone"]:
        return f"{step['gone']} connections were closed: {step['reason']}"
    if step["frames"] < step["expected"]:
        return f"{step['expected'] - step['frames']} of {step['expected']} frames did not come back"
    if step["worst_ms"] > limit_ms:
        return f"a frame took {step['worst_ms']:.1f} ms, more than {limit_ms:.1f}"
    return ""


def climb(one: Contestant, sessions: int, seconds: float, log: IO[str]) -> Step:
    """One step more. One that is late is made up to `TRIES - 1` times more: a machine shared with others stutters, and
    who keeps up does so in one of them."""
    for tried in range(TRIES):
        step = measure(one, sessions, seconds, log)
        step["late"], step["tried"] = verdict(step, one.limit_ms), tried + 1
        if not step["late"]:
            break
    one.steps.append(step)
    return step


def alone(one: Contestant, seconds: float, log: IO[str]) -> None:
    """One session: what is late is told from it."""
    step = measure(one, 1, seconds, log)
    if one.why or "error" in step:
        one.why = one.why or step["error"]
        return
    one.limit_ms = step["p50_ms"] + LATE_MS
    one.steps.append({**step, "late": ""})
