"""A pipeline with a Python node of the user's: built, run on both kernels, and replayed without running user code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

NODE = """
from pathlib import Path

from rspp_runtime.nodes import Emit, Item


class Loud:
    def __init__(self) -> None:
        self.calls = -1

    def init(self) -> None:
        self.calls = 0

    def stop(self) -> None:
        Path(__file__).with_name("stopped.txt").write_text(str(self.calls))

    def __call__(self, item: Item, emit: Emit) -> None:
        self.calls += 1
        if "Goodbye" in item.text:
            raise ValueError("no farewells")
        emit(item.text.upper())
        if self.calls == 1:
            emit(" (the first word)")
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the user's module and the built package `loud`."""
    root = tmp_path_factory.mktemp("loud")
    (root / "loud_nodes.py").write_text(NODE)
    (root / "loud.rspp").write_text(
        "pipeline loud {\n"
        "  profile simple/v1\n"
        '  node shout (said : text) -> (shouted : text) : python("loud_nodes:Loud") {\n'
        "    hooks = { init = 5s, stop = 1s }\n  }\n"
        "  ingress.audio -> vad -> stt -> llm -> shout -> tts -> egress.audio\n"
        "}\n"
    )
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "loud.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def command(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": "", "NO_COLOR": "1", "COLUMNS": "120"}
        line = [sys.executable, "-P", "-m", "rspp_runtime.cli", *arguments]
        return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)

    return command


def test_it_runs_and_replays(run: Run, folder: Path, tmp_path: Path, kernel: str) -> None:
    done = run("run", "out/loud", "--text", "hello", "--fast", "--log", f"{kernel}.log", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "committed" in done.stdout
    assert int((folder / "stopped.txt").read_text()) > 0  # its hooks: before the first call, after the last
    records = run("timeline", f"{kernel}.log", "--jsonl").stdout
    assert '"record": "handler"' in records
    for other in ("compiled", "pure"):  # the user's module is not importable here, and need not be
        again = run(
            "replay", str(folder / f"{kernel}.log"), "--package", str(folder / "out/loud"), "--kernel", other,
            cwd=tmp_path,
        )  # fmt: skip
        assert again.returncode == 0, again.stdout + again.stderr
        assert "identical" in again.stdout


def test_its_failure_is_told_with_its_line(run: Run, kernel: str) -> None:
    line = 1 + NODE.splitlines().index('            raise ValueError("no farewells")')
    done = run("run", "out/loud", "--text", "goodbye", "--fast", "--log", f"{kernel}-f.log", "--kernel", kernel)
    assert done.returncode == 0
    assert f"loud_nodes.py:{line})" in done.stdout
    assert "ValueError: no farewells" in done.stdout
    assert "aborted: node_timeout_or_failure" in done.stdout
    again = run("replay", f"{kernel}-f.log", "--package", "out/loud")
    assert again.returncode == 0, again.stdout


def test_a_module_that_is_not_there_is_named(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("run", str(folder / "out/loud"), "--text", "hello", "--fast", cwd=tmp_path)
    assert done.returncode == 1
    assert "node shout: loud_nodes:Loud cannot be loaded" in done.stderr
    assert done.stderr.count("\n") == 1


def test_rsppc_run_finds_the_module_beside_the_pipeline(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(folder / "loud.rspp"), "-o", str(folder / "out")]
    assert subprocess.run([*command, "--no-install"], capture_output=True, check=False, timeout=300).returncode == 0
    script = (
        "import sys; from pathlib import Path; from rspp_compiler.cli.run import run_package; "
        "sys.exit(run_package('run', Path(sys.argv[1]), Path(sys.argv[2]), ['--text', 'hello', '--fast']))"
    )
    line = [sys.executable, "-c", script, str(folder / "out/loud"), str(folder / "loud.rspp")]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "committed" in done.stdout
