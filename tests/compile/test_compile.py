"""compile: a wheel, once; the same bytes anywhere; with and without a C compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from pipelines import HELLO, SHOP, codes, compile_pipeline_at, value
from rspp_compiler.driver import Result
from rspp_compiler.emit import installed, toolchain
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.ir.files import Built


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RSPP_CACHE", str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "hello.rspp"
    path.write_text(HELLO, encoding="utf-8")
    return path


def build(source: Path, backend: str = "python", **options: object) -> tuple[Result, list[str]]:
    """Builds without installing; also what the progress said."""
    said: list[str] = []
    settings = {"output": source.parent / "generated", "install": False, "backend": backend, **options}
    ctx = Context(options=Options(until="compile", **settings), progress=said.append)  # type: ignore[arg-type]
    return compile_pipeline_at(source, ctx), said


def built(source: Path, backend: str = "python", **options: object) -> Built:
    made: Built = value(build(source, backend, **options)[0], "compile")
    return made


def python(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with the package's folder on the path."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_second_build_does_nothing_and_says_so(source: Path) -> None:
    result, said = build(source)
    assert not value(result, "compile").cached
    assert any("compiling" in line for line in said)
    wheel = value(result, "compile").wheel
    before = wheel.stat().st_mtime_ns
    result, said = build(source)
    assert value(result, "compile").cached
    assert said == []
    assert wheel.stat().st_mtime_ns == before


def test_a_change_builds_anew_and_leaves_one_wheel(source: Path) -> None:
    built(source)
    source.write_text(HELLO.replace("pipeline hello", 'pipeline hello version "1.1.0"'), encoding="utf-8")
    made = built(source)
    assert not made.cached
    assert [path.name for path in (made.folder / "dist").iterdir()] == ["hello-1.1.0-py3-none-any.whl"]


def test_the_same_wheel_from_another_folder(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(source).wheel.read_bytes()
    monkeypatch.setenv("RSPP_CACHE", str(tmp_path / "other_cache"))
    elsewhere = tmp_path / "else" / "where"
    elsewhere.mkdir(parents=True)
    (elsewhere / "hello.rspp").write_text(HELLO, encoding="utf-8")
    made = built(elsewhere / "hello.rspp")
    assert not made.cached
    assert made.wheel.read_bytes() == first


def test_the_source_folder_is_not_dirtied(source: Path) -> None:
    made = built(source)
    extra = {path.relative_to(made.folder).parts[0] for path in made.folder.rglob("*")} - {"dist"}
    assert extra == {Path(path).parts[0] for path in made.written.files.contents}


def test_the_wheel_carries_what_the_package_needs(source: Path) -> None:
    (source.parent / "words.toml").write_text("x = 1\n", encoding="utf-8")
    source.write_text(HELLO + 'provider llm { use scripted { script = file("words.toml") } }\n', encoding="utf-8")
    with zipfile.ZipFile(built(source).wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read("hello-0.0.0.dist-info/METADATA").decode()
    assert names >= {
        f"hello/{name}"
        for name in ("__init__.py", "__main__.py", "plan.py", "handlers.py", "py.typed", "sourcemap.json")
    }
    assert "hello/resources/words.toml" in names
    assert not any(name.endswith(".c") for name in names)
    assert "Requires-Dist: rspp-runtime[espeak,files,pocketsphinx,silero]" in metadata


def test_a_pure_package_runs_on_the_twin(source: Path) -> None:
    script = (
        "import hello; s = hello.open_session('s', 1); print(type(s).__module__, hello.has_compiled_kernel());"
        "hello.open_session('s', 1, kernel='compiled')"
    )
    done = python(built(source).folder, script)
    assert done.stdout.split() == ["rspp_runtime.reference.session", "False"]
    assert "ModuleNotFoundError: hello: no compiled kernel: run `rsppc build hello.rspp`" in done.stderr


def test_a_package_for_another_interface_refuses_to_be_imported(source: Path) -> None:
    made = built(source)
    init = made.folder / "src" / "hello" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    line = next(line for line in text.split("\n") if line.startswith("BUILT_FOR_ABI"))
    init.write_text(text.replace(line, f'BUILT_FOR_ABI: Final = "{"f" * 64}"'), encoding="utf-8")
    done = python(made.folder, "import hello")
    assert "ImportError: hello was built for the runtime interface ffffffffffff" in done.stderr
    assert "run `rsppc build hello.rspp` again" in done.stderr


def test_no_c_compiler_is_one_error_with_a_way_out(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    result, _ = build(source, "cython")
    assert codes(result) == ["E0704"]
    assert "--backend python" in result.diagnostics[0].help


def test_no_runtime_is_one_error(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda package: None)
    result, _ = build(source, "cython")
    assert codes(result) == ["E0705"]


def test_a_tool_that_fails_is_quoted(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    result, _ = build(source)
    assert codes(result) == ["E0706"]


def test_a_wheel_that_cannot_be_installed_is_a_warning(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(wheel: Path) -> None:
        raise toolchain.ToolError("E0707", f"`{wheel.name}` cannot be installed here", ["No module named pip"])

    monkeypatch.setattr(toolchain, "install", refuse)
    result, _ = build(source, install=True)
    assert codes(result) == ["E0707"]
    assert result.ok
    assert not value(result, "compile").installed


def test_the_wheel_is_installed_once(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into an environment of the test's own, from a folder that is named as a user would name it."""
    venv.create(source.parent / "env", with_pip=True)
    own = source.parent / "env" / "bin" / "python"
    monkeypatch.chdir(source.parent)
    made = built(Path("hello.rspp"), output=Path("generated"))
    monkeypatch.setattr(sys, "executable", str(own))
    toolchain.install(made.wheel)
    site = next((source.parent / "env" / "lib").glob("python*/site-packages"))
    assert (site / "hello" / "plan.py").is_file()
    monkeypatch.syspath_prepend(str(site))
    assert installed.is_installed("hello", made.wheel)


