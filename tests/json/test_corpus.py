"""Every good pipeline in its JSON form: read by every pass, with the same findings, and the same template hash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from good_corpus import CASES, GOOD, compiled
from json_documents import document, sorted_by_sort, understood
from pipelines import value
from rspp_compiler.cli.schema import schema_text
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.driver import Result, lint_pipeline
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.ir.json_form import SPEC
from rspp_compiler.syntax.format import same_meaning


def as_json(path: Path, folder: Path) -> Path:
    """The case as `NAME.json`, among the files that it needs."""
    if path.parent != GOOD:
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
    elif (GOOD / path.stem).is_dir():
        shutil.copytree(GOOD / path.stem, folder / path.stem)
    text = path.read_text(encoding="utf-8")
    target = folder / f"{path.stem}.json"
    target.write_text(document(understood(text, path.name), text), encoding="utf-8")
    return target


def lint(path: Path) -> Result:
    return lint_pipeline([path], Context(options=Options(until="freeze")))


def told(found: Diagnostic) -> tuple[str, str]:
    return found.code, found.message


@pytest.mark.feature("F-001", "clean")
@pytest.mark.parametrize("name", CASES)
def test_the_same_pipeline(name: str, tmp_path: Path) -> None:
    path = as_json(CASES[name], tmp_path)
    result, written = lint(path), compiled(name)
    assert value(result, "freeze").template_hash == value(written, "freeze").template_hash
    # A comment can allow a lint, and JSON has none.
    left = [told(one) for one in written.diagnostics]
    assert {told(one) for one in result.diagnostics} >= set(left)
    assert [one for one in result.diagnostics if not one.code.startswith("W") and told(one) not in left] == []


@pytest.mark.feature("F-001", "clean")
def test_the_published_schema_takes_them_all() -> None:
    schema = Draft202012Validator(json.loads(schema_text(SPEC)))
    for name, path in CASES.items():
        text = path.read_text(encoding="utf-8")
        form = json.loads(document(understood(text, path.name), text))
        assert [f"{error.json_path}: {error.message}" for error in schema.iter_errors(form)] == [], name


def test_they_come_back() -> None:
    for path in sorted(GOOD.rglob("*.rspp")):
        text = path.read_text(encoding="utf-8")
        file = understood(text, path.name)
        assert same_meaning(understood(document(file, text)).items, sorted_by_sort(file).items), path


@pytest.mark.parametrize("name", ["contact_centre", "nested_modules", "insurer"])
def test_imports_between_documents(name: str, tmp_path: Path) -> None:
    """Every file of the case as JSON: modules, tools and policies come from documents."""
    for path in sorted(CASES[name].parent.rglob("*.rspp")):
        text = path.read_text(encoding="utf-8")
        target = tmp_path / path.relative_to(CASES[name].parent).with_suffix(".json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(document(understood(text, path.name), text).replace('.rspp"', '.json"'), encoding="utf-8")
    for path in CASES[name].parent.rglob("*"):
        if path.is_file() and path.suffix != ".rspp":
            target = tmp_path / path.relative_to(CASES[name].parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    result = lint(tmp_path / f"{name}.json")
    assert value(result, "freeze").template_hash == value(compiled(name), "freeze").template_hash
    assert any(file.span.file.endswith(".json") for file in result.values["link"].imported)
