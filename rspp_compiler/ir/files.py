"""A generated package: in memory, on the disk, and built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rspp_compiler.ir.plan import Frozen


@dataclass(frozen=True, slots=True)
class Files:
    """The package as it shall be: path relative to its folder -> content. `name` is the import name."""

    name: str
    version: str
    contents: dict[str, bytes]
    frozen: Frozen = field(repr=False, metadata={"dump": False})

    def text(self, path: str) -> str:
        """A file's text; `KeyError` if the package has no such file."""
        return self.contents[path].decode("utf-8")


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` did, or would have done: paths relative to `folder`, sorted."""

    folder: Path
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    files: Files = field(repr=False, metadata={"dump": False})

    @property
    def drifted(self) -> bool:
        return bool(self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Built:
    """A package that can be imported. The cache keeps its wheel under `key`; `cached` says that it already did."""

    folder: Path
    wheel: Path
    backend: str
    key: str
    cached: bool
    installed: bool
    written: Written = field(repr=False, metadata={"dump": False})
