"""A pipeline whose detector is `webrtcvad`, built and run by the commands: it answers, and it can be interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PIPELINES = Path(__file__).parents[2] / "pipelines"


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """voice_assistant with the other detector."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "dialogues").symlink_to(PIPELINES / "dialogues")
    text = (PIPELINES / "voice_assistant.rspp").read_text("utf-8")
    for was, is_now in (("pipeline voice_assistant", "pipeline light_assistant"), ("use silero", "use webrtcvad")):
        assert was in text
        text = text.replace(was, is_now)
    source = folder / "light_assistant.rspp"
    source.write_text(text, "utf-8")
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(source), "-o", str(folder), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "light_assistant"


def test_its_package_asks_for_the_extra(light: Path) -> None:
    assert 'dependencies = ["rspp-runtime[espeak,files,pocketsphinx,webrtcvad]>=' in (
        light / "pyproject.toml"
    ).read_text("utf-8")


@pytest.mark.parametrize(("name", "outcomes"), [("question", ["commit"]), ("interruption", ["abort", "commit"])])
def test_it_holds_the_same_conversations(
    light: Path,
    rspp: Callable[..., subprocess.CompletedProcess[str]],
    samples: Path,
    name: str,
    outcomes: list[str],
) -> None:
    done = rspp("run", light, "--wav", samples / f"{name}.wav", "--fast", "--json", "--echo", "-20")
    assert done.returncode == 0, done.stderr
    assert [turn["outcome"] for turn in json.loads(done.stdout)["turns"]] == outcomes
