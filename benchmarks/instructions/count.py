"""Instructions of the generated kernel, counted by callgrind: they repeat where seconds do not.

    python benchmarks/instructions/count.py FOLDER [--write]

FOLDER has the package voice_assistant, as `rsppc build` made it. Prints instructions a turn and a frame beside their
ceilings (`ceilings.toml`); `--write` writes the ceilings anew, `MARGIN` above what was counted. Read the difference
before you commit it: a ceiling that rises is a regression that somebody wanted.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from workload import FRAMES, TURNS

HERE = Path(__file__).parent
CEILINGS = HERE / "ceilings.toml"
MARGIN = 1.15  # compilers and libraries of other machines differ by some percent
STRETCHES = ("warm_up", "turn", "between", "frame")  # what lies between the marks of the workload
METHOD = re.compile(rb"\b__pyx_pw_\w*Session_\d+(?:ingest|advance|drain)\b")  # as Cython names their wrappers


class Unavailable(Exception):  # noqa: N818 - it is no error of ours
    """Nothing can be counted on this machine; the message says why."""


def count(folder: Path) -> dict[str, int]:
    """Instructions inside of ingest, advance and drain: `turn`, of a whole one; `frame`, from voice to loudspeaker.

    Raises RuntimeError if the workload failed.
    """
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "counts"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--dump-before=getpgid"]
        command += [f"--toggle-collect={name}" for name in _methods(folder)]
        command += [sys.executable, "-S", str(HERE / "workload.py"), str(folder)]  # -S: without what `site` imports
        path = os.pathsep.join(one for one in sys.path if one)
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        )
        if done.returncode:
            raise RuntimeError(f"the workload failed under valgrind:\n{done.stdout}{done.stderr}")
        found = [_summary(Path(f"{out}.{number}")) for number in range(1, len(STRETCHES) + 1)]
    counts = dict(zip(STRETCHES, found, strict=True))
    return {"turn": counts["turn"] // TURNS, "frame": counts["frame"] // FRAMES}


def _methods(folder: Path) -> list[str]:
    """The symbols of the session's three methods, whole: callgrind mixes up patterns that begin alike."""
    kernel = next((folder / "voice_assistant" / "src" / "voice_assistant").glob("_kernel.*.so"))
    found = sorted({name.decode() for name in METHOD.findall(kernel.read_bytes())})
    if len(found) != 3:
        raise RuntimeError(f"{kernel.name} has not the three methods of a session, but {', '.join(found) or 'none'}")
    return found


def _summary(file: Path) -> int:
    """What callgrind counted in one stretch."""
    match = re.search(r"^(?:summary|totals): (\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise RuntimeError(f"{file.name} has no total: callgrind's format is another one")
    return int(match[1])


def python() -> str:
    """The interpreter whose tuples and lists are counted with the rest."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def counts_here() -> None:
    """Raises `Unavailable` where nothing can be counted."""
    if shutil.which("valgrind") is None:
        raise Unavailable("valgrind is not installed")


def ceilings() -> dict[str, int]:
    """What must not be exceeded. Raises `Unavailable` under another interpreter or on another processor than theirs."""
    read = tomllib.loads(CEILINGS.read_text(encoding="utf-8"))
    for what, here in (("python", python()), ("machine", platform.machine())):
        if read[what] != here:
            raise Unavailable(f"the ceilings are of {what} {read[what]}, this is {here}")
    limits: dict[str, int] = read["instructions"]
    return limits


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    try:
        counts_here()
    except Unavailable as why:
        sys.exit(f"count  {why}")
    counted = count(given.folder.resolve())
    if given.write:
        lines = [f"{name} = {round(number * MARGIN)} # counted {number}" for name, number in counted.items()]
        text = "\n".join(
            [
                "# Written by `python benchmarks/instructions/count.py FOLDER --write`: 15 % above what was counted.",
                f'python = "{python()}"',
                f'machine = "{platform.machine()}"',
                "",
                "[instructions]",
                *lines,
            ]
        )
        CEILINGS.write_text(text + "\n", encoding="utf-8", newline="\n")
    for name, number in counted.items():
        print(f"{name:8} {number:>12,} instructions, ceiling {ceilings()[name]:,}")


if __name__ == "__main__":
    main()
