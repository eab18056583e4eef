"""The corpus of good pipelines: where they lie, each compiled once for whoever asks, and its stages as prose.

A case is `NAME.rspp`, or a folder `NAME/` with a file of that name and all that this one needs.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import PurePath
from typing import Any

from pipelines import ROOT, value
from prose import Reader, Record, Tree, difference, render
from rspp_compiler.driver import Result, lint_pipeline, pass_function
from rspp_compiler.ir.context import STAGES, Context, Options
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.files import Files
from rspp_compiler.layout.target import missing

GOOD = ROOT / "tests" / "corpus" / "good"
FILES = tuple(sorted(GOOD.rglob("*.rspp")))
CASES = {path.stem: path for path in FILES if path.parent == GOOD or path.parent == GOOD / path.stem}

# What repeats in every golden, or follows from what stands beside it.
_LEFT_OUT = {
    "ast": ("arrow",),
    "spec": ("events", "source", "source_port", "target", "target_port"),
    "graph": ("source", "source_port", "target", "target_port"),
    "analysis": ("handling",),
    "layout": ("template_hash",),
    "plan": (),
}


@cache
def compiled(name: str) -> Result:
    """The case, compiled as far as nothing is written; its findings are those of `lint` too."""
    return lint_pipeline([CASES[name]], Context(options=Options(until="freeze")))


@cache
def texts(name: str) -> dict[str, str]:
    """Every stage of a case, as prose."""
    return stage_texts(compiled(name))


def is_run(name: str) -> bool:
    """Whether the runtime of this version can run the case."""
    return not missing(value(compiled(name), "freeze"))


@cache
def generated(name: str) -> Files:
    """The files of the case's package."""
    files: Files = pass_function("emit", "render")(value(compiled(name), "freeze"), compiled(name).context)
    return files


def stage_texts(result: Result) -> dict[str, str]:
    """Every stage of a compilation, as prose."""
    program = value(result, "link")  # the AST with that of the files it imports
    file = PurePath(program.files[0].name).name
    made = {stage: program if stage == "ast" else result.stage(stage) for stage in STAGES}
    return {stage: _stage(made[stage], stage, file) for stage in STAGES}


def digest(result: Result) -> str:
    """A hash of all stages of a compilation, to the byte."""
    return hashlib.sha256("\n".join(to_json(result.stage(stage)) for stage in STAGES).encode()).hexdigest()


def _stage(made: Any, stage: str, file: str) -> str:
    tree = Reader(file, _LEFT_OUT[stage]).tree(made)
    assert isinstance(tree, Record)
    if stage == "analysis":
        _without_assumptions(tree)
    if stage == "plan":
        tree = _own_part_of_the_plan(tree)
    variants = tree.fields.get("variants")
    if isinstance(variants, list):
        base = Record({key: item for key, item in tree.fields.items() if key != "variants"})
        tree.fields["variants"] = [difference(variant, base) or "no difference" for variant in variants]
    return render(tree)


def _without_assumptions(tree: Record) -> None:
    """All assumptions stand together at the end, so those of single analyses go."""
    variants = tree.fields.get("variants", [])
    for one in (tree, *(variants if isinstance(variants, list) else ())):
        for part in one.fields.values() if isinstance(one, Record) else ():
            if isinstance(part, Record):
                part.fields.pop("assumptions", None)


def _own_part_of_the_plan(tree: Record) -> Record:
    """The template holds the layout's tables and the spec, which have goldens of their own."""
    template = tree.fields["template"]
    assert isinstance(template, Record)
    handlers: dict[str, Tree] = {"handlers": template.fields["handlers"]}
    return Record(handlers | {key: item for key, item in tree.fields.items() if key != "template"})
