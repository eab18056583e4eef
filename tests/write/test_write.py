"""write: only what changed, in one step, nothing stale left and nothing of a person lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import HELLO, codes, compile_file, value
from rspp_compiler.driver import Result
from rspp_compiler.ir.files import Written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "hello.rspp"
    path.write_text(HELLO, encoding="utf-8")
    return path


def build(source: Path, **options: object) -> Result:
    return compile_file(source, until="write", output=source.parent / "generated", **options)


def written(result: Result) -> Written:
    made: Written = value(result, "write")
    assert made is not None, codes(result)
    return made


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_first_build_writes_everything(source: Path) -> None:
    made = written(build(source))
    assert made.folder == source.parent / "generated" / "hello"
    assert files_below(made.folder) == made.files.contents
    assert made.changed == tuple(made.files.contents)


def test_second_build_touches_nothing(source: Path) -> None:
    folder = written(build(source)).folder
    for path in folder.rglob("*"):
        os.utime(path, ns=(1, 1))
    made = written(build(source))
    assert not made.drifted
    assert {path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == {1}


def test_only_what_changed_is_written(source: Path) -> None:
    written(build(source))
    source.write_text(HELLO.replace("vad -> stt", "vad -> stt { buffer = [48 items, 200ms] }"), encoding="utf-8")
    made = written(build(source))
    assert "src/hello/plan.py" in made.changed
    assert "src/hello/__main__.py" not in made.changed


def test_what_is_stale_is_removed_with_its_folder(source: Path) -> None:
    (source.parent / "talk").mkdir()
    (source.parent / "talk" / "a.toml").write_text("x = 1", encoding="utf-8")
    source.write_text(HELLO + 'provider llm { use scripted { script = file("talk/a.toml") } }\n', encoding="utf-8")
    folder = written(build(source)).folder
    assert (folder / "src/hello/resources/talk/a.toml").is_file()
    source.write_text(HELLO, encoding="utf-8")
    made = written(build(source))
    assert made.removed == ("src/hello/resources/talk/a.toml",)
    assert not (folder / "src/hello/resources").exists()


def test_what_is_the_users_own_stays(source: Path) -> None:
    folder = written(build(source)).folder
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    written(build(source))
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_an_edited_file_is_refused_by_name(source: Path) -> None:
    folder = written(build(source)).folder
    edited = folder / "src" / "hello" / "plan.py"
    edited.write_text("mine", encoding="utf-8")
    before = files_below(folder)
    result = build(source)
    assert codes(result) == ["E0701"]
    assert str(edited) in result.diagnostics[0].message
    assert "--force" in result.diagnostics[0].help
    assert files_below(folder) == before


def test_force_overwrites_it(source: Path) -> None:
    folder = written(build(source)).folder
    (folder / "README.md").write_text("mine", encoding="utf-8")
    made = written(build(source, force=True))
    assert made.changed == ("README.md",)
    assert files_below(folder) == made.files.contents


def test_an_edited_stale_file_is_refused_too(source: Path) -> None:
    (source.parent / "a.toml").write_text("x = 1", encoding="utf-8")
    source.write_text(HELLO + 'provider llm { use scripted { script = file("a.toml") } }\n', encoding="utf-8")
    folder = written(build(source)).folder
    (folder / "src/hello/resources/a.toml").write_text("mine", encoding="utf-8")
    source.write_text(HELLO, encoding="utf-8")
    assert codes(build(source)) == ["E0701"]


def test_a_removed_file_comes_back(source: Path) -> None:
    folder = written(build(source)).folder
    (folder / "setup.py").unlink()
    assert written(build(source)).changed == ("setup.py",)


def test_check_tells_and_writes_nothing(source: Path) -> None:
    folder = source.parent / "generated" / "hello"
    made = written(build(source, check_drift=True))
    assert made.drifted
    assert not folder.exists()
    written(build(source))
    assert not written(build(source, check_drift=True)).drifted
    (folder / "README.md").write_text("mine", encoding="utf-8")
    made = written(build(source, check_drift=True))
    assert made.changed == ("README.md",)
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_folder_of_something_else_is_left_alone(source: Path) -> None:
    folder = source.parent / "generated" / "hello"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine", encoding="utf-8")
    assert codes(build(source)) == ["E0702"]
    assert files_below(folder) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("manifest", ["", "{", '{"format": "other"}', "[]"])
def test_a_folder_with_a_foreign_manifest_too(source: Path, manifest: str) -> None:
    folder = source.parent / "generated" / "hello"
    folder.mkdir(parents=True)
    (folder / "rspp.manifest.json").write_text(manifest, encoding="utf-8")
    assert codes(build(source)) == ["E0702"]


def test_a_manifest_cannot_reach_outside_its_folder(source: Path) -> None:
    folder = written(build(source)).folder
    outside = folder.parent / "precious.txt"
    outside.write_text("mine", encoding="utf-8")
    manifest = folder / "rspp.manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"files": {', '"files": {\n  "../precious.txt": "0",', 1), encoding="utf-8")
    assert codes(build(source)) == ["E0702"]
    assert outside.read_text(encoding="utf-8") == "mine"


def test_a_disk_that_refuses_is_one_error(source: Path) -> None:
    (source.parent / "generated").write_text("a file", encoding="utf-8")
    result = build(source)
    assert codes(result) == ["E0703"]


def test_a_crash_half_way_leaves_whole_files(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is replaced in one step, the manifest last: the next build finishes what was begun."""
    folder = written(build(source)).folder
    old = files_below(folder)
    source.write_text(HELLO.replace("vad -> stt", "vad -> stt { buffer = [48 items, 200ms] }"), encoding="utf-8")
    real, count = Path.replace, 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        build(source)
    monkeypatch.setattr(Path, "replace", real)
    new = written(build(source, check_drift=True)).files.contents
    half = files_below(folder)
    assert set(half) == set(old)
    assert all(half[path] in (old[path], new[path]) for path in half)
    assert half["rspp.manifest.json"] == old["rspp.manifest.json"]
    assert files_below(written(build(source)).folder) == new


def test_a_last_pass_that_does_not_exist_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "hello.rspp"
    source.write_text(HELLO, encoding="utf-8")
    with pytest.raises(ValueError, match="until='analysis' is no pass"):
        compile_file(source, until="analysis", output=tmp_path / "generated")
    assert not (tmp_path / "generated").exists()
