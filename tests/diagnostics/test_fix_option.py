"""`--fix` and `--error-format`: what the commands do with findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rspp_compiler.cli.app import app

HELLO = "pipeline hello {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}\n"


def rsppc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fix_mends_says_what_it_did_and_checks_again(folder: Path) -> None:
    file = folder / "a.rspp"
    file.write_text(HELLO.replace("-> llm", "=> llm").replace("}", "};"), encoding="utf-8")
    done = rsppc("check", "a.rspp", "--fix")
    assert file.read_text(encoding="utf-8") == HELLO
    assert done.exit_code == 0
    first, *changes = done.stdout.splitlines()
    assert first == "fixed a.rspp"
    assert [change[:4] for change in changes[:4]] == ["2 - ", "2 + ", "3 - ", "3 + "]
    assert changes[4].startswith("hello: 6 nodes")


def test_fix_goes_on_until_nothing_is_left(folder: Path) -> None:
    """Several mistakes of one line are found one after the other."""
    file = folder / "a.rspp"
    file.write_text(HELLO.replace("->", "=>"), encoding="utf-8")
    assert rsppc("check", "a.rspp", "--fix").exit_code == 0
    assert file.read_text(encoding="utf-8") == HELLO


def test_fix_takes_nothing_away_unless_it_is_told_to(folder: Path) -> None:
    file = folder / "a.rspp"
    text = HELLO.replace("hello {", "hello {\n  mode quiet { off = [tts] }").replace("{\n", 'version "1.0.0" {\n', 1)
    file.write_text(text, encoding="utf-8")
    done = rsppc("lint", "a.rspp", "--fix")
    assert "  mode quiet { off = [tts] }\n" in file.read_text(encoding="utf-8")
    assert "left 1 fix that takes away what you wrote, or guesses: `--fix-all` does that too\n" in done.stdout
    assert "W0201" in done.stdout
    done = rsppc("lint", "a.rspp", "--fix-all")
    assert done.exit_code == 0
    assert "quiet" not in file.read_text(encoding="utf-8")


def test_fix_leaves_what_has_no_fix(folder: Path) -> None:
    (folder / "a.rspp").write_text('{"pipeline": "hello"}', encoding="utf-8")
    done = rsppc("check", "a.rspp", "--fix")
    assert done.exit_code == 1
    assert done.stdout.startswith("error[E0105]")
    assert (folder / "a.rspp").read_text(encoding="utf-8") == '{"pipeline": "hello"}'


def test_fix_keeps_bytes_modes_and_links(folder: Path) -> None:
    file, link = folder / "a.rspp", folder / "link.rspp"
    file.write_bytes(b"\xef\xbb\xbf" + HELLO.replace("-> llm", "=> llm").replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link.symlink_to(file)
    assert rsppc("check", "link.rspp", "--fix").exit_code == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + HELLO.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == ["a.rspp", "link.rspp"]


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    """Its name leaves no room for the copy beside it."""
    file = folder / f"{'a' * 245}.rspp"
    text = HELLO.replace("-> llm", "=> llm")
    file.write_text(text, encoding="utf-8")
    done = rsppc("check", file.name, "--fix")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"rsppc: cannot change {file.name}: ")
    assert file.read_text(encoding="utf-8") == text


def test_fix_with_a_format_for_machines_prints_only_that(folder: Path) -> None:
    (folder / "a.rspp").write_text(HELLO.replace("-> llm", "=> llm"), encoding="utf-8")
    done = rsppc("check", "a.rspp", "--fix", "--error-format", "json")
    assert json.loads(done.stdout) == []
    assert done.stderr.startswith("fixed a.rspp\n")


def test_what_is_no_file_is_left_alone(folder: Path) -> None:
    """The mistake is in the command line."""
    (folder / "a.rspp").write_text(HELLO, encoding="utf-8")
    done = rsppc("check", "a.rspp", "--fix", "--set", "llm.temprature=0.2")
    assert done.exit_code == 1
    assert "did you mean" in done.stdout
    assert (folder / "a.rspp").read_text(encoding="utf-8") == HELLO


def test_files_are_named_as_from_here(folder: Path) -> None:
    (folder / "a.rspp").write_text(HELLO.replace("vad", "mystery"), encoding="utf-8")
    (found,) = json.loads(rsppc("check", str(folder / "a.rspp"), "--json").stdout)
    assert found["primary"]["file"] == "a.rspp"


@pytest.mark.parametrize("format", ["json", "sarif", "github"])
def test_one_document_for_all_files(folder: Path, format: str) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.rspp").write_text(HELLO.replace("vad", "mystery"), encoding="utf-8")
    for command in (["check"], ["build"]):
        done = rsppc(*command, "a.rspp", "b.rspp", "--error-format", format)
        assert done.exit_code == 1
        assert done.stderr == ""
        if format == "github":
            assert done.stdout.count("::error file=") == 2
        else:
            assert done.stdout.count('"a.rspp"') == done.stdout.count('"b.rspp"')
            json.loads(done.stdout)


def test_json_is_a_synonym_and_contradictions_are_refused(folder: Path) -> None:
    (folder / "a.rspp").write_text(HELLO.replace("vad", "mystery"), encoding="utf-8")
    assert rsppc("check", "a.rspp", "--json").stdout == rsppc("check", "a.rspp", "--error-format", "json").stdout
    done = rsppc("check", "a.rspp", "--json", "--error-format", "sarif")
    assert done.exit_code == 2
    assert "give one of them" in done.stderr
