"""What a custom node or a tool runs: `python("module:Callable")`, `grpc("unix:///run/x.sock")`, `wasm("gate.wasm")`."""

from __future__ import annotations

import re
from typing import NamedTuple

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    what: str
    example: str


_FORMS = {
    "python": _Form(re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"), "a callable", "package.module:Callable"),
    "grpc": _Form(
        re.compile(r"unix:(//)?/[\w./-]+|dns:(//)?/?[\w.-]+:\d{1,5}|[A-Za-z][\w.-]*:\d{1,5}"),
        "a gRPC target",
        "unix:///run/node.sock",
    ),
    "wasm": _Form(re.compile(r"(?!/)[\w./-]+\.wasm"), "a WASM file", "node.wasm"),
}


def implementation(written: ast.Ref | ast.Call, kind: str, ctx: Context) -> str:
    """The reference in the brackets; "" when it is malformed, which has then been reported."""
    form = _FORMS[kind]
    args = written.args if isinstance(written, ast.Call) else ()
    if len(args) == 1 and isinstance(args[0], ast.Text) and form.pattern.fullmatch(args[0].text):
        return args[0].text
    fixed = f'{kind}("{form.example}")'
    if kind == "python" and len(args) == 1 and isinstance(args[0], ast.Text):
        module, _, name = args[0].text.rpartition(".")  # `shop.find`, as Python itself names it
        if form.pattern.fullmatch(f"{module}:{name}"):
            fixed = f'python("{module}:{name}")'
    if kind == "python" and len(args) == 2 and isinstance(args[0], ast.Text) and isinstance(args[1], ast.Text):
        fixed = f'python("{args[0].text}:{args[1].text}")'
    message, help = f"malformed reference to {form.what}", f"write `{fixed}`"
    ctx.sink.add("E0309", message, written.span, help=help, fix=Fix(written.span, fixed))
    return ""
