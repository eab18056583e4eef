"""Bundles: a pipeline with the files beside it becomes one program. What does not fit together is E0127."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.fixes import guess
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir import ast
from rspp_compiler.ir.bundle_form import BUNDLE, POLICY, PROFILE, ROLLOUT, RolloutForm
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import SPEC
from rspp_compiler.source import Source, Span
from rspp_compiler.source.files import is_file
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.json.edits import quoted
from rspp_compiler.syntax.json.scan import scan
from rspp_compiler.syntax.json.tree import Array, Document, Object, Text
from rspp_compiler.syntax.parse import Parsed

_ROLES = (("spec", SPEC), ("profile", PROFILE), ("policies", POLICY), ("rollout", ROLLOUT))


@dataclass(frozen=True, slots=True)
class _Part:
    """A file that a bundle names: its path, what it is to be, and where it is named."""

    path: str
    form: str
    span: Span


def parts(source: Source, ctx: Context) -> list[Path]:
    """The files that a bundle names and that are there. Mistakes in the bundle itself are left to `parse`."""
    root = scan(Findings(source, Sink()))
    found = list(_parts(source, root)) if isinstance(root, Object) else []
    there = [part for part in found if _is_there(part, source, ctx)]
    return [Path(path) for path in dict.fromkeys(part.path for part in there)]


def assemble(
    parsed: tuple[Parsed, ...], files: tuple[ast.File, ...], lost: frozenset[str], ctx: Context
) -> ast.Program | None:
    """One program: the pipeline, the policies of their own files before its own, its profile, its rollout."""
    bundle = next(one for one in parsed if isinstance(one.tree, Document) and one.tree.form == BUNDLE)
    assert isinstance(bundle.tree, Document)
    documents = {one.source.name: one.tree for one in parsed}
    found = {file.span.file: file for file in files}
    policies: list[ast.Item] = []
    spec: ast.File | None = None
    profile: Document | None = None
    rollout: Document | None = None
    for part in _parts(bundle.source, bundle.tree.root):
        document = documents.get(part.path)
        if document is None:
            continue  # it was reported
        is_form = document.form if isinstance(document, Document) else SPEC
        if is_form != part.form:
            message = f"`{PurePosixPath(part.path).name}` is a `{is_form}`, and a `{part.form}` belongs here"
            ctx.sink.add("E0127", message, part.span, help="name another file, or put it where it belongs")
        elif part.form == SPEC:
            spec = found[part.path]
        elif part.form == POLICY:
            policies += found[part.path].items
        elif isinstance(document, Document) and not document.unusable:
            profile, rollout = (document, rollout) if part.form == PROFILE else (profile, document)
    if spec is None:
        return None
    spec = replace(spec, items=tuple(policies) + spec.items)
    if profile is not None:
        spec = _with_profile(spec, profile, ctx)
    return ast.Program((spec,), lost, rollout=_rollout(rollout, spec, ctx) if rollout else None)


# ---- the files


def _parts(source: Source, root: Object) -> Iterator[_Part]:
    folder = PurePosixPath(source.name).parent
    for key, form in _ROLES:
        named = root.get(key)
        for one in named.items if isinstance(named, Array) else (named,):
            if isinstance(one, Text) and one.text:
                path = PurePosixPath(os.path.normpath(folder / one.text)).as_posix()
                yield _Part(path, form, source.span(one.start, one.end))


def _is_there(part: _Part, source: Source, ctx: Context) -> bool:
    if part.path in ctx.overlays or is_file(part.path):
        return True
    folder = Path(source.name).parent
    beside = sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/*.json"))[:200]
    written = os.path.relpath(part.path, folder)
    near = nearest(written, beside)
    fix = Fix(part.span, quoted(near)) if near else None
    help = f'did you mean "{near}"?' if near else "name a file relative to the folder of the bundle"
    ctx.sources[source.name] = source
    ctx.sink.add("E0127", f"no file `{written}`", part.span, help=help, fix=fix)
    return False


# ---- what must fit together


def _pipeline(spec: ast.File) -> ast.Pipeline | None:
    return next((item for item in spec.items if isinstance(item, ast.Pipeline)), None)


def _text(document: Document, key: str) -> tuple[str, Span]:
    node = document.root.get(key)
    assert isinstance(node, Text)
    return node.text, document.source.span(node.start, node.end)


def _with_profile(spec: ast.File, document: Document, ctx: Context) -> ast.File:
    """The pipeline gets the bundle's profile; one that it names itself must be the same."""
    pipeline = _pipeline(spec)
    name, at = _text(document, "execution_profile")
    if pipeline is None:
        return spec
    own = next((line for line in pipeline.lines if isinstance(line, ast.Profile)), None)
    if own is None:
        lines = (ast.Profile(name, at), *pipeline.lines)
        items = tuple(replace(item, lines=lines) if item is pipeline else item for item in spec.items)
        return replace(spec, items=items)
    if own.name != name:
        message = f"the bundle says `{name}`, and the pipeline `{own.name}`"
        secondary, help = [(own.span, "the pipeline's profile")], f'write `"{own.name}"` in both'
        ctx.sink.add("E0127", message, at, secondary=secondary, help=help, fix=Fix(at, quoted(own.name)))
    return spec


def _rollout(document: Document, spec: ast.File, ctx: Context) -> ast.Rollout:
    """The rollout; the version of the bundle's own pipeline must have a share in it."""
    form = RolloutForm.model_validate(document.root.plain)
    shares = tuple(
        ast.Share(share.pipeline_version, share.percentage, tuple(share.tenants or ())) for share in form.versions
    )
    pipeline = _pipeline(spec)
    version = pipeline.version.text if pipeline and pipeline.version else ""
    if pipeline and version not in {share.version for share in shares}:
        named = document.root.get("versions")
        first = named.items[0] if isinstance(named, Array) else document.root
        only = first.get("pipeline_version") if isinstance(first, Object) and len(shares) == 1 else None
        at = document.source.span(first.start, first.end)
        fix = guess(Fix(document.source.span(only.start, only.end), quoted(version))) if only and version else None
        secondary = [(pipeline.version.span, "its version")] if pipeline.version else []
        message = f"version {version} of the pipeline has no share" if version else "the pipeline has no version"
        help = f"give version {version} a share" if version else "give the pipeline a version that the rollout names"
        ctx.sink.add("E0127", message, at, secondary=secondary, help=help, fix=fix)
    span = document.source.span(document.root.start, document.root.end)
    return ast.Rollout(form.rollout_id, form.strategy, shares, span)
