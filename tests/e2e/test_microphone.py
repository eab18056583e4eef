"""`rspp run --mic`: the command, the real engines, and a sound card played by threads where PortAudio would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CARD = Path(__file__).with_name("sound_card")


class Call:
    """`rspp run PACKAGE --mic …`, in a process of its own, with a card in place of PortAudio."""

    def __init__(self, folder: Path, package: Path, card: dict[str, Any], *arguments: str) -> None:
        self.speaker = folder / "speaker.wav"
        self.out = folder / "reply.wav"
        card = {"speaker": str(self.speaker), **card}
        environment = os.environ | {
            "PYTHONPATH": str(CARD),
            "RSPP_TEST_CARD": json.dumps(card),
            "NO_COLOR": "1",
            "COLUMNS": "120",
        }
        command = [sys.executable, "-u", "-m", "rspp_runtime.cli", "run", str(package), "--mic"]
        self.process = subprocess.Popen(
            [*command, "--out", str(self.out), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def hang_up_after(self, line: str, *, seconds_max: float = 40.0) -> str:
        """Ctrl-C, a moment after a line with that was printed. Returns all that was printed."""
        assert self.process.stdout is not None
        printed, limit_s = "", time.monotonic() + seconds_max
        for one in self.process.stdout:
            printed += one
            if line in one:
                break
            assert time.monotonic() < limit_s, printed
        self.process.send_signal(signal.SIGINT)
        return printed + self.rest()

    def rest(self) -> str:
        out, err = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, out + err
        return str(out)


@pytest.fixture
def calls(tmp_path: Path, package: Path) -> Iterator[Any]:
    open_calls: list[Call] = []

    def call(card: dict[str, Any], *arguments: str) -> Call:
        open_calls.append(Call(tmp_path, package, card, *arguments))
        return open_calls[-1]

    yield call
    for one in open_calls:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def pcm(path: Path) -> tuple[Any, int]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float), file.getframerate()


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_who_asks_is_answered_aloud_and_ctrl_c_hangs_up(calls: Any, samples: Path, rate_hz: int) -> None:
    """A card of 48 kHz works as well, and the answer's echo in the microphone is not taken for the caller."""
    call = calls({"mic": str(samples / "question.wav"), "echo": 0.1, "rates": [rate_hz]})
    printed = call.hang_up_after("committed")
    assert "“what is the weather like in london”" in printed
    assert printed.count("▶") == 1
    assert "talks over" not in printed
    played, rate = pcm(call.speaker)
    assert rate == rate_hz
    loud = np.flatnonzero(np.abs(played) > 500)
    recorded, _ = pcm(call.out)
    recorded_loud = np.flatnonzero(np.abs(recorded) > 500)
    seconds = (loud[-1] - loud[0]) / rate
    assert seconds == pytest.approx((recorded_loud[-1] - recorded_loud[0]) / 16_000, abs=0.15)


def test_who_interrupts_silences_the_loudspeaker(calls: Any, samples: Path) -> None:
    call = calls({"mic": str(samples / "interruption.wav"), "echo": 0.1})
    printed = call.hang_up_after("committed")
    assert "talks over the answer" in printed
    assert "■ cut off" in printed
    assert "“stop please what time do you open”" in printed
    played, rate = pcm(call.speaker)
    recorded, _ = pcm(call.out)
    # What the loudspeaker has played is what the session says was heard; blocks on their way aside.
    assert np.count_nonzero(np.abs(played) > 500) / rate == pytest.approx(
        np.count_nonzero(np.abs(recorded) > 500) / 16_000, abs=0.15
    )


def test_a_microphone_that_goes_ends_the_call_in_order(calls: Any, samples: Path) -> None:
    call = calls({"mic": str(samples / "question.wav"), "dies_after_s": 1.0})
    assert "the microphone 'Test Microphone' has gone: hung up" in call.rest()


def rspp(card: dict[str, Any] | None, *arguments: str | Path) -> tuple[int, str]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    if card is not None:
        environment |= {"PYTHONPATH": str(CARD), "RSPP_TEST_CARD": json.dumps(card)}
    command = [sys.executable, "-m", "rspp_runtime.cli", "run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_devices_are_listed_and_chosen_by_index_or_name(package: Path) -> None:
    code, printed = rspp({}, package, "--list-devices")
    assert code == 0
    assert printed == (
        "<    0  Test Microphone  (2 in, 0 out, 16000 Hz)\n >   1  Test Loudspeaker  (0 in, 2 out, 16000 Hz)\n"
    )


@pytest.mark.parametrize(
    ("card", "arguments", "code", "said"),
    [
        ({"devices": False}, ["--mic"], 1, "there is no microphone on this machine (Error querying device -1)"),
        ({"devices": False}, ["--list-devices"], 1, "there is no sound device on this machine"),
        ({}, ["--mic", "--device", "Nagra"], 1, "no microphone is 'Nagra' (No input device matching 'Nagra')"),
        ({}, ["--mic", "--device", "0,7"], 1, "no loudspeaker is '7'"),
        ({"rates": [11_025]}, ["--mic"], 1, "the microphone 'Test Microphone' cannot be opened (Invalid sample rate"),
        ({}, ["--mic", "--fast"], 2, "--mic takes as long as it takes: leave --fast out"),
        ({}, ["--mic", "--text", "hello"], 2, "--wav, --text and --mic are ways to say it; take one"),
        ({}, ["--device", "1", "--text", "hello"], 2, "--device is of --mic"),
    ],
)
def test_what_does_not_work_is_one_line(
    package: Path, card: dict[str, Any], arguments: list[str], code: int, said: str
) -> None:
    left, printed = rspp(card, package, *arguments)
    assert said in printed
    assert left == code
    assert len(printed.splitlines()) == 1


def test_without_portaudio_or_the_extra_it_is_one_line(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine where the library is missing, and as where only the wheel is there."""
    for raised, said in (
        ("ModuleNotFoundError(\"No module named 'sounddevice'\")", "pip install 'rspp-runtime[mic]'"),
        ("OSError('PortAudio library not found')", "apt-get install libportaudio2"),
    ):
        (tmp_path / "sounddevice.py").write_text(f"raise {raised}\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        left, printed = rspp(None, package, "--mic")
        assert (left, len(printed.splitlines())) == (1, 1)
        assert said in printed
