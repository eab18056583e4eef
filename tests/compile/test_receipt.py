"""A build that was done before is not done again; and only such a build is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rspp_compiler.cli import again
from rspp_compiler.cli.app import app
from rspp_compiler.emit import cache, installed, receipt
from rspp_compiler.emit.receipt import Restored, restore

HELLO = """import clock from "lib/tools.rspp"

pipeline hello {
  profile simple/v1
  node llm { tools = [clock] }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
provider llm { use scripted { script = file("words.toml") } }
"""
CLOCK = 'tool clock (zone : text) : python("tools:clock") { timeout = 100ms, about = "The time" }\n'


def build(*options: str) -> str:
    """`rsppc build hello.rspp`, by typer and the passes; what it printed."""
    done = CliRunner().invoke(app, ["build", "hello.rspp", "--no-install", *options])
    assert done.exit_code == 0, done.output
    return done.output


def there(backend: str = "python", *, install: bool = False) -> Restored | None:
    return restore(Path("hello.rspp"), Path("generated"), backend, install=install)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pipeline of three files, built as pure Python, and the cache."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "lib").mkdir()
    for path, text in (("hello.rspp", HELLO), ("lib/tools.rspp", CLOCK), ("words.toml", "x = 1\n")):
        (folder / path).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RSPP_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        build("--backend", "python")
    return folder


@pytest.fixture(autouse=True)
def folder(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("RSPP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unchanged_pipeline_is_there(folder: Path) -> None:
    assert there() == Restored(Path("generated/hello"), 0)
    assert restore(folder / "hello.rspp", folder / "generated", "python", install=False) is not None


def test_into_an_empty_folder_comes_what_the_passes_write(folder: Path) -> None:
    made = contents(Path("generated"))
    Path("generated").rename("before")
    found = there()
    assert found is not None
    assert found.written == len(made) - 1  # the wheel is not one of the files
    assert contents(Path("generated")) == made


def _append(path: str) -> Callable[[pytest.MonkeyPatch], None]:
    def change(_: pytest.MonkeyPatch) -> None:
        with Path(path).open("ab") as file:
            file.write(b"\n# more\n")

    return change


def _remove(path: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda _: Path(path).unlink()


def _another_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose grammar lies elsewhere, with other bytes in it."""
    own = installed.folder_of
    Path("grammar").mkdir()
    Path("grammar/rspp.lark").write_text("start:", encoding="utf-8")
    monkeypatch.setattr(installed, "folder_of", lambda name: Path("grammar") if "_grammar" in name else own(name))


def _another_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that could register a provider."""
    Path("site/acme-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend("site")


def _no_wheel(_: pytest.MonkeyPatch) -> None:
    for wheel in (cache.cache_folder() / "wheels").glob("*/*.whl"):
        wheel.unlink()


def _torn_receipt(_: pytest.MonkeyPatch) -> None:
    for kept in (cache.cache_folder() / "receipts").iterdir():
        kept.write_bytes(kept.read_bytes()[:1000])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_append("hello.rspp"), id="the pipeline"),
        pytest.param(_append("lib/tools.rspp"), id="what it imports"),
        pytest.param(_append("words.toml"), id="a file that it names"),
        pytest.param(_append("generated/hello/README.md"), id="a generated file edited"),
        pytest.param(_remove("generated/hello/src/hello/plan.py"), id="a generated file removed"),
        pytest.param(_another_compiler, id="the compiler"),
        pytest.param(_another_distribution, id="what is installed"),
        pytest.param(_no_wheel, id="no wheel in the cache"),
        pytest.param(_torn_receipt, id="a torn receipt"),
    ],
)
def test_a_change_is_left_to_the_passes(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert there() is not None
    change(monkeypatch)
    before = contents(Path("generated"))
    assert there() is None
    assert contents(Path("generated")) == before, "nothing may be done halfway"


@pytest.mark.parametrize(
    "change",
    [
        lambda monkeypatch: monkeypatch.setenv("CC", "another-compiler"),
        lambda monkeypatch: monkeypatch.setattr(installed, "declarations", lambda: "others"),
    ],
    ids=["the C compiler", "the runtime's declarations"],
)
def test_what_a_compiled_kernel_depends_on(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, pure = (receipt._shelf(Path("hello.rspp"), b"", backend) for backend in ("cython", "python"))
    change(monkeypatch)
    assert receipt._shelf(Path("hello.rspp"), b"", "cython") not in (compiled, pure)
    assert receipt._shelf(Path("hello.rspp"), b"", "python") == pure


def test_a_backend_has_its_own_receipt() -> None:
    assert there("cython") is None


def test_what_is_not_installed_is_left_to_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert there(install=True) is None
    monkeypatch.setattr(installed, "is_installed", lambda name, wheel: name == "hello")
    assert there(install=True) is not None


def test_a_build_with_findings_leaves_no_receipt() -> None:
    """They would not be told again."""
    text = HELLO.replace('scripted { script = file("words.toml")', 'openai { model = "m", api_key = secret("env://K")')
    Path("hello.rspp").write_text(text, encoding="utf-8")
    for _ in range(2):
        assert "E0909" in build("--backend", "python")
        assert there() is None


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        (["build", "a.rspp"], again.Plain((Path("a.rspp"),))),
        (
            ["build", "a.rspp", "-o", "out", "b.rspp", "--no-install"],
            again.Plain((Path("a.rspp"), Path("b.rspp")), Path("out"), install=False),
        ),
        (["build"], None),
        (["build", "a.rspp", "-o"], None),
        (["build", "a.rspp", "--check"], None),
        (["build", "a.rspp", "--backend", "python"], None),
        (["build", "a.rspp", "--set", "llm.temperature=0"], None),
        (["check", "a.rspp"], None),
        (["--help"], None),
        ([], None),
    ],
)
def test_only_a_plain_build_is_looked_up(arguments: list[str], plain: again.Plain | None) -> None:
    assert again.read(arguments) == plain


LIGHT = """
import sys
def see(event, arguments):
    if event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system"):
        raise SystemExit(f"a process was started: {arguments}")
sys.addaudithook(see)
from rspp_compiler.cli import main
sys.argv = ["rsppc", "build", "hello.rspp", "--no-install"]
main()
heavy = ("typer", "pydantic", "networkx", "lark", "jinja2", "Cython", "setuptools", "rich", "subprocess",
         "importlib.metadata", "rspp_compiler.driver", "rspp_compiler.ir", "rspp_compiler.syntax", "rspp_runtime")
print([name for name in heavy if name in sys.modules])
"""


def test_an_unchanged_build_imports_no_pass_and_starts_no_process() -> None:
    """What makes it fast, without a clock: with a compiled kernel, as users build."""
    assert "built (cython)" in build()
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    assert done.stderr.splitlines() == [
        "rsppc  hello.rspp",
        "rsppc  generated/hello unchanged, nothing to do (cython)",
    ]
    (extension,) = Path("generated/hello/src/hello").glob("_kernel.*.so")
    extension.unlink()
    assert again.built_again(["build", "hello.rspp", "--no-install"])
    assert extension.is_file()
