"""The options that several commands of `rsppc` share, and what they can be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Emit(StrEnum):
    ast = "ast"
    spec = "spec"
    graph = "graph"
    analysis = "analysis"
    layout = "layout"
    plan = "plan"


class Backend(StrEnum):
    cython = "cython"
    python = "python"


class ErrorFormat(StrEnum):
    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class GraphFormat(StrEnum):
    mermaid = "mermaid"
    dot = "dot"
    svg = "svg"
    json = "json"


class Notation(StrEnum):
    rspp = "rspp"
    json = "json"


Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Pipeline files.")]
OneFile = Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline file.")]
Format = Annotated[ErrorFormat, typer.Option("--error-format", help="How findings are printed.")]
Json = Annotated[bool, typer.Option("--json", help="The same as --error-format json.")]
Fix = Annotated[bool, typer.Option("--fix", help="Make the fixes in the files, and say what they changed.")]
FixAll = Annotated[bool, typer.Option("--fix-all", help="The same, with those that guess or take something away.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the generated packages.")]
Environment = Annotated[
    list[Path] | None, typer.Option("--environment", metavar="FILE", help="Values of an environment, TOML.")
]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One value, such as llm.temperature=0.2.")
]
BackendOption = Annotated[Backend, typer.Option("--backend", help="python needs no C compiler, and is slow.")]
