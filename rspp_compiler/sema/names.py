"""Rules about the pipeline's own name and version: they become those of a Python package."""

from __future__ import annotations

import re
import sys

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph

# What every package imports; a package of that name would stand in its way.
_TAKEN = frozenset(
    {"rspp_runtime", "rspp_compiler", "setuptools", "cython", "pip", "wheel", "numpy", "msgpack", "rich"}
)
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){1,3}((a|b|rc)\d+)?")


def importable(graph: Graph, ctx: Context) -> None:
    """E0416: a package of that name could not be imported, or would hide one that Python needs."""
    name = graph.spec.name
    if name in sys.stdlib_module_names or name in _TAKEN:
        ctx.sink.add(
            "E0416",
            f"`{name}` is already a Python package",
            graph.spec.span,
            label="the generated package would hide it",
            help=f"choose another name, such as `{name}_agent`",
        )


def version_number(graph: Graph, ctx: Context) -> None:
    """E0418: the pipeline's version becomes that of a wheel, in its normal form."""
    if not _VERSION.fullmatch(graph.spec.version):
        ctx.sink.add(
            "E0418",
            f'"{graph.spec.version}" is not a version number',
            graph.spec.span,
            label="the generated package needs one",
            help='write two to four numbers: `version "1.2.0"`, or `version "1.2.0rc1"`',
        )
