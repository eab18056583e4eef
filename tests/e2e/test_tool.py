"""Somebody asks aloud, the model calls a tool, and its result is heard; nothing is paid back twice, or by a replay."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

SAMPLES = Path(__file__).parents[2] / "pipelines" / "samples"
ORDERS = """
import asyncio
from pathlib import Path

PAID = Path(__file__).with_name("paid.txt")


async def weather(city: str) -> dict[str, str]:
    await asyncio.sleep(1.2)
    return {"city": city, "state": "mild"}


def refund(city: str, idempotency_key: str) -> dict[str, bool]:
    with PAID.open("a") as file:
        file.write(f"{city} {idempotency_key}\\n")
    return {"paid": True}
"""
DIALOGUE = """
[dialogue]
not_understood = ["Sorry?"]

[slots]
city = ["Paris", "London"]

[[intent]]
name   = "weather"
ask    = ["what is the weather like in {city}"]
call   = "weather"
with   = { city = "{city}" }
answer = ["In {result.city} it is {result.state}."]
when_failed = ["I do not know."]

[[intent]]
name   = "refund"
ask    = ["give me my money back for {city}"]
call   = "refund"
with   = { city = "{city}" }
answer = ["Your money is on its way."]
when_failed = ["I cannot do that."]
"""
PIPELINE = """
tool weather    (city : text) : python("orders:weather")   { timeout = 2s, about = "The weather in a city." }
tool refund     (city : text) : python("orders:refund") { timeout = 700ms, once, cancel = soft }

pipeline order_desk version "1.0.0" {
  profile simple/v1
  node ears   : vad
  node llm    { tools = [weather, refund], max_calls = 1 }
  node voice  : tts
  node moment : say { text = "One moment please." }

  ingress.audio -> ears -> stt -> llm -> voice -> egress.audio
  on weather.started -> moment -> voice
}

provider stt { use pocketsphinx { script = file("orders.toml") } }
provider llm { use scripted     { script = file("orders.toml") } }
"""
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's module, the built package, and the recording of a question."""
    root = tmp_path_factory.mktemp("desk")
    (root / "orders.py").write_text(ORDERS)
    (root / "orders.toml").write_text(DIALOGUE)
    (root / "desk.rspp").write_text(PIPELINE)
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", "desk.rspp", "-o", "out", "--no-install"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(SAMPLES / "question.wav", root)  # what is the weather like in London?
    return root


def rspp(folder: Path, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "120"}
    line = [sys.executable, "-P", "-m", "rspp_runtime.cli", *arguments]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)


def _calls(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The invocations of an OR-02 record."""
    found: list[dict[str, Any]] = record.get("or02", {}).get("provider_invocations", [])
    return found


@pytest.fixture
def run(folder: Path, kernel: str) -> Run:
    def command(*arguments: str) -> dict[str, Any]:
        line = ["run", "out/order_desk", *arguments, "--fast", "--json", "--kernel", kernel]
        done = rspp(folder, *line, path=str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return command


def test_what_a_tool_found_is_heard(run: Run, folder: Path, kernel: str) -> None:
    """Asked aloud: the filler is said while the tool runs, and its result behind it, to the end."""
    drawn = ("--timeline", f"{kernel}.html")
    report = run("--wav", "question.wav", "--out", f"{kernel}.wav", "--log", f"{kernel}.log", "--level", "L2", *drawn)
    (turn,) = report["turns"]
    assert turn["outcome"] == "commit"
    assert turn["heard"].replace(".", ". ").strip() == "One moment please. In London it is mild."
    assert turn["words_heard"] == 8
    reply, rate_hz = soundfile.read(folder / f"{kernel}.wav", dtype="int16")
    loud = np.flatnonzero(np.abs(reply.astype(int)) > 300)
    assert (loud[-1] - loud[0]) / rate_hz > 2.0  # both sentences

    records = rspp(folder, "timeline", f"{kernel}.log", "--package", "out/order_desk", "--jsonl", path="").stdout
    calls = [call for line in records.splitlines() for call in _calls(json.loads(line)) if call["node_id"] == "weather"]
    assert calls[-1]["modality"] == "external"
    assert calls[-1]["outcome_class"] == "success"
    page = html.unescape((folder / f"{kernel}.html").read_text())
    assert 'weather({"city":"London"}): 1200 ms: {"arguments":{"city":"London"},"result":{"city":"London",' in page

    for other in ("compiled", "pure"):  # the user's module is not importable here, and need not be
        line = ["replay", f"{kernel}.log", "--package", "out/order_desk", "--kernel", other]
        again = rspp(folder, *line, path="")
        assert again.returncode == 0, again.stdout + again.stderr
        assert "identical" in again.stdout
        assert "bit for bit" in again.stdout


def test_money_is_paid_back_once(run: Run, folder: Path, kernel: str) -> None:
    """Asked twice in a call, and again in another process that goes on with the session and its journal."""
    paid, again = folder / "paid.txt", ("--text", "give me my money back for Paris")
    paid.unlink(missing_ok=True)
    log = ("--log", f"{kernel}-paid.log", "--session-id", f"call-{kernel}")
    for _ in range(2):
        report = run(*again, *again, *log)
        assert [turn["heard"] for turn in report["turns"]] == ["Your money is on its way."] * 2
    assert len(paid.read_text().splitlines()) == 1
