"""`rsppc diff`: two files, or one against a commit; exit code 1 when something breaks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import HELLO
from rspp_compiler.cli.app import app

RUN = CliRunner()


def two(folder: Path, old: str, new: str) -> list[str]:
    for name, text in (("old.rspp", old), ("new.rspp", new)):
        (folder / name).write_text(text, encoding="utf-8")
    return ["diff", str(folder / "old.rspp"), str(folder / "new.rspp")]


def test_what_breaks_comes_first_and_decides_the_exit_code(tmp_path: Path) -> None:
    old = HELLO.replace("pipeline hello", 'pipeline hello version "1.0.0"')
    done = RUN.invoke(app, two(tmp_path, old, old.replace("}", "  budget { llm = 750ms }\n}")))
    assert done.exit_code == 1
    assert done.stdout.startswith("SOURCE  VERSION_KEPT (breaks)\n")
    assert done.stdout.endswith("2 changes, 1 breaking; sessions cannot move between the two\n")
    raised = old.replace("}", "  budget { llm = 750ms }\n}").replace("1.0.0", "1.1.0")
    assert RUN.invoke(app, two(tmp_path, old, raised)).exit_code == 0


def test_the_same_pipeline(tmp_path: Path) -> None:
    done = RUN.invoke(app, two(tmp_path, HELLO, f"# a comment\n{HELLO}"))
    assert (done.exit_code, done.stdout) == (0, "the same pipeline\n")


def test_json(tmp_path: Path) -> None:
    done = RUN.invoke(app, [*two(tmp_path, HELLO, HELLO.replace("pipeline hello", "pipeline bye")), "--json"])
    rows = json.loads(done.stdout)
    assert rows[0]["rule"] == "NAME_CHANGED"
    assert rows[0]["before"]["line"] == rows[0]["after"]["line"] == 1


@pytest.mark.parametrize("arguments", [[], ["other.rspp", "--against", "HEAD"]])
def test_one_of_the_two_ways(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "hello.rspp"
    path.write_text(HELLO, encoding="utf-8")
    assert RUN.invoke(app, ["diff", str(path), *arguments]).exit_code == 2


def test_a_file_that_does_not_compile_is_reported(tmp_path: Path) -> None:
    done = RUN.invoke(app, two(tmp_path, HELLO, HELLO.replace("-> stt", "-> sst")))
    assert done.exit_code == 1
    assert "E0203" in done.output


def test_against_a_commit(tmp_path: Path) -> None:
    """The file as it was, with what it imported then."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path)]
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ears.rspp").write_text("module hear (a : audio) -> (b : audio) { a -> vad -> b }\n")
    path = tmp_path / "talk.rspp"
    text = HELLO.replace("-> vad ->", "-> ears ->").replace("  profile", "  node ears : hear\n  profile")
    path.write_text(f'import hear from "lib/ears.rspp"\n{text}', encoding="utf-8")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    assert RUN.invoke(app, ["diff", str(path), "--against", "HEAD"]).stdout == "the same pipeline\n"
    (tmp_path / "lib" / "ears.rspp").write_text(
        "module hear (a : audio) -> (b : audio) { node vad { min_silence = 400ms }, a -> vad -> b }\n"
    )
    done = RUN.invoke(app, ["diff", str(path), "--against", "HEAD"])
    assert "NODE_SETTING_CHANGED" in done.stdout
    assert RUN.invoke(app, ["diff", str(path), "--against", "no-such-ref"]).exit_code == 2
