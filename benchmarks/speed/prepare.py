"""What a run needs: the peers' environment, the floor, and our packages as `rsppc build` makes them.

Peers have an environment of their own (`.venv-bench`), because what they pin is none of our business: their versions
of shared libraries must not decide ours, and a package of theirs that cannot be installed here must not break `.venv`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "bench"
OURS = Path(sys.executable)
PEERS = ROOT / ".venv-bench" / "bin" / "python"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
WANTED = ("pipecat-ai", "livekit-agents")
PIPELINES = (*sorted((ROOT / "benchmarks" / "pipelines").glob("*.rspp")), ROOT / "pipelines" / "voice_assistant.rspp")
FLOOR = ROOT / "benchmarks" / "speed" / "floor"

Say = Callable[[str], None]


def prepare(say: Say) -> None:
    """Everything; what is there already is left alone. Raises `CalledProcessError` if ours does not build."""
    OUT.mkdir(parents=True, exist_ok=True)
    peers(say)
    floor(say)
    say("building the pipelines with rsppc")
    build(PIPELINES)


def build(pipelines: Sequence[Path]) -> None:
    """As users build them. Raises `CalledProcessError`."""
    _run([OURS, "-m", "rspp_compiler.cli", "build", *pipelines, "-o", OUT / "packages", "--no-install"], "rsppc")


def python_of(peer: str) -> Path:
    """The interpreter that a peer's process runs on."""
    return PEERS if peer in ("pipecat", "livekit") and PEERS.exists() else OURS


def peers(say: Say) -> None:
    """The peers' environment. One that cannot be installed is missing in the table, and nothing else."""
    stamp, now = PEERS.parents[1] / "stamp", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == now:
        return
    say(f"installing the peers into {PEERS.parents[1].name} (some minutes, once)")
    try:
        subprocess.run([OURS, "-m", "venv", PEERS.parents[1]], check=True)
        pip = [PEERS, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        if subprocess.run([*pip, "-r", REQUIREMENTS]).returncode:
            for name in WANTED:  # one by one, so that one which cannot be installed leaves the others
                subprocess.run([*pip, "-c", REQUIREMENTS, name])
        stamp.write_text(now)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"without peers: {error}")


def floor(say: Say) -> None:
    """The floor's two extensions, with the flags of a generated package."""
    sources = [FLOOR / name for name in ("ring.h", "ring.pyx", "allocations.pyx", "setup.py")]
    flags = os.environ.get("RSPP_CFLAGS", "-O2")
    contents = b"".join(source.read_bytes() for source in sources)
    now = hashlib.sha256(contents + flags.encode() + sys.version.encode()).hexdigest()
    folder = OUT / "floor"
    stamp = folder / "stamp"
    if stamp.exists() and stamp.read_text() == now:
        return
    say("compiling the floor")
    build = folder / "build"
    command = [OURS, "setup.py", "-q", "build_ext", "--force", "--build-lib", folder, "--build-temp", build]
    _run(command, "floor", cwd=FLOOR, env={**os.environ, "FLOOR_BUILD": str(build)})
    stamp.write_text(now)


def _run(command: list[object], what: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs it, and shows what it said only if it fails."""
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, cwd=cwd, env=env)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise subprocess.CalledProcessError(done.returncode, what)
