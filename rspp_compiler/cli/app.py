"""The commands of `rsppc`. What a command needs is imported when it runs, so that `--help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rspp_compiler import __version__
from rspp_compiler.cli import EXIT_USAGE
from rspp_compiler.cli.compiled import compiled as _compile
from rspp_compiler.cli.forms import fmt, schema
from rspp_compiler.cli.leave import leave, put
from rspp_compiler.cli.options import (
    Backend,
    BackendOption,
    Emit,
    Environment,
    ErrorFormat,
    Files,
    Fix,
    FixAll,
    Format,
    GraphFormat,
    Json,
    OneFile,
    Output,
    Values,
)
from rspp_compiler.cli.package import package

if TYPE_CHECKING:
    from rspp_compiler.driver import Result
    from rspp_compiler.ir.context import LayerName

app = typer.Typer(
    name="rsppc",
    help="Compiles a voice agent's pipeline into a Python package with a compiled hot path.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(f"rsppc {__version__}")
        raise typer.Exit


@app.command()
def check(
    files: Files,
    environment: Environment = None,
    values: Values = None,
    sessions: Annotated[int, typer.Option(metavar="N", min=1, help="Say what so many sessions take of memory.")] = 1,
    error_format: Format = ErrorFormat.text,
    json: Json = False,
    fix: Fix = False,
    fix_all: FixAll = False,
) -> None:
    """Reports every mistake in pipelines, with its fix.

    A pipeline without one gets its figures: size, latency at worst, memory; and the assumptions that they rest on.
    """
    from rspp_compiler.cli import report
    from rspp_compiler.cli.summary import summary

    format = _format(error_format, json)

    def run() -> list[Result]:
        return [_compile(file, until="freeze", environment=environment, values=values) for file in files]

    results = _fixed(run, fix, fix_all, format)
    report.findings(results, format=format, to=sys.stdout)
    if format == "text":
        for result in results:
            sys.stdout.write(summary(result, sessions))
    leave(results)


@app.command()
def lint(
    files: Files,
    error_format: Format = ErrorFormat.text,
    json: Json = False,
    fix: Fix = False,
    fix_all: FixAll = False,
) -> None:
    """Reports what compiles and is better done otherwise.

    And every mistake that `check` reports. rspp.toml says which warnings a project wants.
    """
    from rspp_compiler.cli import report
    from rspp_compiler.driver import lint_pipeline
    from rspp_compiler.ir.context import Context, Options

    def run() -> list[Result]:
        return [lint_pipeline([file], Context(options=Options(until="layout"))) for file in files]

    format = _format(error_format, json)
    results = _fixed(run, fix, fix_all, format)
    report.findings(results, format=format, to=sys.stdout)
    leave(results, any(result.diagnostics for result in results))


@app.command()
def build(
    files: Files,
    output: Output = Path("generated"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")] = False,
    emit: Annotated[Emit | None, typer.Option("--emit", help="Print this stage as JSON, and stop there.")] = None,
    backend: BackendOption = Backend.cython,
    force: Annotated[bool, typer.Option("--force", help="Overwrite generated files that were edited by hand.")] = False,
    install: Annotated[bool, typer.Option(help="Install the wheel into the current environment.")] = True,
    debug: Annotated[
        bool, typer.Option("--debug", help="Compile the kernel with checks and line tracing; slow.")
    ] = False,
    environment: Environment = None,
    values: Values = None,
    watch: Annotated[bool, typer.Option("--watch", help="Build again whenever a file changes, until Ctrl-C.")] = False,
    error_format: Format = ErrorFormat.text,
    json: Json = False,
) -> None:
    """Builds each pipeline into a package below DIR."""
    from rspp_compiler.cli import report

    format = "text" if emit else _format(error_format, json)
    until = report.last_pass(emit) if emit else "write" if check else "compile"
    options: dict[str, Any] = {
        "output": output,
        "backend": backend.value,
        "check_drift": check,
        "force": force,
        "install": install,
        "debug": debug,
    }
    options |= {"environment": environment, "values": values}

    def once() -> list[Result]:
        results: list[Result] = []
        for file in files:
            result = _compile(file, until=until, progress=emit is None and format == "text", **options)
            results.append(result)
            if emit and result.ok:
                report.stage(result, emit)
        # With --emit, the output is the stage alone; findings still need to be seen.
        report.findings(results, format=format, to=sys.stderr if format == "text" else sys.stdout)
        if not check and not emit and format == "text":
            for result in results:
                report.built(result)
        return results

    if watch:
        from rspp_compiler.cli.watch import watch as build_again

        build_again(files, once)
        return
    results = once()
    drifted = [check and report.drift(result, to=sys.stdout if format == "text" else sys.stderr) for result in results]
    leave(results, any(drifted))


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A pipeline file, the older version.")],
    new: Annotated[Path | None, typer.Argument(metavar="NEW", help="The newer version.")] = None,
    against: Annotated[str, typer.Option(metavar="REF", help="Compare OLD with what it was at this commit.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Says what a change means for those who use the pipeline.

    Exit code 1 if someone must act before the new version can take the old one's place.
    """
    from rspp_compiler.cli.diff import run_diff

    raise typer.Exit(run_diff(old, new, against, as_json=json))


