"""`rsppc fmt`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rspp_compiler.cli.app import app
from rspp_compiler.emit.project import project_files
from rspp_compiler.syntax import format as formatter

UGLY = "pipeline a{\n b->c # why\n}\n"
TIDY = "pipeline a {\n  b -> c  # why\n}\n"
WRONG = "pipeline a {\n  b -> -> c\n}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fmt(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["fmt", *arguments], input=stdin)


def put(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_writes_in_place_and_says_so() -> None:
    ugly, tidy = put("ugly.rspp", UGLY), put("tidy.rspp", TIDY)
    before = tidy.stat()
    done = fmt("ugly.rspp", "tidy.rspp")
    assert (done.exit_code, done.stdout) == (0, "formatted: ugly.rspp\n")
    assert ugly.read_text() == TIDY
    assert (tidy.stat().st_ino, tidy.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert fmt("ugly.rspp").stdout == ""


def test_what_a_file_may_stays_and_so_do_links() -> None:
    path = put("files/ugly.rspp", UGLY)
    path.chmod(0o640)
    Path("link.rspp").symlink_to("files/ugly.rspp")
    assert fmt("link.rspp").exit_code == 0
    assert Path("link.rspp").is_symlink()
    assert path.read_text() == TIDY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["ugly.rspp"]


def test_check_writes_nothing_and_ends_with_1() -> None:
    ugly = put("ugly.rspp", UGLY)
    put("tidy.rspp", TIDY)
    done = fmt("--check", "ugly.rspp", "tidy.rspp")
    assert (done.exit_code, done.stdout) == (1, "would change: ugly.rspp\n")
    assert ugly.read_text() == UGLY
    done = fmt("--check", "tidy.rspp")
    assert (done.exit_code, done.stdout) == (0, "")


def test_diff_shows_the_lines() -> None:
    ugly = put("ugly.rspp", UGLY)
    done = fmt("--diff", "ugly.rspp")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:2] == ["--- ugly.rspp", "+++ ugly.rspp"]
    assert "- b->c # why\n+pipeline a {\n+  b -> c  # why\n" in done.stdout
    assert ugly.read_text() == UGLY


def test_stdin_goes_to_stdout() -> None:
    done = fmt("--stdin", stdin=UGLY)
    assert (done.exit_code, done.stdout) == (0, TIDY)
    done = fmt("--stdin", "--check", stdin=UGLY)
    assert (done.exit_code, done.stdout) == (1, "would change: <stdin>\n")
    done = fmt("--stdin", stdin=WRONG)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "<stdin>:2:8" in done.stderr
    done = fmt("--stdin", stdin=b"pipeline a {\n  b -> \xff\n}\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "E0102" in done.stderr


def test_folders_are_searched() -> None:
    for name in ("b/two.rspp", "b/deep/one.rspp", "b/.hidden/no.rspp", "b/no.txt", "a.rspp"):
        put(name, UGLY)
    done = fmt("b", "a.rspp", "b/two.rspp")
    assert done.stdout.splitlines() == ["formatted: b/two.rspp", "formatted: b/deep/one.rspp", "formatted: a.rspp"]
    assert Path("b/.hidden/no.rspp").read_text() == UGLY


@pytest.mark.parametrize(
    "data", [UGLY.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + UGLY.encode(), b"\xef\xbb\xbf" + TIDY.encode()]
)
def test_carriage_returns_and_byte_order_marks_go(data: bytes) -> None:
    path = put("a.rspp", data)
    assert fmt("--check", "a.rspp").exit_code == 1
    assert fmt("--diff", "a.rspp").stdout
    assert fmt("a.rspp").exit_code == 0
    assert path.read_bytes() == TIDY.encode()


def test_a_file_with_mistakes_is_left_as_it_is_and_the_others_are_not() -> None:
    wrong, ugly = put("wrong.rspp", WRONG), put("ugly.rspp", UGLY)
    done = fmt("wrong.rspp", "ugly.rspp")
    assert (done.exit_code, done.stdout) == (1, "formatted: ugly.rspp\n")
    assert "error[E0110]" in done.stderr
    assert wrong.read_text() == WRONG
    assert ugly.read_text() == TIDY


def test_what_only_a_later_pass_refuses_is_formatted() -> None:
    path = put("a.rspp", "pipeline a{nobody->nowhere{x,x}}")
    assert fmt("a.rspp").exit_code == 0
    assert path.read_text() == "pipeline a {\n  nobody -> nowhere { x, x }\n}\n"


def test_json() -> None:
    put("ugly.rspp", UGLY)
    put("wrong.rspp", WRONG)
    done = fmt("--check", "--json", "ugly.rspp", "wrong.rspp")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["changed"] == ["ugly.rspp"]
    assert [found["code"] for found in document["findings"]] == ["E0110"]
    assert document["findings"][0]["primary"]["file"] == "wrong.rspp"


@pytest.mark.parametrize(
    "arguments", [(), ("--stdin", "a.rspp"), ("--check", "--diff", "a.rspp"), ("empty",), ("no.rspp",)]
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    put("a.rspp", TIDY)
    Path("empty").mkdir()
    assert fmt(*arguments).exit_code == 2


def test_a_disk_that_refuses_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("rspp_compiler.cli.fmt.write_whole", refuse)
    ugly = put("ugly.rspp", UGLY)
    done = fmt("ugly.rspp")
    assert done.exit_code == 2
    assert "ugly.rspp: No space left on device" in done.stderr
    assert ugly.read_text() == UGLY


@pytest.mark.parametrize("text", ["pipeline a {\n  b -> d  # why\n}\n", "pipeline a {\n  b -> c\n}\n", "pipeline {"])
def test_a_fault_of_the_formatter_costs_no_file(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that says something else, or has lost a comment, is never written."""
    ugly = put("ugly.rspp", UGLY)
    monkeypatch.setattr(formatter, "render", lambda _lines: text)
    done = fmt("ugly.rspp")
    assert isinstance(done.exception, formatter.MeaningChangedError)
    assert ugly.read_text() == UGLY


def test_a_new_project_is_in_canonical_form() -> None:
    put("front_desk.rspp", project_files("front_desk")["front_desk.rspp"])
    assert fmt("--check", "front_desk.rspp").exit_code == 0
