"""A package as an image: a build context of wheels and one Containerfile, built by whichever tool is there.

The image holds the package, the runtime and what they need; no compiler, no grammar, no template.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rspp_compiler.emit.toolchain import EPOCH, ToolError, run
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.files import Built

RUNTIME = "rspp-runtime"
_TOOLS = ("docker", "podman", "buildah")
_NOT_SOURCE = shutil.ignore_patterns("build", "dist", "tests", "*.so", "*.c", "*.egg-info", "__pycache__")


@dataclass(frozen=True, slots=True)
class Image:
    """A build context, and the image made from it: `tool` is empty when no tool was there to make one.

    `command` is what builds it, to be run by hand in that case.
    """

    context: Path
    wheels: tuple[str, ...]
    tag: str
    tool: str
    command: tuple[str, ...]


def container(built: Built, ctx: Context, wheels: Path | None = None, base: str | None = None) -> Image | None:
    """Lays out `dist/image/` of a built package, and builds it if docker, podman or buildah works here.

    `wheels` is a folder that has every wheel; without one they come from where pip gets its packages. `base` is the
    image to build on. Reports E0708, then None.
    """
    files = built.written.files
    context = built.folder / "dist" / "image"
    base = base or f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    tag = f"{files.name}:{files.version}"
    arguments = ["-t", tag, "--build-arg", f"BASE={base}", str(context)]
    try:
        _lay_out(built, context, wheels, ctx)
        tool = next((tool for tool in _TOOLS if _works(tool)), "")
        command = _command(tool or _TOOLS[0], arguments)
        if tool:
            ctx.progress(f"{files.name}: building {tag} with {tool}")
            run(command, context, "E0708", f"{tool} cannot build the image")
    except (ToolError, OSError) as error:
        span = files.frozen.layout.analysis.graph.spec.span
        detail = error.detail if isinstance(error, ToolError) else ()
        message = error.message if isinstance(error, ToolError) else f"cannot lay out `{context}`: {error}"
        ctx.sink.add(
            "E0708",
            message,
            span,
            label="while the image of this pipeline was made",
            notes=["\n".join(detail)] if detail else [],
            help="give a folder with all wheels: `--wheels DIR`",
        )
        return None
    names = tuple(sorted(path.name for path in (context / "wheels").iterdir()))
    return Image(context, names, tag, tool, tuple(command))


def _lay_out(built: Built, context: Path, given: Path | None, ctx: Context) -> None:
    """The Containerfile and wheels/: the package, the runtime, and all that they need."""
    shelf = context / "wheels"
    if context.exists():
        shutil.rmtree(context)
    shelf.mkdir(parents=True)
    (context / "Containerfile").write_bytes(built.written.files.contents["deploy/Containerfile"])
    ctx.progress(f"{built.written.files.name}: collecting wheels")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "-q",
        "--wheel-dir",
        str(shelf.resolve()),
    ]
    if given is not None:
        pip += ["--no-index", "--find-links", str(given.resolve())]
    elif (source := _runtime_source()) is not None:
        _runtime_wheel(source, shelf.resolve())
        pip += ["--find-links", str(shelf.resolve())]
    run([*pip, str(built.wheel.resolve())], context, "E0708", "the wheels of the image cannot be collected")


def _runtime_source() -> Path | None:
    """The folder that the runtime was installed from in editable form; None if it came as a wheel."""
    try:
        text = metadata.distribution(RUNTIME).read_text("direct_url.json")
    except metadata.PackageNotFoundError as error:
        raise ToolError("E0708", f"`{RUNTIME}` is not installed beside rsppc") from error
    value = json.loads(text) if text else {}
    if not value.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(value["url"]).path))


def _runtime_wheel(source: Path, shelf: Path) -> None:
    """Builds the runtime's wheel from a copy of its source, which stays as it is."""
    with tempfile.TemporaryDirectory(prefix="rsppc-") as name:
        copy = Path(name) / "runtime"
        shutil.copytree(source, copy, ignore=_NOT_SOURCE)
        environment = dict(os.environ, SOURCE_DATE_EPOCH=EPOCH)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(shelf), str(copy)]
        run(command, copy, "E0708", f"the wheel of `{RUNTIME}` cannot be built", environment)


def _works(tool: str) -> bool:
    """Whether the tool is installed and, where it needs a daemon or storage, can use them."""
    if shutil.which(tool) is None:
        return False
    try:
        return subprocess.run([tool, "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _command(tool: str, arguments: list[str]) -> list[str]:
    file = ["-f", str(Path(arguments[-1]) / "Containerfile")]
    return [tool, "bud" if tool == "buildah" else "build", *file, *arguments]