@app.command()
def doc(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A pipeline file.")] = None,
    language: Annotated[bool, typer.Option("--language", help="The reference of the language instead.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PATH", help="Write it there.")] = None,
) -> None:
    """Writes what there is to know about a pipeline on one page, in Markdown.

    Its graph, bounds, worst cases, what a cancel reaches, and what all of it rests on.
    """
    from rspp_compiler.cli import report

    if (file is None) == (not language):
        print("rsppc doc: name a pipeline file, or --language", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE)
    result = _compile(file, until="freeze") if file else None
    if result is not None:
        report.findings([result], to=sys.stderr)
    text = report.doc(result)
    put(text, output if text else None, "doc")
    if result is not None:
        leave([result])


@app.command()
def explain(code: Annotated[str, typer.Argument(metavar="CODE", help="The code of a finding, such as E0203.")]) -> None:
    """Explains the code of a finding.

    With an example of what causes it, and one of what is right.
    """
    from rspp_compiler.cli import report

    if not report.explain(code.upper()):
        raise typer.Exit(EXIT_USAGE)


app.command()(fmt)


@app.command()
def graph(
    file: OneFile,
    format: Annotated[GraphFormat, typer.Option("--format", help="How to draw it.")] = GraphFormat.mermaid,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there.")] = None,
    policy: Annotated[str, typer.Option(metavar="NAME", help="Draw it as this policy leaves it.")] = "",
) -> None:
    """Draws the pipeline, with the converters that the compiler inserts.

    mermaid and dot for other tools, json for machines; svg is a picture with the share of the turn budget of each node.
    """
    from rspp_compiler.cli import report

    result = _compile(file, until="analyze" if format is GraphFormat.svg else "check")
    report.findings([result], to=sys.stderr)
    if result.stage("graph") is None:
        leave([result])
    drawn = report.graph(result, format.value, policy)
    if drawn is None:
        print(f"rsppc graph: {report.no_policy(result.stage('graph').spec, policy)}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE)
    put(drawn, output, "graph")
    leave([result])


@app.command()
def lsp(
    tcp: Annotated[
        int | None, typer.Option("--tcp", metavar="PORT", min=1, max=65535, help="Serve on 127.0.0.1, for debugging.")
    ] = None,
) -> None:
    """Serves an editor: findings as you type, hover, completion, rename, format.

    It speaks the Language Server Protocol on stdin and stdout.
    """
    from rspp_compiler.cli.lsp import serve

    if problem := serve(tcp):
        print(f"rsppc lsp: {problem}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the project and its pipeline, in snake_case.")],
) -> None:
    """Writes a project to start from, in a new folder."""
    from rspp_compiler.cli.new import new_project

    if problem := new_project(name, Path.cwd()):
        print(f"rsppc new: {problem}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE)


app.command()(package)


@app.command()
def resolve(
    file: OneFile,
    environment: Environment = None,
    tenant: Annotated[Path | None, typer.Option("--tenant", metavar="FILE", help="Values of a tenant, TOML.")] = None,
    session: Annotated[
        Path | None, typer.Option("--session", metavar="FILE", help="Values of a session, TOML.")
    ] = None,
    values: Values = None,
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="As this policy leaves the pipeline.")] = "",
    only: Annotated[str, typer.Option("--only", metavar="KEY", help="Only these values: llm, provider.stt.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> None:
    """Prints every value of a pipeline, and where it came from.

    Defaults of the profile, the file, an environment, a tenant, a session: each overrides those before it.
    """
    from rspp_compiler.cli import report
    from rspp_compiler.cli import resolve as command

    layers: list[tuple[LayerName, Path]] = [("environment", path) for path in environment or ()]
    layers += [("tenant", tenant)] if tenant else []
    layers += [("session", session)] if session else []
    result = command.resolve(file, layers, values or [])
    if not result.ok:
        report.findings([result], to=sys.stderr)
    leave([result])
    if problem := command.print_rows(result, policy, only, as_json=json):
        print(f"rsppc resolve: {problem}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    file: OneFile,
    output: Output = Path("generated"),
    backend: BackendOption = Backend.cython,
) -> None:
    """Builds a pipeline and runs it.

    `rsppc run FILE --wav question.wav`, or `--text "…"`.

    All other options go to `rspp run`; `rspp run --help` lists them.
    """
    from rspp_compiler.cli.run import run_package

    raise typer.Exit(run_package("run", _folder_of(file, output, backend), file, context.args))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(
    context: typer.Context,
    file: OneFile,
    output: Output = Path("generated"),
    backend: BackendOption = Backend.cython,
) -> None:
    """Builds a pipeline and serves it: talk to it in a browser.

    For development: this machine only, no keys, each session recorded in out/sessions. Options of `rspp serve` go to
    it; `rspp serve --help` lists them. In production: `python -m PACKAGE serve`.
    """
    from rspp_compiler.cli.run import run_package, serving

    raise typer.Exit(run_package("serve", _folder_of(file, output, backend), file, serving(context.args)))


app.command()(schema)


def _folder_of(file: Path, output: Path, backend: Backend) -> Path:
    """The package of a pipeline, built if it is not there as it should be. Leaves the command if that fails."""
    from rspp_compiler.cli import again, report
    from rspp_compiler.emit.receipt import restore

    there = restore(file, output, backend.value, install=True)
    if there is not None:
        again.tell(file, there, backend.value)
        return there.folder
    result = _compile(file, until="compile", progress=True, output=output, backend=backend.value)
    report.findings([result], to=sys.stderr)
    leave([result])
    report.built(result)
    return report.package_folder(result)


def _format(error_format: ErrorFormat, json: bool) -> str:
    if json and error_format not in (ErrorFormat.text, ErrorFormat.json):
        raise typer.BadParameter("--json is --error-format json: give one of them")
    return "json" if json else error_format.value


def _fixed(run: Callable[[], list[Result]], fix: bool, fix_all: bool, format: str) -> list[Result]:
    """The results of a run; with `--fix` or `--fix-all`, of the run after everything was fixed that can be."""
    if not fix and not fix_all:
        return run()
    from rspp_compiler.cli.fix import fix as make_fixes

    try:
        return make_fixes(run, sys.stdout if format == "text" else sys.stderr, everything=fix_all)
    except OSError as error:
        print(f"rsppc: cannot change {error.filename}: {error.strerror}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from None
