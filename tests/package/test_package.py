"""The package as an image: its build context, and that the wheels in it are enough."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pipelines import HELLO, ROOT, compile_pipeline_at, shipped, value
from rspp_compiler.emit.shipping import image as module
from rspp_compiler.emit.shipping.image import Image
from rspp_compiler.emit.shipping.image import image as make_image
from rspp_compiler.emit.toolchain import ToolError
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.ir.files import Built


def build(source: Path, output: Path, backend: str) -> tuple[Built, Context]:
    options = Options(until="compile", output=output, backend=backend, install=False)  # type: ignore[arg-type]
    ctx = Context(options=options)
    made: Built = value(compile_pipeline_at(source, ctx), "compile")
    return made, ctx


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Built, Context]:
    monkeypatch.setenv("RSPP_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "hello.rspp"
    source.write_text(HELLO, encoding="utf-8")
    return build(source, tmp_path / "generated", "python")


def test_the_containerfile_is_careful(hello: tuple[Built, Context]) -> None:
    text = hello[0].written.files.text("deploy/Containerfile")
    assert re.search(r"^ARG BASE=", text, re.MULTILINE)
    assert text.count("FROM ${BASE}") == 2
    assert "--no-index --find-links wheels --require-hashes --no-deps" in text
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in text
    assert "HEALTHCHECK" in text
    assert "/healthz" in text
    assert 'ENTRYPOINT ["python", "-m", "hello"]' in text
    assert 'CMD ["serve", "--host", "0.0.0.0"]' in text
    labels = re.findall(r"rspp\.([a-z-]+)=", text)
    assert labels == ["abi-hash", "compiler", "pipeline-version", "profile", "runtime", "template-hash"]


def test_without_a_tool_it_says_how(hello: tuple[Built, Context], monkeypatch: pytest.MonkeyPatch) -> None:
    built, ctx = hello
    monkeypatch.setattr(module, "_works", lambda tool: False)
    monkeypatch.setattr(module, "run", _copy_of(built.wheel))
    monkeypatch.setattr(module, "_runtime_source", lambda: None)
    image = make_image(built, ctx, base="localhost/base:1")
    assert image is not None
    assert image.tool == ""
    assert image.command[:2] == ("docker", "build")
    assert "BASE=localhost/base:1" in image.command
    laid_out = ["Containerfile", "dependencies.txt", "package.txt", "sbom.cdx.json", "wheels"]
    assert sorted(path.name for path in image.context.iterdir()) == laid_out
    assert (image.context / "package.txt").read_text().startswith("hello==0.0.0 --hash=sha256:")
    assert (image.context / "Containerfile").read_bytes() == built.written.files.contents["deploy/Containerfile"]
    assert image.wheels == (built.wheel.name,)


def test_with_a_tool_it_builds(hello: tuple[Built, Context], monkeypatch: pytest.MonkeyPatch) -> None:
    built, ctx = hello
    commands: list[list[str]] = []
    settled: list[tuple[str, str]] = []
    copy = _copy_of(built.wheel)

    def record(command: list[str], folder: Path, *rest: object) -> str:
        commands.append(command)
        return copy(command, folder, *rest)

    monkeypatch.setattr(module, "_works", lambda tool: tool == "buildah")
    monkeypatch.setattr(module, "settle", lambda tool, tag: settled.append((tool, tag)))
    monkeypatch.setattr(module, "run", record)
    monkeypatch.setattr(module, "_runtime_source", lambda: None)
    image = make_image(built, ctx)
    assert image is not None
    assert image.tool == "buildah"
    assert commands[-1][:2] == ["buildah", "bud"]
    assert tuple(commands[-1]) == image.command
    assert settled == [("buildah", image.tag)]


def test_what_an_image_can_do_besides_is_asked_for(
    hello: tuple[Built, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    built, ctx = hello
    asked: list[list[str]] = []
    copy = _copy_of(built.wheel)

    def record(command: list[str], folder: Path, *rest: object) -> str:
        asked.append(command)
        return copy(command, folder, *rest)

    monkeypatch.setattr(module, "_works", lambda tool: False)
    monkeypatch.setattr(module, "run", record)
    monkeypatch.setattr(module, "_runtime_source", lambda: None)
    assert make_image(built, ctx) is not None
    assert make_image(built, ctx, more={"otel", "opus"}) is not None
    assert [command[-1] for command in asked] == ["rspp-runtime[serve]", "rspp-runtime[serve,opus,otel]"]


def test_what_an_image_cannot_do_is_a_wrong_option(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rspp_compiler.cli", "package", str(shipped("hello")), "--with", "mp3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert "--with is one of opus, otel, not 'mp3'; engines come by themselves" in " ".join(done.stderr.split())


def test_wheels_that_cannot_be_collected_are_one_error(
    hello: tuple[Built, Context], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built, ctx = hello
    (tmp_path / "none").mkdir()

    def refuse(*_: object) -> str:
        raise ToolError("E0708", "the wheels of the image cannot be collected", ["No matching distribution found"])

    monkeypatch.setattr(module, "run", refuse)
    assert make_image(built, ctx, wheels=tmp_path / "none") is None
    assert [found.code for found in ctx.sink.diagnostics] == ["E0708"]
    assert "--wheels DIR" in ctx.sink.diagnostics[0].help


def _copy_of(wheel: Path):  # type: ignore[no-untyped-def]
    """Stands in for pip: puts the package's own wheel on the shelf."""

    def run(command: list[str], folder: Path, *_: object) -> str:
        if "--wheel-dir" in command:
            shelf = Path(command[command.index("--wheel-dir") + 1])
            (shelf / wheel.name).write_bytes(wheel.read_bytes())
        return ""

    return run


@pytest.mark.feature("F-125", "run")
def test_the_wheels_alone_answer_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean environment, nothing in it but the wheels: no compiler in sight, and the question is answered."""
    monkeypatch.setenv("RSPP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_works", lambda tool: False)
    built, ctx = build(shipped("voice_assistant"), tmp_path / "generated", "cython")
    image: Image | None = make_image(built, ctx)
    if image is None:
        said = [found for found in ctx.sink.diagnostics if found.code == "E0708"]
        pytest.skip(f"no package index to collect the wheels from: {said[0].notes if said else ''}")
    assert any(name.startswith("rspp_runtime-") for name in image.wheels)
    assert not any("compiler" in name or name.startswith(("lark", "jinja2", "cython")) for name in image.wheels)
    clean = tmp_path / "clean"
    venv.create(clean, with_pip=True, system_site_packages=False)
    python = str(clean / "bin" / "python")
    environment = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    shelf = str(image.context / "wheels")
    done = run(python, "-m", "pip", "install", "-q", "--no-index", "--find-links", shelf, "voice_assistant")
    assert done.returncode == 0, done.stderr
    assert run(python, "-c", "import rspp_compiler").returncode != 0
    assert run(python, "-c", "import voice_assistant as v; assert v.has_compiled_kernel()").returncode == 0
    question = ROOT / "pipelines" / "samples" / "question.wav"
    reply = tmp_path / "reply.wav"
    done = run(
        python, "-m", "voice_assistant", "run", "--wav", str(question), "--fast", "--out", str(reply),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert reply.stat().st_size > 32_000, "less than a second of audio"
    done = run(str(clean / "bin" / "rspp"), "run", "voice_assistant", "--text", "hello", "--fast")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "committed" in done.stdout
