"""Makes the pictures of docs/semantics.md: `python tests/plugins/page_pictures.py --write`.

Each is of a call in virtual time, drawn by the tools that users have. Engines and kernel are deterministic there, so a
picture changes only with what it shows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SOURCE = ROOT / "pipelines" / "voice_assistant.rspp"
SAMPLES = ROOT / "pipelines" / "samples"
SCRIPT = 'file("dialogues/greeter.toml")'


def make(folder: Path) -> dict[str, str]:
    """SVG by name. `folder` is where packages and logs may be put."""
    packages = {"call": SOURCE, "excuse": _slow(folder)}
    logs = {"call": "interruption.wav", "excuse": "question.wav"}
    windows = {"call": ("call", ()), "cut": ("call", ("--from", "5.2s", "--to", "6s")), "excuse": ("excuse", ())}
    _tool("rsppc", "graph", SOURCE, "--format", "svg", "-o", folder / "pipeline.svg")
    for name, source in packages.items():
        out = folder / name
        _tool("rsppc", "build", source, "--backend", "python", "--no-install", "-o", out)
        package, log, wav = out / "voice_assistant", folder / f"{name}.log", SAMPLES / logs[name]
        _tool("rspp", "run", package, "--wav", wav, "--fast", "--session-id", "docs", "--kernel", "pure",
              "--level", "L2", "--log", log)  # fmt: skip
    for name, (of, window) in windows.items():
        package = folder / of / "voice_assistant"
        _tool("rspp", "timeline", folder / f"{of}.log", "-o", folder / f"{name}.svg", "--package", package, *window)
    return {name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in ("pipeline", *windows)}


def _slow(folder: Path) -> Path:
    """The same pipeline with a model that takes a second for its first word."""
    text = SOURCE.read_text(encoding="utf-8")
    assert text.count(SCRIPT) == 1
    path = folder / "slow.rspp"
    (folder / "dialogues").symlink_to(SOURCE.parent / "dialogues")
    path.write_text(text.replace(SCRIPT, f"{SCRIPT}, first_word = 1s"), encoding="utf-8")
    return path


def _tool(*command: object) -> None:
    name, *arguments = map(str, command)
    done = subprocess.run([Path(sys.executable).parent / name, *arguments], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{name} {' '.join(arguments)}\n{done.stdout}{done.stderr}")


def main() -> None:
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: page_pictures.py --write")
    with tempfile.TemporaryDirectory() as folder:
        for name, svg in make(Path(folder)).items():
            (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
