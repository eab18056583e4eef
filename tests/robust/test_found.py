"""What the fuzzer found, as short as it could be made: each once made the compiler fall over."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Context, Options

FOUND = {
    "a bracket in a head that was mended": ("pipeline a ({\n  b -> c }\n}\n", {"E0111"}),
    "a head inside a condition": (
        'policy p when a and not (b in ["*" c ? {\n}\npipelin x version "0" {\n  r & s\n}\n',
        {"E0110", "E0111"},
    ),
    "a comma outside of every bracket": ('import a,{ b from "c.rspp" version "1"\n', {"E0110", "E0111", "E0211"}),
    "two blocks behind one line": (
        "tool book (day : text, seats : num\n    buffer = 1\n  }\n  mode m {\n}\n}\n",
        {"E0110", "E0111", "E0112"},
    ),
    "a name behind a text that does not end": ('pipeline aBc {\n  meta { x = "y }\n}\n', {"E0113", "E0213"}),
    "the level of a policy's recording": (
        'policy p when session.tenant == "x" { record L5 }\npipeline a {}\n',
        {"E0307"},
    ),
    "a mended bracket in settings that stand in none": ('peline v{\nmode y f=(""}', {"E0110"}),
    "a file name of 300 characters": (f'pipeline a {{ node llm {{ system = file("{"x" * 300}") }} }}\n', {"E0309"}),
    "an import of a file name of 300 characters": (f'import a from "{"x" * 300}.rspp"\npipeline a {{}}\n', {"E0218"}),
    "a provider block that does not end": ("pipeline a {\n}\nprovider realtime {", {"E0310"}),
}


@pytest.mark.parametrize(("text", "codes"), FOUND.values(), ids=FOUND)
def test_is_told_and_nothing_raised(text: str, codes: set[str]) -> None:
    ctx = Context(options=Options(until="check"), overlays={"a.rspp": text})
    found = {one.code for one in compile_pipeline([Path("a.rspp")], ctx=ctx).diagnostics}
    assert codes & found, found
