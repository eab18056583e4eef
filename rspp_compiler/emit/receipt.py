"""What a build was made of, and what it made, so that the same build need not be done again.

A build without findings leaves a receipt in the cache, one zip archive: `receipt.json`, and the files of the package.
Its key is everything that the result depends on: this compiler, Python and what is installed for it, the C toolchain,
the runtime's declarations, and the pipeline's text; the other files that the pipeline was made of are listed in it with
their hashes. When all of that is as it was, no pass need run: `restore` puts what is missing in its place. Anything
else (a file edited by hand, a wheel that is not installed yet) is left to the passes, which know what to say.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rspp_compiler.emit import cache, installed
from rspp_compiler.emit.place import put_extension, put_wheel, write_whole

if TYPE_CHECKING:
    from rspp_compiler.ir.context import Context
    from rspp_compiler.ir.files import Built

_FORMAT = "rspp.receipt.v1"
_ABOUT = "receipt.json"
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)


class Restored(NamedTuple):
    """The package is there as a build would leave it; `written` of its files were not there before."""

    folder: Path
    written: int


def restore(source: Path, output: Path, backend: str, *, install: bool) -> Restored | None:
    """What building `source` comes to, without a pass or a process; None if it has to be built.

    The folder below `output` must hold the package as it is kept, or nothing.
    """
    try:
        data = source.read_bytes()
        with zipfile.ZipFile(_shelf(source, data, backend)) as archive:
            about = json.loads(archive.read(_ABOUT))
            contents = {name: archive.read(name) for name in archive.namelist() if name != _ABOUT}
        if any(_digest((source.parent / path).read_bytes()) != digest for path, digest in about["inputs"].items()):
            return None
        wheel = cache.find(about["wheel"])
        if wheel is None or (install and not installed.is_installed(about["name"], wheel)):
            return None
        folder = output / about["name"]
        is_new = not folder.exists() or not any(folder.iterdir())
        if not is_new and any((folder / path).read_bytes() != data for path, data in contents.items()):
            return None
        for path, content in contents.items() if is_new else ():
            write_whole(folder / path, content)
        put_extension(put_wheel(wheel, folder), folder, about["name"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None  # the passes find the same, and have words for it
    return Restored(folder, len(contents) if is_new else 0)


def keep(source: Path, built: Built, ctx: Context) -> None:
    """Leaves the receipt of a build without findings. It is a help and no more: a cache that is full stops nobody."""
    if ctx.sink.diagnostics or ctx.options.debug or ctx.options.layers:
        return
    files, name = built.written.files, source.as_posix()
    # Hashes of what was read, not of what lies there by now.
    read = {path: b"\xef\xbb\xbf"[: text.bytes_before] + text.text.encode() for path, text in ctx.sources.items()}
    inputs = {
        os.path.relpath(path, source.parent): _digest(data)
        for path, data in read.items()
        if path != name and not path.startswith("execution_profile/")
    }
    inputs |= {resource.path: resource.sha256 for resource in files.frozen.resources}
    about = {"name": files.name, "wheel": built.key, "inputs": inputs}
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo(_ABOUT, _FIXED_DATE), json.dumps(about))
        for path, content in files.contents.items():
            archive.writestr(zipfile.ZipInfo(path, _FIXED_DATE), content)
    try:
        write_whole(_shelf(source, read[name], built.backend), made.getvalue())
    except OSError as error:
        ctx.progress(f"{files.name}: no receipt kept: {error.strerror}")


def _shelf(source: Path, data: bytes, backend: str) -> Path:
    """Where the receipt lies of what comes of these bytes here."""
    facts = [_FORMAT, sys.version, sysconfig.get_platform(), backend, source.name, *_around(backend)]
    key = hashlib.sha256("\n".join(facts).encode() + b"\0")
    key.update(_compiler() + data)
    return cache.cache_folder() / "receipts" / f"{key.hexdigest()}.zip"


def _around(backend: str) -> Iterator[str]:
    """What a build depends on besides its compiler and its files."""
    for path in installed.distributions():
        yield f"{path.name} {_stamp(path / 'entry_points.txt')}"  # packages register providers there
    if backend == "cython":
        compiler = installed.c_compiler()
        yield f"{installed.c_command()} {compiler} {_stamp(Path(compiler)) if compiler else ''}"
        yield installed.declarations() or ""


def _compiler() -> bytes:
    """Hash of this compiler with its grammar and its templates; the pages of its diagnostics aside."""
    digest = hashlib.sha256()
    for package in ("rspp_compiler", "rspp_compiler._grammar", "rspp_compiler._templates"):
        top = str(installed.folder_of(package))
        for place, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in ("__pycache__", "codes"))
            for name in sorted(names):
                with open(f"{place}/{name}", "rb") as file:  # noqa: PTH123 (as in `distributions`)
                    content = file.read()
                digest.update(f"{place.removeprefix(top)}/{name} {len(content)}\0".encode() + content)
    return digest.digest()


def _stamp(path: Path) -> str:
    """Size and time of a file that is too large to be read each time; "" if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
