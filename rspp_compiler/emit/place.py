"""What was built, put where it belongs: files in one piece, the wheel in `dist/`, the extension beside its source.

Nothing here knows a pass, so that what finds all of it in its place (`receipt`) need not load one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replaces a file in one step: a reader, or a crash, sees the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def put_wheel(wheel: Path, folder: Path) -> Path:
    """Copies a wheel into the package's `dist/`, and removes those of earlier builds; the copy."""
    target = folder / "dist" / wheel.name
    target.parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(target.parent.glob("*.whl")):
        if old != target:
            old.unlink()
    if not target.is_file() or target.read_bytes() != wheel.read_bytes():
        shutil.copy2(wheel, target)
    return target


def put_extension(wheel: Path, folder: Path, name: str) -> None:
    """Puts the wheel's extension beside its source, so that the package can be imported from its folder.

    One that another build left there would be loaded instead of what was just built, so it goes.
    """
    inside = folder / "src" / name
    with zipfile.ZipFile(wheel) as archive:
        wanted = {
            Path(member).name: archive.read(member)
            for member in archive.namelist()
            if Path(member).name.startswith("_kernel.") and Path(member).suffix in (".so", ".pyd")
        }
    for old in sorted(inside.glob("_kernel.*")):
        if old.suffix in (".so", ".pyd") and old.name not in wanted:
            old.unlink()
    for member, data in wanted.items():
        target = inside / member
        if not target.is_file() or target.read_bytes() != data:
            # A new file, not new bytes in the old one: a process that has the old one loaded keeps it.
            target.unlink(missing_ok=True)
            target.write_bytes(data)
            target.chmod(0o755)
