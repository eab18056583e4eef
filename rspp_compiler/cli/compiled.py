"""What the commands have in common: a pipeline file, compiled as far as a command needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rspp_compiler.driver import Result


def compiled(
    file: Path,
    *,
    until: str,
    progress: bool = False,
    environment: list[Path] | None = None,
    values: list[str] | None = None,
    **options: Any,
) -> Result:
    from rspp_compiler.cli import report
    from rspp_compiler.driver import compile_pipeline
    from rspp_compiler.ir.context import Context, Options

    ctx = Context(options=Options(until=until, **options))
    if environment or values:
        from rspp_compiler.cli.layers import with_layers

        with_layers(ctx, [("environment", path) for path in environment or ()], values or ())
    if progress:
        ctx.progress = report.progress
        report.progress(f"{file}")
    result = compile_pipeline([file], ctx=ctx)
    built = result.values.get("compile")
    if built is not None:
        from rspp_compiler.emit.receipt import keep

        keep(file, built, ctx)
    return result
