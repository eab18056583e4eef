"""A session that is killed and gone on with, whose Python nodes run outside of the kernel: in the loop, in a thread and
in a process. What they declared durable is there again, what they declared for less is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rspp_runtime.abi.codes import Op
from rspp_runtime.evidence.entries import Out, State
from rspp_runtime.evidence.log import LogFile, read

NODES = """
from dataclasses import dataclass

from rspp_runtime.nodes import Emit, Item, state


@dataclass
class Known:
    questions: int = 0


class Keeper:
    here = state.session(int)
    now = state.turn(int)
    known = state.durable(Known)

    def __call__(self, item: Item, emit: Emit) -> None:
        self.here += 1
        self.now += 1
        self.known.questions += 1
        emit(f"{item.text} {self.known.questions}/{self.here}/{self.now}")


class Waiter(Keeper):
    async def __call__(self, item: Item, emit: Emit) -> None:
        super().__call__(item, emit)
"""
NODE = """  node {0} (asked : text) -> (told : text) : python("keepers_nodes:{1}") {{
    place = {2}, timeout = 15s, {3}
  }}
"""
ROOM = "state = { turn = 50B, session = 50B, durable = 200B }"
PIPELINE = (
    "pipeline keepers {\n  profile simple/v1\n  budget { turn = 60s }\n"
    + "".join(
        NODE.format(*row, ROOM)
        for row in (("first", "Waiter", "loop"), ("second", "Keeper", "thread"), ("third", "Keeper", "process"))
    )
    + "  ingress.text -> first -> second -> third -> egress.text\n}\n"
)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("keepers")
    (root / "keepers_nodes.py").write_text(NODES)
    (root / "keepers.rspp").write_text(PIPELINE)
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "keepers.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def command(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": "", "NO_COLOR": "1", "COLUMNS": "120"}
        line = [sys.executable, "-P", "-m", "rspp_runtime.cli", *arguments]
        return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)

    return command


def told(path: Path) -> list[str]:
    """What was sent, in order."""
    outs = [row for row in read(path).entries if isinstance(row, Out) and row.op == Op.SEND]
    return [(row.payload or b"").decode() for row in outs]


@pytest.mark.feature("F-155", "lost", "durable")
def test_what_is_durable_outlives_the_process(run: Run, folder: Path, tmp_path: Path, kernel: str) -> None:
    whole, path = folder / f"{kernel}-whole.log", folder / f"{kernel}.log"
    done = run("run", "out/keepers", "--text", "one", "--text", "two", "--kernel", kernel, "--log", whole.name,
               "--level", "L2")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    log = read(whole)
    sent = [place for place, row in enumerate(log.entries) if isinstance(row, Out) and row.op == Op.SEND]
    file = LogFile(path, log.header)  # of a process that died while its second turn was being answered
    for entry in log.entries[: sent[-1] + 1]:
        file.write(entry)
    file.close()
    assert told(path) == ["one 1/1/1 1/1/1 1/1/1", "two 2/2/1 2/2/1 2/2/1"]
    assert len([row for row in log.entries if isinstance(row, State)]) == 6
    done = run("run", "out/keepers", "--resume", path.name, "--text", "three", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told(path)[2:] == ["three 3/1/1 3/1/1 3/1/1"]
    for other in ("compiled", "pure"):  # the user's module is not there, and need not be
        again = run("replay", str(path), "--package", str(folder / "out/keepers"), "--kernel", other, cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "identical" in again.stdout


def test_what_the_class_does_not_declare_any_more_is_refused_in_one_line(run: Run, folder: Path, kernel: str) -> None:
    path = folder / f"{kernel}-gone.log"
    done = run("run", "out/keepers", "--text", "one", "--kernel", kernel, "--log", path.name, "--level", "L2")
    assert done.returncode == 0, done.stdout + done.stderr
    log = read(path)
    path.unlink()
    file = LogFile(path, log.header)
    for entry in log.entries[:-1]:
        file.write(entry)
    file.close()
    nodes = folder / "keepers_nodes.py"
    nodes.write_text(NODES.replace("known = state.durable(Known)", "known = state.session(Known)"))
    try:
        done = run("run", "out/keepers", "--resume", path.name, "--text", "two", "--kernel", kernel)
    finally:
        nodes.write_text(NODES)
    assert done.returncode == 1
    assert "node first: its durable state cannot be had again" in done.stderr
    assert done.stderr.count("\n") == 1
