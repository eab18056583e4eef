"""A pipeline that shows what its nodes could not work on: built, run on both kernels, looked at, and replayed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

NODES = """
import time

from rspp_runtime.nodes import Emit, Item


def weigh(item: Item, emit: Emit) -> None:
    if "goodbye" in item.text.lower():
        raise ValueError("no farewells")
    emit(item.text)


def look_up(item: Item, emit: Emit) -> None:
    if "slow" in item.text:
        time.sleep(1)
    if "broken" in item.text:
        raise LookupError("no such shelf")
    emit(item.text)
"""
PIPELINE = """
pipeline desk {
  profile simple/v1
  node voice : tts
  node weigh (said : text) -> (kept : text) : python("desk_nodes:weigh")
  node look (question : text) -> (prompt : text) : python("desk_nodes:look_up") { timeout = 150ms, place = thread }
  node lost  : tap
  node sorry : say { text = "I could not look that up." }

  ingress.audio -> vad -> stt -> look -> llm -> weigh -> voice -> egress.audio

  on weigh.error           -> lost
  on look.timeout or error -> lost
  on look.timeout          -> sorry -> voice
  on look.error            -> end session
  budget { llm = 600ms }
}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the user's module and the built package `desk`."""
    root = tmp_path_factory.mktemp("desk")
    (root / "desk_nodes.py").write_text(NODES)
    (root / "desk.rspp").write_text(PIPELINE)
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "desk.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def rspp(folder: Path) -> Run:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": "", "NO_COLOR": "1", "COLUMNS": "120"}
        line = [sys.executable, "-P", "-m", "rspp_runtime.cli", *arguments]
        return subprocess.run(
            line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return command


@pytest.mark.feature("F-132", "emitted", "session")
def test_the_turn_ends_and_what_was_lost_can_be_seen(rspp: Run, folder: Path, kernel: str) -> None:
    """A node in the kernel, and only a line that shows: the turn ends as without it."""
    log = f"{kernel}.log"
    done = rspp("run", "out/desk", "--text", "goodbye", "--fast", "--log", log, "--level", "L2", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "weigh could not work on “" in done.stdout
    assert "aborted: node_timeout_or_failure" in done.stdout
    assert "dead letters" in done.stdout  # in the turn's table
    for other in ("compiled", "pure"):
        again = rspp("replay", log, "--package", "out/desk", "--kernel", other)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "identical" in again.stdout
    page = f"{kernel}.html"
    assert rspp("timeline", log, "--package", "out/desk", "--out", page).returncode == 0
    assert "weigh could not work on" in (folder / page).read_text("utf-8")


@pytest.mark.feature("F-132", "emitted", "session")
def test_a_fallback_goes_on_beside_it(rspp: Run, kernel: str) -> None:
    """A node outside that is late: its item is shown, its deadline is on record, and the user hears something."""
    done = rspp("run", "out/desk", "--text", "the slow one", "--fast", "--json", "--kernel", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    (letter,) = told["dead_letters"]
    assert (letter["node"], letter["cause"], letter["text"]) == ("look", "node_timeout", "the slow one")
    (turn,) = told["turns"]
    assert turn["outcome"] == "commit"
    assert turn["said"] == "I could not look that up."
    assert turn["dead_letters"] == [letter]
    (record,) = told["evidence"]
    (row,) = record["dead_letters"]
    assert (row["node_id"], row["reason"], row["runtime_sequence"]) == ("look", "node_timeout", letter["seq"])


@pytest.mark.feature("F-132", "emitted", "session")
def test_the_session_ends_where_a_line_says_so(rspp: Run, kernel: str) -> None:
    log = f"{kernel}-ends.log"
    done = rspp(
        "run", "out/desk", "--text", "the broken one", "--text", "hello", "--fast", "--kernel", kernel, "--log", log
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "look could not work on “the broken one”: node_error" in done.stdout
    assert "turn 2" not in done.stdout
    assert "identical" in rspp("replay", log, "--package", "out/desk").stdout
