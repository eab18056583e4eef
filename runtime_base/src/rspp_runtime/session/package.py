"""A generated package, found by its folder or its import name."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.abi.messages import Handler, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.providers.contract import Provider, ProviderError
from rspp_runtime.providers.registry import create
from rspp_runtime.telemetry.redaction import hide

SECRET = "secret"
ENV, FILE = "env://", "file://"


class PackageError(Exception):
    """A package cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """What a generated package offers."""

    name: str
    plan: Plan
    template_hash: str
    providers: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]  # node → its providers: name and options
    resources: Mapping[str, bytes]
    handlers: Mapping[str, str]  # node → "module:Callable"
    resolved: Mapping[str, Any]  # the plan's template of CONTRACTS §6
    opener: Callable[..., Session]

    def open_session(
        self, session_id: str, epoch: int, handlers: Sequence[Handler | None], kernel: str | None = None
    ) -> Session:
        """`kernel`: compiled, pure, or None for the best there is. Raises `PackageError`."""
        try:
            return self.opener(session_id, epoch, handlers, kernel=kernel)
        except ImportError as error:
            raise PackageError(
                f"{self.name} has no {kernel or 'usable'} kernel here ({error}): build it again with rsppc build, or "
                "use --kernel pure"
            ) from None

    def kernel_of(self, session: Session) -> str:
        """Which kernel a session runs on."""
        return "pure" if type(session).__module__.startswith("rspp_runtime.reference") else "compiled"


def load(reference: str) -> Package:
    """`reference` is a package's folder (its `src/` is put on the path) or an import name. Raises `PackageError`."""
    folder = Path(reference)
    src: Path | None = None
    is_path = os.sep in reference or reference in (".", "..")
    if is_path or any(folder.glob("src/*/__init__.py")):  # else a project's folder may be called like its package
        name, src = _name_in(folder), (folder / "src").resolve()
        sys.path.insert(0, str(src))
    else:
        name = reference
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.split(".")[0]:
            raise PackageError(f"{name} cannot be imported: {error}; {_again(error, name)}") from None
        raise PackageError(
            f"there is no package {reference!r}: give a generated folder (generated/{name}) or an installed package; "
            "rsppc build makes one"
        ) from None
    except ImportError as error:
        raise PackageError(f"{name} cannot be imported: {error}") from None
    except (SyntaxError, OSError) as error:  # a file of it was changed, or is gone
        raise PackageError(f"{name} cannot be imported: {error}; build it again with rsppc build --force") from None
    found = getattr(module, "__file__", None) or ""
    if src is not None and not _is_that(Path(found), src / name / "__init__.py"):
        raise PackageError(
            f"another {name} was imported before ({found or 'a folder of that name'}), and {folder} is not: a process "
            "has one package of a name"
        )
    missing = [field for field in ("PLAN", "TEMPLATE_HASH", "PROVIDERS", "open_session") if not hasattr(module, field)]
    if missing:
        raise PackageError(f"{name} is not a package that rsppc generated (it has no {', '.join(missing)})")
    return Package(
        name,
        module.PLAN,
        module.TEMPLATE_HASH,
        module.PROVIDERS,
        _resources(getattr(module, "RESOURCES", {})),
        getattr(module, "HANDLERS", {}),
        getattr(module, "RESOLVED_PLAN", {}),
        module.open_session,
    )


def _is_that(found: Path, init: Path) -> bool:
    """Whether a package was imported from there, or from a copy."""
    return found == init or (found.is_file() and found.read_bytes() == init.read_bytes())


def _again(error: ModuleNotFoundError, name: str) -> str:
    """What to do about a module that is missing: of the package itself, or one that it needs."""
    is_own = error.name is not None and error.name.startswith(f"{name}.")
    return "build it again with rsppc build" if is_own else f"install {error.name} beside it"


def _name_in(folder: Path) -> str:
    """The import name of the package in a generated folder."""
    if not folder.is_dir():
        raise PackageError(f"{folder}: there is no such folder; rsppc build makes it")
    found = sorted(path.parent.name for path in folder.glob("src/*/__init__.py"))
    if len(found) != 1:
        raise PackageError(f"{folder} is not a folder that rsppc generated (it has no src/NAME/__init__.py)")
    return found[0]


def _resources(given: Any) -> Mapping[str, bytes]:
    """Files that came with the package, by the path in its source."""
    loaded: Mapping[str, Any] = given() if callable(given) else given
    return {path: value() if callable(value) else value for path, value in loaded.items()}


Bound = Mapping[str, Sequence[tuple[str, Provider]]]
"""For each effect node its providers, by name, in the order in which they are tried."""


async def make_providers(package: Package) -> Bound:
    """The package's providers, prepared; nodes with the same provider and options share one object.

    Raises `ProviderError`, with the node's name in it.
    """
    made: dict[str, Provider] = {}
    bound: dict[str, list[tuple[str, Provider]]] = {node: [] for node in package.providers}
    try:
        for node, name, options in _candidates(package):
            key = f"{name} {sorted(options.items(), key=lambda item: item[0])!r}"
            if key not in made:
                made[key] = create(name, {k: _revealed(v, node, k) for k, v in options.items()}, package.resources)
                await made[key].prepare()
            bound[node].append((name, made[key]))
    except ProviderError as error:
        for provider in made.values():
            await provider.close()
        raise PackageError(f"node {node}: {error.reason}") from None
    return bound


def _candidates(package: Package) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every provider of every node: node, name, options."""
    for node, candidates in package.providers.items():
        for name, options in candidates:
            yield node, name, options


async def close_providers(bound: Bound) -> None:
    every = {id(provider): provider for candidates in bound.values() for _, provider in candidates}
    for provider in every.values():
        await provider.close()


def _revealed(value: Any, node: str, key: str) -> Any:
    """A secret's reference becomes its value, here and nowhere else; no line of a log has it."""
    if not (isinstance(value, Mapping) and set(value) == {SECRET}):
        return value
    found = _read(str(value[SECRET]), node, key)
    hide(found)
    return found


def _read(reference: str, node: str, key: str) -> str:
    if reference.startswith(FILE):
        return _read_secret(reference.removeprefix(FILE), node, key)
    if not reference.startswith(ENV):
        raise PackageError(f"node {node}: {key} = secret({reference!r}): only {ENV}NAME and {FILE}/PATH are known")
    variable = reference.removeprefix(ENV)
    if variable not in os.environ:
        raise PackageError(f"node {node}: {key} needs the environment variable {variable}, which is not set")
    return os.environ[variable]


def _read_secret(path: str, node: str, key: str) -> str:
    """The text of a file, as secrets are mounted into containers; one line's end at its end does not count."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PackageError(f"node {node}: {key} needs the file {path}, which cannot be read: {why}") from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise PackageError(f"node {node}: {key} needs the file {path}, which is empty")
    return secret
