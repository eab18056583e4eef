"""rsppc: its exit codes, its streams, and that no user ever meets a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import in_process

ROOT = Path(__file__).parents[2]
HELLO = str(ROOT / "pipelines" / "hello.rspp")
ASSISTANT = str(ROOT / "pipelines" / "voice_assistant.rspp")
TEN = str(ROOT / "tests" / "corpus" / "bad" / "ten_mistakes.rspp")


def rsppc(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """In this process; `process` is for what only a process of its own can show."""
    return in_process.rsppc(*arguments, cwd=cwd, **environment)


def process(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rspp_compiler.cli", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_says_one_line_about_a_clean_pipeline() -> None:
    done = process("check", HELLO, ASSISTANT)
    assert (done.returncode, done.stderr) == (0, "")
    hello, assistant = (line for line in done.stdout.splitlines() if not line.startswith(" "))
    assert hello.startswith("hello: 6 nodes, 5 edges; first output after 1750 ms at worst, of 1800 ms; ")
    assert assistant.startswith("voice_assistant: 8 nodes, ")
    assert assistant.endswith(" kB a session")


def test_check_prints_ten_diagnostics() -> None:
    done = rsppc("check", TEN)
    assert done.returncode == 1
    assert done.stdout.count("error[E") == 10
    assert done.stdout.endswith("10 errors\n")
    assert "\x1b" not in done.stdout


def test_json() -> None:
    done = process("check", "--json", TEN, HELLO)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert len(found) == 10
    assert {"code", "primary", "help", "fix"} <= set(found[0])
    assert json.loads(rsppc("check", "--json", HELLO).stdout) == []


def test_colour() -> None:
    assert "\x1b[1;31m" in rsppc("check", TEN, FORCE_COLOR="1", NO_COLOR="").stdout
    assert "\x1b" not in rsppc("check", TEN, FORCE_COLOR="1", NO_COLOR="1").stdout


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 1),
        (b"\xff\xfe\x00garbage", 1),
        (bytes(range(256)) * 4000, 1),
        (b"pipeline a {\x00}", 1),
        (b"\xef\xbb\xbfpipeline a {\r\n ingress.audio -> vda\r\n}", 1),
        ("pipeline 👋 {".encode(), 1),
        (b"pipeline a " + b"[" * 5000, 1),
    ],
)
def test_any_bytes_are_answered_without_a_traceback(tmp_path: Path, data: bytes, code: int) -> None:
    (tmp_path / "a.rspp").write_bytes(data)
    done = rsppc("check", "a.rspp", cwd=tmp_path)
    assert done.returncode == code
    assert "error[E" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no.rspp"],
        ["check", "."],
        ["check"],
        ["nonsense"],
        ["build", "--emit", "x", "a"],
        ["explain", "E9999"],
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, arguments: list[str]) -> None:
    done = rsppc(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("stage", ["ast", "spec", "graph", "analysis", "layout", "plan"])
def test_emit_prints_any_stage_and_nothing_else(stage: str, tmp_path: Path) -> None:
    done = rsppc("build", ASSISTANT, "--emit", stage, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)
    assert str(ROOT) not in done.stdout
    assert list(tmp_path.iterdir()) == []
    again = process("build", ASSISTANT, "--emit", stage, cwd=tmp_path, PYTHONHASHSEED="7")
    assert again.stdout == done.stdout


def test_explain() -> None:
    done = rsppc("explain", "e0303")
    assert done.returncode == 0
    assert done.stdout.startswith("# E0303: unit missing")
    assert "did you mean E0303" in rsppc("explain", "E303").stderr


def test_graph() -> None:
    done = rsppc("graph", HELLO)
    assert done.returncode == 0
    assert done.stdout.startswith("flowchart")
    assert "llm" in done.stdout


def test_version_and_help() -> None:
    assert process("--version").stdout.startswith("rsppc 0.")
    assert "Compiles a voice agent's pipeline" in rsppc("--help").stdout


def test_help_imports_nothing_heavy() -> None:
    """What makes `rsppc --help` quick; how quick it is, `benchmarks/compiler.py` shows."""
    heavy = "import sys; from rspp_compiler.cli.app import app; "
    heavy += "print([m for m in ('lark', 'pydantic', 'rich', 'networkx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_new_project_checks_and_cannot_be_overwritten(tmp_path: Path) -> None:
    done = rsppc("new", "front_desk", cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "front_desk").iterdir()) == [
        "README.md",
        "dialogue.toml",
        "front_desk.rspp",
    ]
    assert rsppc("check", "front_desk/front_desk.rspp", cwd=tmp_path).returncode == 0
    again = rsppc("new", "front_desk", cwd=tmp_path)
    assert again.returncode == 2
    assert "already there" in again.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Front-Desk", "front_desk"),
        ("class", "class_agent"),
        ("json", "json_agent"),
        ("turn", "turn_agent"),
        ("../x", "x"),
    ],
)
def test_new_project_needs_a_name(tmp_path: Path, name: str, hint: str) -> None:
    done = rsppc("new", name, cwd=tmp_path)
    assert done.returncode == 2
    assert hint in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_fault_of_the_compiler_is_70_and_an_apology() -> None:
    """Any pass that raises will do: here, all of them."""
    broken = "import rspp_compiler.driver as d; d.pass_function = lambda *_: 1 / 0; import sys; "
    broken += f"sys.argv = ['rsppc', 'check', {HELLO!r}]; from rspp_compiler.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "we are sorry" in done.stderr
    assert "Traceback" not in done.stderr
    traced = subprocess.run(
        [sys.executable, "-c", broken],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RSPP_TRACE": "1"},
    )
    assert "Traceback" in traced.stderr


def test_reader_that_leaves() -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m rspp_compiler.cli build {ASSISTANT} --emit spec | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["graph", "doc"])
def test_what_cannot_be_written_is_wrong_usage(tmp_path: Path, command: str) -> None:
    done = rsppc(command, HELLO, "-o", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"rsppc {command}: cannot write {tmp_path}: is a directory\n"


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("helo.rspp", "did you mean hello.rspp?"),
        ("hello", "did you mean hello.rspp?"),
        ("folder", "name a file in it, such as folder/inner.rspp"),
        ("other.rspp", "name a file that ends in .rspp"),
        (f"{'x' * 300}.rspp", "name a file that ends in .rspp"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_likely_other(tmp_path: Path, name: str, help: str) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("hello.rspp", "folder/inner.rspp"):
        (tmp_path / file).write_text("", encoding="utf-8")
    done = rsppc("check", name, cwd=tmp_path)
    assert done.returncode == 2
    assert f"= help: {help}\n" in done.stdout


def test_drift_is_told_to_machines_as_well(tmp_path: Path) -> None:
    done = rsppc("build", HELLO, "--check", "--json", "-o", "out", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (1, [])
    assert "differs: out/hello/setup.py\n" in done.stderr


def test_diff_with_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    assert rsppc("diff", HELLO, "missing.rspp", cwd=tmp_path).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
@pytest.mark.parametrize("arguments", [("check", HELLO), ("graph", HELLO), ("fmt", "--to", "json", HELLO)])
def test_a_full_disk_is_no_fault_of_the_compiler(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "rspp_compiler.cli", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "rsppc: cannot write the output: no space left on device\n")
