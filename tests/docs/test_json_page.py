"""The page on the JSON form: both sides say the same, the documents are right, and what is printed is true."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from json_documents import document, understood
from pipelines import ROOT, compile_file, value
from rspp_compiler.cli.app import app
from rspp_compiler.ir.schemas import SCHEMAS
from rspp_compiler.syntax.json.write import TAGS

PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```json (\S+\.json)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
(RSPP,) = re.findall(r"^```rspp\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(JSON,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "pipelines" / "dialogues", "dialogues")
    for name, text in {**FILES, "shop.rspp": RSPP, "shop.json": JSON}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def rsppc(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout


def test_both_sides_are_the_same_pipeline() -> None:
    assert rsppc("fmt", "--to", "json", "shop.rspp") == (0, JSON)
    assert rsppc("diff", "shop.rspp", "shop.json") == (0, "the same pipeline\n")
    hashes = {value(compile_file(Path(name)), "freeze").template_hash for name in ("shop.rspp", "shop.json")}
    assert len(hashes) == 1


def test_every_field_of_the_example_is_explained() -> None:
    def keys(data: object) -> set[str]:
        if isinstance(data, dict):
            return {str(key) for key in data if key != "settings"} | {
                one for key, item in data.items() if key not in ("settings", "meta", "budget") for one in keys(item)
            }
        return {one for item in data for one in keys(item)} if isinstance(data, list) else set()

    explained = set(re.findall(r"[a-z_]+", PAGE.partition("## What becomes what")[2]))
    assert keys(json.loads(JSON)) <= explained


def test_the_values_of_the_table() -> None:
    """Each form of a value comes back as it was written."""
    table = PAGE.partition("## Values")[2].partition("##")[0]
    forms = [form for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for form in re.findall(r"`(.*?)`", row)]
    assert len(forms) >= 15
    assert all(f'"{tag}"' in table for tag in TAGS)
    for form in forms:
        if "…" not in form:
            key = "system" if '"value"' in form else "any"  # it says so where a text is usual
            node = f'{{ "node_id": "a", "kind": "b", "settings": {{ "{key}": {form} }} }}'
            text = f'{{"schema_version": "rspp.pipeline.spec.v1", "spec_id": "p", "nodes": [{node}]}}'
            (back,) = json.loads(document(understood(text), text))["nodes"]
            assert back["settings"][key] == json.loads(form)


def test_what_is_printed_of_a_mistake() -> None:
    (shown,) = re.findall(r"^```text\n\$ rsppc check hello.json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert rsppc("check", "hello.json") == (1, shown)


def test_the_bundle() -> None:
    assert len([name for name in FILES if name != "hello.json"]) == 4
    for name in FILES:
        if name != "hello.json":
            assert rsppc("check", name)[0] == 0, name
    result = compile_file(Path("shop.bundle.json"))
    assert result.diagnostics == ()
    assert [policy.id for policy in result.stage("spec").policies] == ["school", "clinic"]
    assert [share.percentage for share in result.values["link"].rollout.shares] == [90, 10]
    assert rsppc("fmt", "--to", "rspp", "shop.bundle.json", "-o", "whole.rspp")[0] == 0
    assert value(compile_file(Path("whole.rspp")), "freeze").template_hash == value(result, "freeze").template_hash


def test_every_schema_is_listed() -> None:
    table = PAGE.partition("## Schemas")[2]
    assert set(re.findall(r"^\| `(rspp\.\S+)` \|", table, re.MULTILINE)) == set(SCHEMAS)