def test_compiled_kernel_beside_its_source(tmp_path: Path) -> None:
    """The C toolchain for real: the extension, importable from the folder, and the same after a pure build."""
    source = tmp_path / "shop.rspp"
    source.write_text(SHOP, encoding="utf-8")
    made = built(source, "cython")
    (extension,) = (made.folder / "src" / "shop").glob("_kernel.*.so")
    with zipfile.ZipFile(made.wheel) as archive:
        assert archive.read(f"shop/{extension.name}") == extension.read_bytes()
    assert str(tmp_path).encode() not in extension.read_bytes()
    script = (
        "import shop; s = shop.open_session('s', 1, [lambda i: []]);"
        "print(type(s).__module__, s.stats()['memory_bytes'])"
    )
    done = python(made.folder, script)
    assert done.stdout.split() == ["shop._kernel", str(made.written.files.frozen.layout.plan.memory_bytes)], done.stderr
    assert built(source, "cython").cached
    built(source, "python")
    assert not list((made.folder / "src" / "shop").glob("_kernel.*.so"))
    assert built(source, "cython").cached
    assert extension.is_file()


def test_a_kernel_of_another_build_says_so(tmp_path: Path) -> None:
    """Its extension was compiled against other declarations, or is damaged: one line that says what to do."""
    source = tmp_path / "shop.rspp"
    source.write_text(SHOP, encoding="utf-8")
    folder = built(source, "cython").folder / "src" / "shop"
    (extension,) = folder.glob("_kernel.*.so")
    (folder / "_kernel.py").write_text("raise TypeError('C function feed has wrong signature')", encoding="utf-8")
    for damage in (extension.unlink, lambda: extension.write_bytes(b"torn")):
        damage()
        done = python(folder.parents[1], "import shop; shop.open_session('s', 1, [lambda i: []])")
        last = done.stderr.splitlines()[-1]
        assert last.startswith("ImportError: shop: the compiled kernel is of another build ("), done.stderr
        assert last.endswith("): run `rsppc build shop.rspp` again")
    done = python(folder.parents[1], "import shop; shop.open_session('s', 1, [lambda i: []], kernel='pure')")
    assert done.returncode == 0, done.stderr
