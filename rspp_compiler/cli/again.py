"""A build that has nothing to do: found by its receipt, before anything is imported that could do it.

Typer alone takes longer than all that is done here, so `main` asks here first. Only the plainest command is understood,
`rsppc build FILE… [-o DIR] [--no-install]`; for every other, and where one package is not as it would be built, typer
and the passes are there. What is printed, and what is left behind, is the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rspp_compiler.cli import report
from rspp_compiler.emit.receipt import Restored, restore


class Plain(NamedTuple):
    """A plain command's arguments, with the defaults of `app.build`."""

    files: tuple[Path, ...]
    output: Path = Path("generated")
    install: bool = True


def built_again(arguments: Sequence[str]) -> bool:
    """Whether these arguments were a build that had nothing to do: then it is done."""
    plain = read(arguments)
    if plain is None:
        return False
    found = [restore(file, plain.output, "cython", install=plain.install) for file in plain.files]
    there = [one for one in found if one is not None]
    if len(there) < len(plain.files):
        return False
    for file, one in zip(plain.files, there, strict=True):
        tell(file, one, "cython")
    return True


def tell(file: Path, restored: Restored, backend: str) -> None:
    """What a build tells."""
    report.progress(f"{file}")
    if restored.written:
        report.progress(f"{restored.folder.name}: {restored.written} files written, 0 removed")
    report.there(restored.folder, backend, is_new=restored.written > 0)


def read(arguments: Sequence[str]) -> Plain | None:
    """The arguments of a plain build; None for any other command."""
    if list(arguments[:1]) != ["build"]:
        return None
    files: list[Path] = []
    plain = Plain(())
    words = iter(arguments[1:])
    for word in words:
        if word in ("-o", "--output") and (folder := next(words, "")):
            plain = plain._replace(output=Path(folder))
        elif word == "--no-install":
            plain = plain._replace(install=False)
        elif word.startswith("-"):
            return None
        else:
            files.append(Path(word))
    return plain._replace(files=tuple(files)) if files else None
