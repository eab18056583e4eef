"""A session that is killed and gone on with by another process, from the command line, on both kernels: what a node
of the user's declared durable is there again, what it declared for less is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.evidence.entries import Out, State
from rspp_runtime.evidence.log import LogFile, read

NODE = """
from dataclasses import dataclass

from rspp_runtime.nodes import Emit, Item, state


@dataclass
class Known:
    questions: int = 0


class Keeper:
    here = state.session(int)
    now = state.turn(int)
    known = state.durable(Known)
    dice = state.chance()

    def __call__(self, item: Item, emit: Emit) -> None:
        self.here += 1
        self.now += 1
        self.known.questions += 1
        emit(f"{self.known.questions} in all, {self.here} here, {self.now} now, {self.dice.randrange(10**6)} drawn")
"""
PIPELINE = """pipeline keeper {
  profile simple/v1
  node keep (asked : text) -> (told : text) : python("keeper_nodes:Keeper") {
    state = { turn = 50B, session = 50B, durable = 200B }
  }
  node voice : tts
  ingress.text -> keep
  ingress.audio -> vad -> stt -> keep -> voice -> egress.audio
  keep -> egress.text
}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("keeper")
    (root / "keeper_nodes.py").write_text(NODE)
    (root / "keeper.rspp").write_text(PIPELINE.replace("  ingress.text -> keep\n", ""))
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "keeper.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": "", "NO_COLOR": "1", "COLUMNS": "120"}
        line = [sys.executable, "-P", "-m", "rspp_runtime.cli", *arguments]
        return subprocess.run(
            line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return command


def told(path: Path) -> list[str]:
    """What was sent as text, in order."""
    outs = [row for row in read(path).entries if isinstance(row, Out) and row.op == Op.SEND and row.port == 1]
    return [(row.payload or b"").decode() for row in outs]


def killed(folder: Path, run: Run, kernel: str, name: str, level: str = "L2") -> Path:
    """The log of a process that died while its second turn was being answered."""
    done = run("run", "out/keeper", "--text", "one", "--text", "two", "--fast", "--kernel", kernel,
               "--log", f"{name}-whole.log", "--level", level, "--seed", "5")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    log = read(folder / f"{name}-whole.log")
    playing = [i for i, row in enumerate(log.entries) if isinstance(row, Out) and row.code == Signal.PLAYBACK_STARTED]
    file = LogFile(folder / f"{name}.log", log.header)
    for entry in log.entries[: playing[-1] + 1]:
        file.write(entry)
    file.close()
    return folder / f"{name}.log"


@pytest.mark.feature("F-155", "lost", "durable")
@pytest.mark.feature("F-157", "markers", "identity")
def test_what_is_durable_outlives_the_process(run: Run, folder: Path, kernel: str) -> None:
    path = killed(folder, run, kernel, kernel)
    before = told(path)
    assert [text.rpartition(",")[0] for text in before] == ["1 in all, 1 here, 1 now", "2 in all, 2 here, 1 now"]
    done = run("run", "out/keeper", "--resume", path.name, "--text", "three", "--fast", "--json", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    after = told(path)[len(before) :]
    assert [text.rpartition(",")[0] for text in after] == ["3 in all, 1 here, 1 now"]
    evidence: list[dict[str, Any]] = json.loads(done.stdout)["evidence"]
    assert [one["terminal_reason"] for one in evidence] == ["completed", "authority_loss", "completed"]
    assert [one["lease_epoch_at_turn_open"] for one in evidence] == [1, 1, 2]
    assert {one["session_id"] for one in evidence} == {read(path).header.session_id}
    for other in ("compiled", "pure"):
        again = run("replay", path.name, "--package", "out/keeper", "--kernel", other)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "identical" in again.stdout


def test_durable_state_is_kept_at_every_level(run: Run, folder: Path, kernel: str) -> None:
    path = killed(folder, run, kernel, f"{kernel}-L0", "L0")
    assert [row for row in read(path).entries if isinstance(row, State)]
    done = run("run", "out/keeper", "--resume", path.name, "--text", "three", "--fast", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 in all" in done.stdout


def test_the_same_seed_draws_the_same(run: Run, folder: Path, kernel: str) -> None:
    drawn = []
    for seed in ("5", "5", "6"):
        done = run("run", "out/keeper", "--text", "one", "--fast", "--kernel", kernel, "--seed", seed,
                   "--session-id", "s-1", "--log", f"{kernel}-seed.log", "--level", "L2")  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        drawn.append(told(folder / f"{kernel}-seed.log"))
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume", "none.log"), "none.log: there is no such log"),
        (("--resume", "x.log", "--log", "y.log"), "leave --log out"),
        (("--resume", "x.log", "--seed", "3"), "leave --seed out"),
        (("--resume", "keeper.rspp"), "this is not a log"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("run", "out/keeper", "--text", "x", "--fast", *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
