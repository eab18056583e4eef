"""The compiler on one screen: every pass in its order, and the loop that runs them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.context import Context, Options

# (pass, package, what `--emit` calls its result). A pass lives in `package/pass.py` as the function `pass(value, ctx)`.
PASSES: tuple[tuple[str, str, str], ...] = (
    ("load",          "syntax",   ""),          # paths    → sources
    ("parse",         "syntax",   ""),          # sources  → trees
    ("lower",         "syntax",   "ast"),       # trees    → AST
    ("link",          "syntax",   ""),          # imports  → one program
    ("resolve",       "sema",     ""),          # names    → bound AST
    ("layers",        "sema",     ""),          # names    → with values of an environment, tenant, session
    ("apply_profile", "sema",     ""),          # gaps     → values with an origin
    ("validate",      "sema",     "spec"),      # fields   → PipelineSpec
    ("build_graph",   "sema",     ""),          # spec     → graph
    ("check",         "sema",     "graph"),     # graph    → the same graph, checked
    ("analyze",       "analysis", "analysis"),  # graph    → eleven proofs, each with its witness
    ("layout",        "layout",   "layout"),    # analysis → ids, offsets, masks, tables
    ("freeze",        "layout",   "plan"),      # layout   → plan template and its hash
    ("target",        "layout",   ""),          # plan     → the same plan, if the runtime can run it
    ("render",        "emit",     ""),          # plan     → files, in memory
    ("write",         "emit",     ""),          # files    → a folder
    ("compile",       "emit",     ""),          # folder   → wheel
)  # fmt: skip

# From here on a pass trusts what it is given: it runs only when no error was found before.
_TRUSTING = "analyze"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a compilation: each pass's value, by the pass's name, as far as it got."""

    values: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...]
    context: Context

    @property
    def ok(self) -> bool:
        return not any(found.severity == "error" for found in self.diagnostics)

    def stage(self, name: str) -> Any:
        """The value that `--emit name` prints; None when the compilation did not come that far."""
        return self.values.get(next(one for one, _, stage in PASSES if stage == name))


def compile_pipeline(paths: Sequence[Path], options: Options | None = None, ctx: Context | None = None) -> Result:
    """Compiles one program, which may lie in several files. Errors are data: see `Result.diagnostics`.

    Raises `ValueError` for an `until` that is no pass: it would run them all, and write.
    """
    ctx = ctx or Context(options=options or Options())
    names = [name for name, _, _ in PASSES]
    if ctx.options.until not in names:
        raise ValueError(f"until={ctx.options.until!r} is no pass (there are: {', '.join(names)})")
    value: Any = tuple(paths)
    values: dict[str, Any] = {}
    trusting = False
    for name, package, _ in PASSES:
        trusting = trusting or name == _TRUSTING
        if trusting and ctx.sink.has_errors:
            break
        with _collector_at_rest():
            value = values[name] = pass_function(package, name)(value, ctx)
        if value is None or name == ctx.options.until:
            break
    return Result(values, ctx.sink.diagnostics, ctx)


def lint_pipeline(paths: Sequence[Path], ctx: Context) -> Result:
    """Compiles as far as `ctx` says, and adds what `lint` has to say. A file without a pipeline is a library to it."""
    result = compile_pipeline(paths, ctx=ctx)
    program = result.values.get("link")
    if program is None:
        return result
    subject = import_module("rspp_compiler.lint.subject").Subject(
        program,
        pass_function("sema", "index")(program),
        import_module("rspp_compiler.sema.language.kinds").NODE_KINDS,
        ctx.sources,
        result.values.get("validate"),
        result.values.get("analyze"),
        is_whole=not any(found.code.startswith("E01") for found in result.diagnostics),
    )
    found = pass_function("lint", "lint")(subject, ctx)
    return Result(result.values, tuple(one for one in found if one.code != "E0211"), ctx)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """A pass makes many objects and no cycles: to look for them time and again takes a third of all the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def pass_function(package: str, name: str) -> Callable[..., Any]:
    """The function of a pass; imported when it is first needed, so that `rsppc check` never loads the C toolchain."""
    function: Callable[..., Any] = getattr(import_module(f"rspp_compiler.{package}.{name}"), name)
    return function
