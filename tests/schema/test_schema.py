"""The published schemas: true to the models and tables that they are made of, and valid themselves."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from good_corpus import compiled
from pipelines import ROOT, value
from rspp_compiler.cli.app import app
from rspp_compiler.cli.schema import schema_text
from rspp_compiler.diagnostics.machine import to_objects
from rspp_compiler.ir.bundle_form import BUNDLE, POLICY, PROFILE, ROLLOUT
from rspp_compiler.ir.dump import to_data
from rspp_compiler.ir.json_form import SPEC, TEXT_KEYS, documents
from rspp_compiler.ir.schemas import DIALECT, SCHEMAS
from rspp_compiler.sema.language import tables
from rspp_compiler.sema.language.catalog import Table
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import KINDS

FOLDER = ROOT / "docs" / "schemas"


def rsppc(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["schema", *arguments])


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text(name)))


def faults(name: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(data)]


# ---- as they are published


def test_nothing_else_is_published() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_file_is_what_the_models_say(name: str) -> None:
    published = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert published == schema_text(name), "run `make schemas`"


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_schema(name: str) -> None:
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"], schema["title"]) == (DIALECT, name, name)
    assert schema["description"]
    assert "\n" not in schema["description"].replace("\n\n", "")
    for part in schema.get("$defs", {}).values():
        assert part.get("description") or part.get("type") == "object" or "anyOf" in part, part


def test_every_document_has_its_schema() -> None:
    assert set(documents()) == {SPEC, BUNDLE, POLICY, PROFILE, ROLLOUT} <= set(SCHEMAS)


# ---- as commands


def test_printed_listed_written(tmp_path: Path) -> None:
    assert rsppc(SPEC).stdout == schema_text(SPEC)
    listed = rsppc("--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(SCHEMAS)
    assert all(len(line.split()) > 2 for line in listed)
    assert rsppc(ROLLOUT, "-o", str(tmp_path / "one")).exit_code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == [f"{ROLLOUT}.json"]
    assert rsppc("-o", str(tmp_path / "all")).exit_code == 0
    assert {path.stem for path in (tmp_path / "all").iterdir()} == set(SCHEMAS)


def test_wrong_usage(tmp_path: Path) -> None:
    assert rsppc().exit_code == 2
    done = rsppc("rspp.pipeline.spec.v2")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "did you mean rspp.pipeline.spec.v1?" in done.stderr
    (tmp_path / "file").write_text("")
    done = rsppc("-o", str(tmp_path / "file"))
    assert (done.exit_code, "cannot write" in done.stderr) == (2, True)


# ---- what they take


@pytest.mark.feature("F-001", "clean")
@pytest.mark.parametrize("name", ["hello", "concierge", "clinic", "interpreter", "studio_sync", "phone_support"])
def test_real_documents(name: str) -> None:
    result = compiled(name)
    assert faults("rspp.pipeline.effective.v1", to_data(value(result, "validate"))) == []
    assert faults("rspp.turn.plan.template.v1", value(result, "freeze").resolved_plan) == []
    assert faults("rspp.findings.v1", to_objects(result.diagnostics)) == []


# (what is put into the node `ears`, or what it becomes; whether the schema takes it)
SETTINGS = [
    ({"min_silence": "300ms"}, True),
    ({"min_silence": {"value": "300ms"}}, True),
    ({"min_silence": 300}, False),
    ({"min_silence": "300"}, False),
    ({"min_silense": "300ms"}, False),
    ({"threshold": 0.5}, True),
    ({"threshold": "high"}, False),
    ({"scope": "session"}, True),
    ({"scope": "call"}, False),
    ({"limit": {"concurrency": 8, "cpu": "50%", "memory": "64MB"}}, True),
    ({"limit": {"cpu": "half"}}, False),
    ({"tunable": ["threshold"]}, True),
]


@pytest.mark.feature("F-001", "errors", "clean")
@pytest.mark.parametrize(("settings", "is_taken"), SETTINGS)
def test_settings_go_by_the_kind(settings: dict[str, Any], is_taken: bool) -> None:
    node = {"node_id": "ears", "kind": "vad", "settings": settings}
    spec = {"schema_version": SPEC, "spec_id": "hello", "nodes": [node]}
    assert (faults(SPEC, spec) == []) == is_taken
    by_name = {"node_id": "vad", "settings": settings}
    assert (faults(SPEC, spec | {"nodes": [by_name]}) == []) == is_taken
    # Of a module, nobody knows the settings.
    assert faults(SPEC, spec | {"nodes": [node | {"kind": "hearing"}]}) == []


WRONG_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("two guards", {"edges": [{"from": "a", "to": "b", "when": "event.final", "otherwise": True}]}),
    ("two ends", {"reactions": [{"on": ["a.b"], "action": "cancel turn", "path": [{"to": "b"}]}]}),
    ("no end", {"reactions": [{"on": ["a.b"]}]}),
    ("null", {"nodes": None}),
    ("a name that is none", {"nodes": [{"node_id": "my ears"}]}),
    ("a key that is none", {"budget": {"my budget": "1s"}}),
    ("an unknown field", {"noodles": []}),
]


@pytest.mark.parametrize("wrong", [form for _, form in WRONG_FORMS], ids=[name for name, _ in WRONG_FORMS])
def test_what_the_reader_refuses_the_schema_refuses(wrong: dict[str, Any]) -> None:
    assert faults(SPEC, {"schema_version": SPEC, "spec_id": "hello", **wrong}) != []


def test_what_belongs_to_a_pipeline_needs_one() -> None:
    assert faults(SPEC, {"schema_version": SPEC, "nodes": []}) != []
    assert faults(SPEC, {"schema_version": SPEC, "modules": []}) == []


# ---- true to the tables of the language


def every_table() -> list[Table]:
    found = [tables.node_table(kind) for kind in KINDS]
    found += [of for name, of in vars(tables).items() if isinstance(of, Table) and not name.startswith("_")]
    return found + [tables.use_table(engine) for engine in ENGINES.values()]


def test_texts_are_texts_wherever_a_setting_takes_one() -> None:
    """The reader of JSON knows which settings take a text by their name alone."""
    settings = [setting for table in every_table() for setting in table.settings]
    texts = {setting.name for setting in settings if setting.type in ("text", "texts", "file")}
    others = {setting.name for setting in settings if setting.type not in ("text", "texts", "file")}
    assert texts == TEXT_KEYS
    assert not texts & others


def test_every_setting_of_every_kind_is_published() -> None:
    known = json.loads(schema_text(SPEC))["$defs"]
    for kind in KINDS:
        if not KINDS[kind].is_boundary:
            assert set(known[f"settings_of_{kind}"]["properties"]) == set(tables.node_table(kind).names)
