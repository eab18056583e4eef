"""Diagnostics as workflow commands of GitHub Actions: one line each, shown beside the line of the change."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics.diagnostic import Diagnostic
from rspp_compiler.diagnostics.render import SHOWN_MAX

_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def to_github(diagnostics: Iterable[Diagnostic]) -> str:
    """`::error file=a.rspp,line=5,col=27,endColumn=30,title=E0203::no node`, at most 100, and a count of the rest.

    Notes and help follow the message on lines of their own. A place that spans lines has no columns: GitHub wants none.
    """
    found = list(diagnostics)
    lines = [_line(one) for one in found[:SHOWN_MAX]]
    if len(found) > SHOWN_MAX:
        lines.append(f"::notice::… and {len(found) - SHOWN_MAX} more")
    return "".join(f"{line}\n" for line in lines)


def _line(found: Diagnostic) -> str:
    span = found.primary
    properties: dict[str, str | int] = {"file": span.file, "line": span.line}
    if span.end_line == span.line:
        properties |= {"col": span.column, "endColumn": span.end_column}
    else:
        properties |= {"endLine": span.end_line}
    properties["title"] = found.code
    text = "\n".join([found.message, *found.notes, *([f"help: {found.help}"] if found.help else [])])
    named = ",".join(f"{name}={str(value).translate(_IN_PROPERTY)}" for name, value in properties.items())
    return f"::{found.severity} {named}::{text.translate(_IN_TEXT)}"
