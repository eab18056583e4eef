"""Files of another kind under our name: what they are, and how one begins here."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.diagnostic import Edit
from rspp_compiler.source import Source
from rspp_compiler.syntax.expected import DECLARATIONS

_BEGINS = "a file begins like `pipeline hello { … }`; `rsppc new NAME` writes one to start from"
_INSIDE = "flows are written `a -> b`, inside of `pipeline NAME { … }`"
_LINES_MAX = 200
_YAML_MIN = 3
# By what a text begins with, comments aside.
_BEGINNINGS = (
    (r"\{|\[\s*[\"{]", "this is JSON: the JSON form of a pipeline stands in a file that ends in `.json`"),
    (r"(?:flowchart|graph|sequenceDiagram|stateDiagram)\b", f"this is Mermaid: {_INSIDE}"),
    (r"(?:strict\s+)?(?:di)?graph\b", f"this is DOT: {_INSIDE}"),
    (r"(?:def|class|async)\s", f"this is Python; {_BEGINS}"),
    (r"<", f"this is XML; {_BEGINS}"),
)
_YAML_LINE = re.compile(r"[ \t]*(?:- )?[\w-]+:(?:[ \t]|$)|[ \t]*- \w")
_TOML_LINE = re.compile(r"\[\[?[\w.-]+\]\]?[ \t]*$")
_PIPELINE = re.compile(r"^[ \t]*(?:pipeline|module|provider|policy|tool)[ \t]+\w+.*[{)]", re.MULTILINE)


def other_kind(source: Source, *, looks_right: bool) -> tuple[str, Fix | None] | None:
    """What to say of a file that is none of ours, and the change that makes it one; None where it `looks_right`."""
    text = re.sub(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*", "", source.text)
    lines = [line for line in text.split("\n")[:_LINES_MAX] if line.strip()]
    if _PIPELINE.search(text):
        return None if looks_right else (_BEGINS, None)
    yaml = sum(_YAML_LINE.match(line) is not None for line in lines)
    if yaml >= _YAML_MIN and 2 * yaml > len(lines):
        return f"this is YAML; {_BEGINS}", None
    if re.match(r"(?:from[ \t]+[\w.]+[ \t]+import\b|import[ \t]+[\w.]+(?:[ \t]+as[ \t]+\w+)?$)", text, re.MULTILINE):
        return f"this is Python; {_BEGINS}", None
    if looks_right:
        return None
    said = next((help for beginning, help in _BEGINNINGS if re.match(rf"\s*{beginning}", text)), "")
    if said:
        return said, None
    if any(_TOML_LINE.match(line) for line in lines):
        return f"this is TOML; {_BEGINS}", None
    first = re.match(r"\s*(\w+)", text)
    if (first and first[1] in DECLARATIONS) or re.match(r"\s*[a-z_][\w.]*\s*->\s*[a-z_]", text):
        return "lines like these belong inside of `pipeline NAME { … }`", _wrapped(source)
    return _BEGINS, None


def _wrapped(source: Source) -> Fix:
    """The whole text as one pipeline."""
    size = len(source.text)
    end = "}\n" if source.text.endswith("\n") else "\n}\n"
    return Fix(source.span(0, 0), "pipeline hello {\n", (Edit(source.span(size, size), end),))
