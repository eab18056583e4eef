"""fmt on large files takes a number of steps that grows with the file, and no faster. `benchmarks/` has the seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from counting import calls
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax import format as formatter
from rspp_compiler.syntax.format import format_file, format_source
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

SAMPLE = (Path(__file__).with_name("samples") / "phone_support.rspp").read_text(encoding="utf-8")


def large(lines: int) -> str:
    """A file of about so many lines, each sample squeezed so that everything has to be laid out anew."""
    copies = lines // SAMPLE.count("\n")
    return "\n".join(SAMPLE.replace("  ", " ").replace("phone_support", f"phone_{copy}") for copy in range(copies))


def test_a_large_file_takes_so_much_more_as_it_is_larger() -> None:
    few, many = (calls(format_source, Source("large.rspp", large(lines)), Context()) for lines in (300, 2400))
    assert many < 9 * few


SHAPES = {
    "many lines": lambda count: "pipeline a {\n" + "a.b -> c { x = 1 }\nabcdefghijklmnop -> c\n" * count + "}\n",
    "one long path": lambda count: "pipeline a { " + " -> ".join(["a.b"] * count) + " }\n",
    "one long list": lambda count: f"tool a : b {{ x = [{', '.join(['y(1)'] * count)}] }}\n",
    "many settings": lambda count: "tool a : b {\n" + "x = 1 # why\nlong = { y = 2 }\n" * count + "}\n",
    "many comments": lambda count: "# why\n\n" * count + "tool a : b\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_layout_is_linear(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times as much takes eight times as many calls. Only those of the layout are counted."""
    monkeypatch.setattr(formatter, "_read", lambda source, _ctx: read[source.name])
    counts = []
    read: dict[str, ast.File] = {}
    for count in (200, 1600):
        source = Source(str(count), SHAPES[shape](count))
        trees = parse((source,), Context())
        assert trees is not None
        read[source.name] = lower(trees, Context()).files[0]
        counts.append(calls(format_file, read[source.name], source))
    assert counts[1] < 9 * counts[0]
