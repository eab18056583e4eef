"""What the commands print. What a function prints by is imported where it prints, as in `app`."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rspp_compiler.driver import Result
    from rspp_compiler.ir.spec import PipelineSpec


def has_colour(to: TextIO) -> bool:
    """Colour for a terminal, unless NO_COLOR says otherwise; FORCE_COLOR asks for it anywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (to.isatty() and os.environ.get("TERM") != "dumb")


def findings(results: list[Result], *, to: TextIO, format: str = "text") -> None:
    """The diagnostics of all files as one document: `text`, `json`, `sarif` or `github`, files named as from here."""
    found = list(dict.fromkeys(one for result in results for one in result.diagnostics))
    if format == "text":
        if not found:
            return
        from rspp_compiler.diagnostics.render import render

        sources = {name: source for result in results for name, source in result.context.sources.items()}
        to.write(render(found, sources, colour=has_colour(to)))
        return
    name = cache(lambda file: shown(Path(file)))
    found = [one.renamed(name) for one in found]
    if format == "json":
        from rspp_compiler.diagnostics.machine import to_json

        to.write(to_json(found))
    elif format == "sarif":
        from rspp_compiler import __version__
        from rspp_compiler.diagnostics.sarif import to_sarif

        to.write(to_sarif(found, __version__))
    else:
        from rspp_compiler.diagnostics.github import to_github

        to.write(to_github(found))


def progress(message: str) -> None:
    """One line of what is being done."""
    print(f"rsppc  {message}", file=sys.stderr, flush=True)


def last_pass(stage: str) -> str:
    """The pass whose result `--emit STAGE` prints."""
    from rspp_compiler.driver import PASSES

    return next(name for name, _, of_pass in PASSES if of_pass == stage)


def stage(result: Result, name: str) -> None:
    from rspp_compiler.ir.dump import to_json

    sys.stdout.write(to_json(result.stage(name)))


def built(result: Result) -> None:
    """Where the package is, and whether anything had to be done."""
    package = result.values.get("compile")
    if package is None:
        return
    there(package.folder, package.backend, is_new=not package.cached or package.written.drifted)


def there(folder: Path, backend: str, *, is_new: bool) -> None:
    progress(f"{shown(folder)} {'built' if is_new else 'unchanged, nothing to do'} ({backend})")


def no_policy(spec: PipelineSpec, name: str) -> str:
    """What to say of a policy that a pipeline does not have."""
    names = [policy.id for policy in spec.policies]
    return f"no policy is called {name}; there is {' and '.join(names) if names else 'none'}"


def drift(result: Result, *, to: TextIO) -> bool:
    """Lists the files that differ from what the compiler writes today; whether there are any."""
    written = result.values.get("write")
    if written is None or not written.drifted:
        return False
    for word, paths in (("differs", written.changed), ("stale", written.removed)):
        for path in paths:
            print(f"{word}: {shown(written.folder)}/{path}", file=to)
    print("run `rsppc build` to write them anew", file=to)
    return True


def package_folder(result: Result) -> Path:
    folder: Path = result.values["compile"].folder
    return folder


def graph(result: Result, format: str, policy: str) -> str | None:
    """The graph in one of its forms, with a final newline; None if there is no such policy."""
    whole = result.stage("graph")
    drawn = next((one for one in (whole, *whole.variants) if one.policy == policy), None)
    if drawn is None:
        return None
    if format == "mermaid":
        from rspp_compiler.emit.mermaid import mermaid

        return mermaid(drawn).rstrip() + "\n"
    if format == "dot":
        from rspp_compiler.emit.dot import dot

        return dot(drawn)
    if format == "json":
        from rspp_compiler.ir.dump import to_json

        return to_json(drawn)
    from rspp_compiler.emit.picture import picture

    analysis = result.stage("analysis")
    known = (analysis, *analysis.variants) if analysis else ()
    return picture(drawn, next((one for one in known if one.policy == policy), None))


def doc(result: Result | None) -> str:
    """The page of a pipeline, "" if it has errors; of the language where there is no pipeline."""
    if result is None:
        from rspp_compiler.cli.doc import language_page

        return language_page()
    from rspp_compiler.emit.pipeline_page import pipeline_page

    return pipeline_page(result.stage("plan")) if result.ok and result.stage("plan") else ""


def explain(code: str) -> bool:
    """Prints the page of a code; whether there is one."""
    from rspp_compiler.diagnostics.catalog import CODES, page

    if code not in CODES:
        from rspp_compiler.diagnostics.nearest import nearest

        near = nearest(code, CODES)
        hint = f"; did you mean {near}?" if near else f"; codes run from {min(CODES)} to {max(CODES)}"
        print(f"rsppc explain: no code {code}{hint}", file=sys.stderr)
        return False
    text = page(code)
    if has_colour(sys.stdout):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        sys.stdout.write(text)
    return True


def shown(path: Path) -> str:
    """A file or folder as a user would name it from here."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
