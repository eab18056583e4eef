"""The commands on a real session: what is printed, written, refused; replay on both kernels."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

Rspp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", params=["L0", "L2"])
def log(rspp: Rspp, package: Path, samples: Path, kernel: str, request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory) -> Path:  # fmt: skip
    """The log of an interrupted conversation, at each level, written on each kernel."""
    path = tmp_path_factory.mktemp("logs") / f"{kernel}-{request.param}.log"
    done = rspp(
        "run", package, "--wav", samples / "interruption.wav", "--fast", "--log", path, "--level", request.param,
        "--kernel", kernel,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.feature("NF-009", "order")
@pytest.mark.feature("F-153", "l0")
@pytest.mark.parametrize("on", ["compiled", "pure"])
def test_the_log_replays_on_both_kernels(rspp: Rspp, package: Path, log: Path, on: str) -> None:
    done = rspp("replay", log, "--package", package, "--kernel", on)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout
    assert f"proved: {log.stem.split('-')[1]}" in done.stdout


def test_a_decision_changed_by_hand_is_reported(rspp: Rspp, package: Path, log: Path, tmp_path: Path) -> None:
    lines = rspp("timeline", log, "--jsonl").stdout.splitlines()
    assert json.loads(lines[0])["record"] == "header"
    at = next(i for i, line in enumerate(lines) if json.loads(line).get("code") == "ABORT")
    unchanged = tmp_path / "same.jsonl"
    unchanged.write_text("\n".join(lines) + "\n")
    assert rspp("replay", unchanged, "--package", package, "--kernel", "pure").returncode == 0
    lines[at] = lines[at].replace('"ABORT"', '"COMMIT"')
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines) + "\n")
    done = rspp("replay", changed, "--package", package, "--kernel", "pure", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["differences"][0]["class"] == "OUTCOME_DIVERGENCE"
    assert report["differences"][0]["record"] == at + 1
    told = rspp("replay", changed, "--package", package, "--kernel", "pure")
    assert told.returncode == 1
    assert f"record {at + 1}," in told.stdout


def test_the_log_is_drawn(rspp: Rspp, package: Path, log: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "timeline.html"
    done = rspp("timeline", log, "-o", page, "--package", package)
    assert done.returncode == 0
    assert done.stdout.strip() == str(page)
    assert "interrupted" in page.read_text()


@pytest.mark.feature("F-067", "json")
def test_its_signals_are_printed(rspp: Rspp, package: Path, log: Path) -> None:
    records = [
        json.loads(line) for line in rspp("timeline", log, "--signals", "--package", package).stdout.splitlines()
    ]
    assert [r["signal"] for r in records if r.get("signal") in ("abort", "commit")] == ["abort", "commit"]


@pytest.mark.feature("F-125", "outputs")
def test_the_conversation_is_printed_as_it_happens(rspp: Rspp, package: Path, samples: Path, tmp_path: Path) -> None:
    reply, page = tmp_path / "reply.wav", tmp_path / "timeline.html"
    done = rspp("run", package, "--wav", samples / "interruption.wav", "--fast", "--out", reply, "--timeline", page)
    out = done.stdout
    assert done.returncode == 0, done.stderr
    order = ["hears", "heard", "▶", "talks over the answer", "cut off", "turn 1\n", "turn 2\n"]
    places = [re.sub(" +\n", "\n", out).index(word) for word in order]
    assert places == sorted(places)
    for what in (
        "end to end",
        "budget used",
        "cancel to silence",
        "words heard",
        "fullest edges",
        "plan hash",
        "memory",
    ):
        assert what in out
    assert str(reply) in out.replace("\n", "")
    assert str(page) in out.replace("\n", "")
    assert page.read_text().startswith("<!doctype html>")


def test_its_picture_alone(rspp: Rspp, package: Path, samples: Path, tmp_path: Path) -> None:
    picture = tmp_path / "call.svg"
    done = rspp("run", package, "--wav", samples / "question.wav", "--fast", "--timeline", picture)
    assert done.returncode == 0, done.stderr
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("gone.wav", None, 2, "there is no such file"),
        ("empty.wav", b"", 1, "is empty"),
        ("letter.wav", b"Dear Sir or Madam,\n" * 50, 1, "is not an audio file"),
        ("cut.wav", "half", 1, "is truncated"),
    ],
)
def test_a_bad_file_gives_one_clear_line(
    rspp: Rspp,
    package: Path,
    samples: Path,
    tmp_path: Path,
    name: str,
    content: bytes | str | None,
    code: int,
    said: str,
) -> None:
    path = tmp_path / name
    if content == "half":
        data = (samples / "question.wav").read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    done = rspp("run", package, "--wav", path, "--fast")
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert name in done.stderr
    assert said in done.stderr


def test_a_log_that_cannot_be_written(rspp: Rspp, package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = rspp("run", package, "--text", "hello", "--fast", "--log", tmp_path / "file" / "session.log")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_as_a_module(package: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(package / "src")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "voice_assistant", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)

    plan = json.loads(run("plan").stdout)
    assert len(plan["template_hash"]) == 64
    assert plan["provider_bindings"]
    done = run("run", "--text", "what is the weather like in london", "--fast", "--kernel", "pure")
    assert done.returncode == 0, done.stderr
    assert "London" in done.stdout
    assert run("sing").returncode == 2


@pytest.mark.parametrize("option", ["--out", "--timeline", "--log"])
def test_what_cannot_be_written_is_told_before_the_call(rspp: Rspp, package: Path, tmp_path: Path, option: str) -> None:
    done = rspp("run", package, "--text", "hello", "--fast", option, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"rspp: {tmp_path} cannot be written: Is a directory\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what the user says"),
        (["--text", "hello", "--wav", "x.wav"], "take one"),
        (["--text", " "], "--text is empty"),
        (["--text", "h\udcffllo"], "--text is not UTF-8"),
        (["--text", "hello " * 1000], "--text has 6,000 bytes"),
        (["--wav", os.devnull], "is a pipe or a device"),
    ],
)
def test_wrong_usage(rspp: Rspp, package: Path, arguments: list[str], said: str) -> None:
    done = rspp("run", package, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--out", "--timeline", "--log"])
def test_a_recording_is_never_written_over(
    rspp: Rspp, package: Path, samples: Path, tmp_path: Path, option: str
) -> None:
    said = tmp_path / "said.wav"
    shutil.copy(samples / "question.wav", said)
    done = rspp("run", package, "--wav", said, "--fast", option, tmp_path / "." / "said.wav")
    assert done.returncode == 2
    assert f"--wav and {option} name the same file" in done.stderr
    assert said.read_bytes() == (samples / "question.wav").read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_call_leaves_its_log_and_its_recording(
    rspp: Rspp, package: Path, samples: Path, tmp_path: Path, number: int, code: int
) -> None:
    log, out = tmp_path / "s.log", tmp_path / "r.wav"
    command = [sys.executable, "-m", "rspp_runtime.cli", "run", package, "--wav", samples / "question.wav"]
    with subprocess.Popen(
        [*command, "--log", log, "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "user" in process.stdout.readline()  # the call is under way
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert told == f"rspp: interrupted; what was until then is in {log} and {out}\n"
    assert soundfile.info(str(out)).samplerate == 16_000
    again = rspp("replay", log, "--package", package)
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize("seconds", [2.2, 3.7, 5.0])
def test_a_killed_call_is_replayed_and_recovered(
    rspp: Rspp, package: Path, samples: Path, tmp_path: Path, seconds: float
) -> None:
    """`kill -9` in a call with real audio, at L2: the whole records replay bit for bit on both kernels."""
    log = tmp_path / "s.log"
    command = [sys.executable, "-m", "rspp_runtime.cli", "run", package, "--wav", samples / "interruption.wav"]
    with subprocess.Popen(
        [*command, "--log", log, "--level", "L2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "user" in process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        process.communicate(timeout=30)
    for kernel in ("compiled", "pure"):
        done = rspp("replay", log, "--package", package, "--kernel", kernel)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "everything before it was replayed" in done.stdout
        assert "proved: L2: every decision, and every output bit for bit" in done.stdout
    done = rspp("recover", log, "--package", package)
    assert done.returncode == 0, done.stderr
    assert "the session is ended at epoch 2" in done.stdout
    for mode in ("recompute_decisions", "playback_recorded_provider_outputs", "replay_decisions"):
        done = rspp("replay", log, "--package", package, "--mode", mode)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "note:" not in done.stdout
    assert "nothing to recover" in rspp("recover", log, "--package", package).stdout


@pytest.mark.feature("F-151", "resimulate", "playback", "tagged")
def test_replay_modes(rspp: Rspp, package: Path, log: Path) -> None:
    """Each mode on a log that serves it, and its refusal by one that does not."""
    for mode in ("playback_recorded_provider_outputs", "re_simulate_nodes"):
        done = rspp("replay", log, "--package", package, "--mode", mode, "--json")
        if "L0" in log.name:
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1
            assert f"and {mode} needs every payload" in done.stderr
            continue
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert (told["mode"], told["identical"]) == (mode, True)
        if mode == "re_simulate_nodes":
            assert [turn["now"]["outcome"] for turn in told["turns"]] == ["abort", "commit"]
            assert all(turn["now"]["said"] for turn in told["turns"])


def test_a_replay_by_hand(rspp: Rspp, package: Path, log: Path, tmp_path: Path) -> None:
    cursor = tmp_path / "c.json"
    done = rspp("replay", log, "--package", package, "--to", "1000", "--save", cursor)
    assert done.returncode == 0, done.stderr
    assert "stopped before record 100" in done.stdout
    done = rspp("replay", log, "--package", package, "--resume", cursor, "--to", "1040", "--step", "--kernel", "pure")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +10\d\d +\d\.\d{3} s  step: \d+ decisions", done.stdout, re.MULTILINE)
    for arguments, said in (
        (("--from", "1e"), "--from '1e' is no place"),
        (("--from", "2", "--resume", cursor), "take one"),
        (("--mode", "replay_decisions", "--step"), "takes the log as a whole"),
        (("--resume", tmp_path / "none"), "there is no such file"),
        (("--from", "9999999"), "the log ends before it"),
    ):
        done = rspp("replay", log, "--package", package, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert said in done.stderr


def test_a_package_with_a_broken_file_is_named(rspp: Rspp, package: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(package, tmp_path / "broken")
    (broken / "src" / "voice_assistant" / "plan.py").write_text("((((\n")
    done = rspp("run", broken, "--text", "hello")
    assert done.returncode == 1
    assert "voice_assistant cannot be imported" in done.stderr
    assert "build it again" in done.stderr
    (broken / "src" / "voice_assistant" / "plan.py").unlink()
    done = rspp("run", broken, "--text", "hello")
    assert done.returncode == 1
    assert "No module named 'voice_assistant.plan'; build it again" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(rspp: Rspp, package: Path) -> None:
    done = rspp("run", package, "--text", "hello", "--fast", "--out", "/dev/full")
    assert done.returncode == 1
    assert done.stderr == "rspp: /dev/full cannot be written: No space left on device\n"
