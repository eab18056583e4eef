"""Package to wheel, once: the result is kept by content, so that a second build does nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rspp_compiler.emit import cache, installed, toolchain
from rspp_compiler.emit.place import put_extension, put_wheel
from rspp_compiler.emit.toolchain import ToolError
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.files import Built, Files, Written


def compile(written: Written, ctx: Context) -> Built | None:
    """Builds the wheel, puts it into `dist/`, the extension beside its source, and the wheel into this environment.

    The folder's own files are not touched: Cython and the C compiler work on a copy. Reports E0704 to E0706, then None;
    a wheel that cannot be installed (E0707) is still built.
    """
    files, backend, debug = written.files, ctx.options.backend, ctx.options.debug
    try:
        key = cache.key_of(files.contents, toolchain.fingerprint(backend, debug))
        kept = cache.find(key)
        wheel = kept or _build(files, key, backend, ctx)
    except (ToolError, OSError) as error:
        _report(files, error, ctx)
        return None
    shown = put_wheel(wheel, written.folder)
    put_extension(wheel, written.folder, files.name)
    is_installed = _install(files, shown, ctx) if ctx.options.install else False
    return Built(written.folder, shown, backend, key, kept is not None, is_installed, written)


def _build(files: Files, key: str, backend: str, ctx: Context) -> Path:
    tools = "cython, then the C compiler" if backend == "cython" else "pure Python"
    tools += ", for debugging" if ctx.options.debug else ""
    ctx.progress(f"{files.name}: compiling ({tools})")
    with tempfile.TemporaryDirectory(prefix="rsppc-") as name:
        folder, output = Path(name) / "package", Path(name) / "wheel"
        for path, data in files.contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return cache.keep(key, toolchain.build_wheel(folder, output, backend, ctx.options.debug))


def _install(files: Files, wheel: Path, ctx: Context) -> bool:
    if installed.is_installed(files.name, wheel):
        return True
    ctx.progress(f"{files.name}: installing {wheel.name}")
    try:
        toolchain.install(wheel)
    except ToolError as error:
        _report(files, error, ctx)
        return False
    return True


_HELP = {
    "E0704": "install one (Debian: `apt install gcc python3-dev`), or build with `--backend python`: it is slow",
    "E0705": "install it: `pip install rspp-runtime`",
    "E0706": "this is a mistake of rsppc: please report it, with the pipeline",
    "E0707": "the package can still be used by its folder: `rspp run FOLDER`",
}


def _report(files: Files, error: ToolError | OSError, ctx: Context) -> None:
    span = files.frozen.layout.analysis.graph.spec.span
    if isinstance(error, ToolError):
        notes = ["\n".join(error.detail)] if error.detail else []
        message, code = error.message, error.code
    else:
        message, code, notes = f"cannot write `{error.filename}`: {error.strerror}", "E0703", []
    ctx.sink.add(code, message, span, label="while this pipeline was built", notes=notes, help=_HELP.get(code, ""))
