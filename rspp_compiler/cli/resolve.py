"""`rsppc resolve`: the effective pipeline, every value with the place that it came from."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rspp_compiler.cli.layers import Files, with_layers
from rspp_compiler.cli.report import has_colour, no_policy, shown
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Context, LayerName, Options
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import PipelineSpec
from rspp_compiler.sema.effective import Row, effective
from rspp_compiler.sema.graph.variants import under

_BLOCKS = ("budget", "provider", "tool", "mode", "party", "port")
_KEY_MAX, _VALUE_MAX = 44, 40
_GREY, _BOLD, _OFF = "\x1b[90m", "\x1b[1m", "\x1b[0m"


def resolve(file: Path, files: Files, values: Sequence[str]) -> Result:
    """Compiles the file, its layers applied, as far as every value is known."""
    ctx = Context(options=Options(until="validate"))
    with_layers(ctx, files, values)
    return compile_pipeline([file], ctx=ctx)


def print_rows(result: Result, policy: str, only: str, *, as_json: bool) -> str:
    """Prints the values whose key is or begins with `only`, as `policy` leaves them; says what there is nothing of."""
    spec: PipelineSpec = result.stage("spec")
    if policy:
        chosen = next((one for one in spec.policies if one.id == policy), None)
        if chosen is None:
            return no_policy(spec, policy)
        spec = under(spec, chosen)
    rows = [row for row in effective(spec) if _is_of(row.key, only)]
    if not rows:
        names = sorted({word for row in effective(spec) for word in re.findall(r"\w+(?:\.\w+)*", row.key)})
        near = nearest(only, names)
        return f"nothing is called {only}" + (f"; did you mean {near}?" if near else "")
    layers = {layer.source.name: layer.name for layer in result.context.options.layers}
    if as_json:
        document = [{"key": row.key, "value": row.value, "origin": _origin(row.origin, layers)} for row in rows]
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        _table(rows, layers)
    return ""


def _is_of(key: str, only: str) -> bool:
    """`llm` asks for what is the node's, and for its ports, its flows, its budget, the block of that name."""
    names = [name.removeprefix(f"{word}.") for name in re.split(r" -> |: | ", key) for word in ("", *_BLOCKS)]
    return not only or any(name == only or name.startswith(f"{only}.") for name in (key, *names))


def _group(key: str) -> str:
    """Keys of one group stand together: a node, a flow, a block."""
    if "->" in key and not key.startswith("budget."):
        return key.rpartition(" -> ")[0] + key.rpartition(" -> ")[2].split(".")[0]
    head, *rest = key.removeprefix("port ").split(".")
    return f"{head}.{rest[0]}" if head in ("provider", "tool", "mode", "policy") and rest else head


def _table(rows: list[Row], layers: dict[str, LayerName]) -> None:
    colour = has_colour(sys.stdout)
    key_width = min(_KEY_MAX, max((len(row.key) for row in rows), default=0))
    value_width = min(_VALUE_MAX, max((len(row.value) for row in rows), default=0))
    group = _group(rows[0].key) if rows else ""
    for row in rows:
        if _group(row.key) != group:
            group = _group(row.key)
            print()
        where = _where(row.origin, layers)
        value = row.value if len(row.value) <= _VALUE_MAX * 2 else f"{row.value[: _VALUE_MAX * 2]}…"
        line = f"{row.key:<{key_width}}  {value:<{value_width}}  "
        is_own = row.origin.kind == "user"
        print(line + (f"{_BOLD if is_own else _GREY}{where}{_OFF}" if colour else where))


def _where(origin: Origin, layers: dict[str, LayerName]) -> str:
    """`voice_assistant.rspp:8`, `profile simple/v1:9`, `tenant acme.toml:2`, `derived: …`."""
    at = origin.span
    if origin.kind == "derived":
        return f"derived: {origin.reason}"
    if origin.kind == "profile":
        return f"profile {at.file.removeprefix('execution_profile/')}:{at.line}"
    if at.file == "--set":
        return "--set"
    layer = layers.get(at.file)
    return f"{layer} {shown(Path(at.file))}:{at.line}" if layer else f"{shown(Path(at.file))}:{at.line}"


def _origin(origin: Origin, layers: dict[str, LayerName]) -> dict[str, str | int]:
    at = origin.span
    kind = "profile" if origin.kind == "profile" else "derived" if origin.kind == "derived" else "file"
    file = at.file if kind == "profile" or at.file == "--set" else shown(Path(at.file))
    found: dict[str, str | int] = {
        "kind": layers.get(at.file, kind),
        "file": file,
        "line": at.line,
        "column": at.column,
    }
    return found | ({"reason": origin.reason} if origin.reason else {})
