"""What the room raises without the libraries that it needs for the rest."""

from __future__ import annotations

from pathlib import Path

SERVE_EXTRA = "pip install 'rspp-runtime[serve]'"


class KeyFileError(Exception):
    """A file that gives no key. The message names the file, what is wrong, and what to do; never what is in it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
