"""What a wheel says about itself: name, version, licence, what it requires. Its METADATA is read, nothing imported."""

from __future__ import annotations

import email
import email.message
import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from rspp_compiler.emit.toolchain import ToolError

_LICENCE_CHARS_MAX = 64  # a longer `License` field is the licence's text, not its name


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel. `requires` are the canonical names of what it needs on this Python, `extras` included.

    `expression` is an SPDX expression, `licence` a name where there is none; either may be "". `sboms` are the lists
    of bundled libraries that it carries (PEP 770), by their paths in it.
    """

    path: Path
    name: str
    version: str
    sha256: str
    summary: str
    expression: str
    licence: str
    requires: tuple[str, ...]
    sboms: tuple[str, ...]

    @property
    def pin(self) -> str:
        """A line of a requirements file that only this wheel satisfies."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def read_wheels(folder: Path, extras: Iterable[tuple[str, str]] = ()) -> tuple[Wheel, ...]:
    """Every wheel of a folder, by name. `extras` are (distribution, extra) that were asked for.

    Raises `ToolError` E0708 for a file that is no wheel.
    """
    wanted: set[tuple[str, str]] = {(canonicalize_name(name), extra) for name, extra in extras}
    found = [_metadata(path) for path in sorted(folder.glob("*.whl"))]
    for _, message, _ in found:
        wanted |= _extras_of(message)
    return tuple(sorted((_wheel(*one, wanted) for one in found), key=lambda wheel: wheel.name))


def _metadata(path: Path) -> tuple[Path, email.message.Message, tuple[str, ...]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            inside = next(name for name in names if name.endswith(".dist-info/METADATA") and name.count("/") == 1)
            message = email.message_from_bytes(archive.read(inside))
            sboms = tuple(sorted(name for name in names if ".dist-info/sboms/" in name and name.endswith(".json")))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise ToolError("E0708", f"`{path.name}` is not a wheel", [str(error)]) from error
    return path, message, sboms


def _requirements(message: email.message.Message) -> Iterable[Requirement]:
    for line in message.get_all("Requires-Dist", []):
        try:
            yield Requirement(line)
        except InvalidRequirement:  # of an older standard: pip has resolved it, only the graph lacks a line
            continue


def _extras_of(message: email.message.Message) -> set[tuple[str, str]]:
    return {(canonicalize_name(one.name), extra) for one in _requirements(message) for extra in one.extras}


def _wheel(path: Path, message: email.message.Message, sboms: tuple[str, ...], wanted: set[tuple[str, str]]) -> Wheel:
    name = canonicalize_name(message["Name"])
    active = ("", *sorted(extra for of, extra in wanted if of == name))
    requires = {
        canonicalize_name(one.name)
        for one in _requirements(message)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in active)
    }
    return Wheel(
        path=path,
        name=name,
        version=message["Version"],
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        summary=(message["Summary"] or "").strip(),
        expression=(message["License-Expression"] or "").strip(),
        licence=_licence(message),
        requires=tuple(sorted(requires)),
        sboms=sboms,
    )


def _licence(message: email.message.Message) -> str:
    """The licence's name: by its classifiers, else by a short `License` field."""
    prefix = "License :: "
    named = [one.split(" :: ")[-1] for one in message.get_all("Classifier", []) if one.startswith(prefix)]
    named = [one for one in named if one != "OSI Approved"]
    if named:
        return ", ".join(dict.fromkeys(named))
    text = (message["License"] or "").strip()
    return text if len(text) <= _LICENCE_CHARS_MAX and "\n" not in text else ""
