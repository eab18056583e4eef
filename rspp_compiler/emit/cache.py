"""Built wheels, kept by what they were built from: the same package is compiled once a user."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def cache_folder() -> Path:
    """`$RSPP_CACHE`, else `$XDG_CACHE_HOME/rspp`, else `~/.cache/rspp`."""
    if own := os.environ.get("RSPP_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rspp"


def key_of(contents: Mapping[str, bytes], fingerprint: str) -> str:
    """The key of a package's files built with a toolchain."""
    digest = hashlib.sha256(fingerprint.encode() + b"\0")
    for path in sorted(contents):
        digest.update(path.encode() + b"\0" + hashlib.sha256(contents[path]).digest())
    return digest.hexdigest()


def find(key: str) -> Path | None:
    """The wheel kept under a key."""
    return next(iter(sorted((cache_folder() / "wheels" / key).glob("*.whl"))), None)


def keep(key: str, wheel: Path) -> Path:
    """Keeps a wheel under its key, in one step, so that two builds at a time do not disturb each other."""
    shelf = cache_folder() / "wheels" / key
    shelf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf.parent) as name:
        made = Path(name) / "new"
        made.mkdir()
        shutil.copy2(wheel, made / wheel.name)
        try:
            made.rename(shelf)
        except OSError:  # another build was first, with the same bytes
            if find(key) is None:
                raise
    return shelf / wheel.name
