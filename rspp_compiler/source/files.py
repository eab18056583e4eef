"""Whether something is there under a name that a user wrote: too long, with a NUL, not to be encoded, it is not."""

from __future__ import annotations

import os.path
from pathlib import Path


def is_file(path: str | Path) -> bool:
    """As `Path.is_file`, which before Python 3.14 raises OSError for some names."""
    return os.path.isfile(path)  # noqa: PTH113


def files_in(folder: Path) -> list[str]:
    """The names of the files in a folder, in order; none where it cannot be read."""
    try:
        return sorted(file.name for file in folder.iterdir() if file.is_file())
    except (OSError, ValueError):
        return []
