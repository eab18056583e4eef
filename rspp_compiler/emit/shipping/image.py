"""A package as an image: a build context of wheels and one Containerfile, built by whichever tool is there.

The image holds the package with the engines that its pipeline uses, the runtime with what serving needs, and what they
require; no compiler, no grammar, no template. The same wheels on the same base give the same image, to the byte.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from rspp_compiler.emit.shipping.sbom import sbom
from rspp_compiler.emit.shipping.settle import settle
from rspp_compiler.emit.shipping.wheels import Wheel, read_wheels
from rspp_compiler.emit.toolchain import EPOCH, ToolError, run
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.files import Built

RUNTIME = "rspp-runtime"
EXTRA = "serve"  # of the runtime: what `python -m PACKAGE serve` needs
MORE = ("opus", "otel")  # of the runtime: what an image may have besides, if it is asked for
SBOM = "sbom.cdx.json"
_TOOLS = ("docker", "podman", "buildah")
_NOT_SOURCE = shutil.ignore_patterns("build", "dist", "tests", "*.so", "*.c", "*.egg-info", "__pycache__")
_NO_SYMBOLS = {"CFLAGS": "-g0", "LDFLAGS": "-Wl,--strip-all"} if sys.platform == "linux" else {}  # beside the user's
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
# docker's own format, because only that one has a health check; the date of all that is in it, and of the image.
_SAME_BYTES = ("--format", "docker", "--timestamp", EPOCH)


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


def image(
    built: Built,
    ctx: Context,
    wheels: Path | None = None,
    base: str | None = None,
    tag: str | None = None,
    more: Collection[str] = (),
) -> Image | None:
    """Lays out `dist/image/` of a built package, and builds it if docker, podman or buildah works here.

    `wheels` is a folder that has every wheel; without one they come from where pip gets its packages. `base` is the
    image to build on, `tag` the name of the new one, `more` what it shall have of `MORE`. Reports E0708, then None.
    """
    files = built.written.files
    context = (built.folder / "dist" / "image").resolve()  # the tools run in it
    base = base or f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    tag = tag or f"{files.name}:{files.version}"
    try:
        found = _lay_out(built, context, wheels, (EXTRA, *sorted(more)), ctx)
        tool = next((tool for tool in _TOOLS if _works(tool)), "")
        command = _command(tool or _TOOLS[0], tag, base, _version_of(found, RUNTIME), context)
        if tool:
            ctx.progress(f"{files.name}: building {tag} with {tool}")
            run(command, context, "E0708", f"{tool} cannot build the image")
            if tool != "docker":
                settle(tool, tag)
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
    return Image(context, tuple(wheel.path.name for wheel in found), tag, tool, tuple(command))


def _lay_out(
    built: Built, context: Path, given: Path | None, extras: tuple[str, ...], ctx: Context
) -> tuple[Wheel, ...]:
    """The Containerfile; wheels/ with the package, the runtime, and all that they need; what to install; the SBOM.

    `dependencies.txt` and `package.txt` name each wheel with its hash. They are two layers: what changes with each
    version of a pipeline is small.
    """
    shelf = context / "wheels"
    if context.exists():
        shutil.rmtree(context)
    shelf.mkdir(parents=True)
    files = built.written.files
    (context / "Containerfile").write_bytes(files.contents["deploy/Containerfile"])
    ctx.progress(f"{files.name}: collecting wheels")
    _collect(built, shelf, given, extras)
    found = read_wheels(shelf, [(RUNTIME, extra) for extra in extras])
    own = {canonicalize_name(files.name), RUNTIME}
    _write_pins(context / "package.txt", [wheel for wheel in found if wheel.name in own])
    _write_pins(context / "dependencies.txt", [wheel for wheel in found if wheel.name not in own])
    listed = sbom(files.frozen, found)
    for path in (context / SBOM, context.parent / SBOM):
        path.write_bytes(listed)
    return found


def _collect(built: Built, shelf: Path, given: Path | None, extras: tuple[str, ...]) -> None:
    """Puts every wheel into `shelf`."""
    listed = ",".join(extras)
    wanted = [str(built.wheel.resolve()), f"{RUNTIME}[{listed}]"]
    pip = [*_PIP, "wheel", "-q", "--wheel-dir", str(shelf)]
    if given is not None:
        pip += ["--no-index", "--find-links", str(given.resolve())]
    elif (source := _runtime_source()) is not None:
        # By its path, for all that ask for it: an index may have another package of that name.
        wheel = _runtime_wheel(source, shelf)
        wanted = [wanted[0], f"{wheel}[{listed}]", str(wheel)]
    run([*pip, *wanted], shelf, "E0708", "the wheels of the image cannot be collected")


def _write_pins(path: Path, wheels: list[Wheel]) -> None:
    path.write_text("".join(f"{wheel.pin}\n" for wheel in wheels), encoding="utf-8")


def _version_of(wheels: tuple[Wheel, ...], name: str) -> str:
    return next((wheel.version for wheel in wheels if wheel.name == name), "")


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


def _runtime_wheel(source: Path, shelf: Path) -> Path:
    """Builds the runtime's wheel from a copy of its source, which stays as it is. What only a debugger reads is
    left out."""
    with tempfile.TemporaryDirectory(prefix="rsppc-") as name:
        copy = Path(name) / "runtime"
        shutil.copytree(source, copy, ignore=_NOT_SOURCE)
        flags = {name: f"{os.environ.get(name, '')} {flag}".strip() for name, flag in _NO_SYMBOLS.items()}
        environment = dict(os.environ, SOURCE_DATE_EPOCH=EPOCH, **flags)
        command = [*_PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(shelf), str(copy)]
        run(command, copy, "E0708", f"the wheel of `{RUNTIME}` cannot be built", environment)
    return next(shelf.glob(f"{RUNTIME.replace('-', '_')}-*.whl"))


def _works(tool: str) -> bool:
    """Whether the tool is installed and, where it needs a daemon or storage, can use them."""
    if shutil.which(tool) is None:
        return False
    try:
        return subprocess.run([tool, "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _command(tool: str, tag: str, base: str, runtime: str, context: Path) -> list[str]:
    arguments = ["-t", tag, "--build-arg", f"BASE={base}", "--build-arg", f"RUNTIME={RUNTIME} {runtime}"]
    if tool == "docker":  # BuildKit reads the date from an argument of this name
        arguments += ["--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}"]
    else:
        arguments += _SAME_BYTES
    return [
        tool,
        "bud" if tool == "buildah" else "build",
        "-f",
        str(context / "Containerfile"),
        *arguments,
        str(context),
    ]
