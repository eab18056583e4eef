"""What is installed here: distributions, the runtime's declarations, a C compiler. Nothing is imported or started."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


def c_command() -> str:
    """The command that compiles C, as Python was built with or `CC` says; it may have arguments."""
    return os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")


def c_compiler() -> str | None:
    """Path of the C compiler, if there is one."""
    return shutil.which(c_command().split()[0])


def folder_of(package: str) -> Path | None:
    """Where an installed package lies, if it is there."""
    found = find_spec(package)
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None


def declarations() -> str | None:
    """Hash of the runtime's kernel declarations: what a compiled kernel is compiled against. None without a runtime."""
    runtime = folder_of("rspp_runtime")
    if runtime is None:
        return None
    digest = hashlib.sha256()
    for path in sorted((runtime / "kernel").glob("*.pxd")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def distributions() -> Iterator[Path]:
    """The metadata of every installed distribution, in the order in which Python looks for them."""
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)  # noqa: PTH208 (a path object for each file takes longer than all else)
        except OSError:  # a zip archive, or not there
            continue
        yield from (Path(place, name) for name in sorted(names) if name.endswith((".dist-info", ".egg-info")))


def is_installed(name: str, wheel: Path) -> bool:
    """Whether distribution `name` is what this wheel installs: each of its files is recorded with the same hash."""
    mine = (found for found in distributions() if _normal(found.name.split("-")[0]) == _normal(name))
    installed = next(mine, None)
    try:
        recorded = (installed / "RECORD").read_text(encoding="utf-8") if installed else ""
    except OSError:
        return False
    with zipfile.ZipFile(wheel) as archive:
        record = next(file for file in archive.namelist() if file.endswith(".dist-info/RECORD"))
        wanted = archive.read(record).decode().splitlines()
    return {line for line in wanted if not line.startswith(record)} <= set(recorded.splitlines())


def _normal(name: str) -> str:
    """A distribution's name in the one spelling that tools agree on."""
    return re.sub(r"[-_.]+", "-", name).lower()
