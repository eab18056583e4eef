"""The command line: what it refuses, how it says so, and what it loads to say it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rspp_runtime.cli.app import run_app
from rspp_runtime.cli.failure import Failure
from rspp_runtime.cli.replay import package_of
from rspp_runtime.evidence.entries import Header, Log
from rspp_runtime.session.package import PackageError, load


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        run_app(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def test_help_needs_nothing_heavy() -> None:
    """Help and usage errors come at once: engines, tables and logs are imported by the command that needs them."""
    code = (
        "import sys; from rspp_runtime.cli.app import run_app\n"
        "try: run_app(['--help'])\n"
        "except SystemExit as leave: assert leave.code == 0\n"
        "heavy = {'numpy', 'rich', 'msgpack', 'asyncio', 'soundfile', 'pydantic', 'rspp_runtime.contracts'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("run", "replay", "recover", "timeline", "simulate", "bench", "contracts", "serve", "token"):
        assert command in done.stdout


def test_only_what_works_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run(capsys, "--help")
    for later in ("gates", "control"):
        assert later not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "x"), "--wav FILE, --text TEXT, or --mic"),
        (("run", "x", "--wav", "a.wav", "--text", "b"), "take one"),
        (("run", "x", "--text", "b", "--echo", "-20"), "--echo needs a microphone"),
        (("run",), "Missing argument"),
        (("run", "x", "--bogus"), "No such option"),
        (("sing",), "No such command"),
        (("run", "x", "--text", "b", "--level", "L9"), "L9"),
        (("replay", "gone.log"), "gone.log: there is no such file"),
        (("timeline", "gone.log"), "say what you want"),
        (("run", "x", "--wav", "gone.wav"), "gone.wav: there is no such file"),
    ],
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    code, _, err = _run(capsys, *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("no_such_package", "there is no package 'no_such_package'"),
        ("./no/such/folder", "there is no such folder"),
        (".", "is not a folder that rsppc generated"),
        ("json", "json is not a package that rsppc generated"),
    ],
)
def test_what_is_no_package(
    capsys: pytest.CaptureFixture[str], package: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = _run(capsys, "run", package, "--text", "hello")
    assert code == 1
    assert said in err
    assert err.count("\n") == 1


def test_a_broken_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.log"
    path.write_bytes(b"not a log")
    code, _, err = _run(capsys, "replay", str(path))
    assert code == 1
    assert "is not a log" in err


def test_our_own_mistakes_are_apologised_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(path: Path) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("rspp_runtime.cli.replay.read_log", fail)
    monkeypatch.delenv("RSPP_TRACE", raising=False)
    code, _, err = _run(capsys, "replay", "x.log")
    assert code == 70
    assert "sorry" in err
    assert "Traceback" not in err
    monkeypatch.setenv("RSPP_TRACE", "1")
    with pytest.raises(RuntimeError, match="boom"):
        run_app(["replay", "x.log"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "--version")
    assert code == 0
    assert out.startswith("rspp ")


def test_a_log_names_no_path_that_would_be_run() -> None:
    header = Header("../evil", "p", "1", "simple", "t", "a", "s", 1, 0, "L0", "pure", 0)
    with pytest.raises(Failure, match="which is no name"):
        package_of(Log(header), None)


def test_one_process_has_one_package_of_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the same name that was imported before is not taken for the one that was named."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "twice_there", ModuleType("twice_there"))
    (tmp_path / "src" / "twice_there").mkdir(parents=True)
    (tmp_path / "src" / "twice_there" / "__init__.py").write_text("PLAN = None\n")
    with pytest.raises(PackageError, match="another twice_there was imported before"):
        load(str(tmp_path))
