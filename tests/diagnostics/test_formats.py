"""Findings for machines: JSON, SARIF 2.1.0, workflow commands of GitHub."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from rspp_compiler.diagnostics import Diagnostic, Edit, Fix, Sink
from rspp_compiler.diagnostics.github import to_github
from rspp_compiler.diagnostics.machine import to_json
from rspp_compiler.diagnostics.sarif import to_sarif
from rspp_compiler.source import Source

SOURCE = Source("two words/ä.rspp", "é turn = 2\nstt -> llm")
PROFILE = Source("execution_profile/simple/v1", "# x\nstt = 300ms")
TURN, FLOW, STT = SOURCE.span(9, 10), SOURCE.span(11, 21), PROFILE.span(10, 15)


def findings() -> tuple[Diagnostic, ...]:
    """One with everything, one with the least, one that spans lines."""
    sink = Sink()
    fix = Fix(TURN, "2s", (Edit(FLOW, ""),))
    secondary = [(FLOW, "s"), (STT, "from the profile")]
    sink.add("E0303", "no unit, 100% sure", TURN, label="here", notes=["n"], help="h", fix=fix, secondary=secondary)
    sink.add("E0405", "a: b", FLOW)
    sink.add("E0501", "too slow", SOURCE.span(0, 21))
    return sink.diagnostics


def test_json_has_everything() -> None:
    one = json.loads(to_json(findings()))[1]
    place = {"start": 10, "end": 11, "line": 1, "column": 10, "end_line": 1, "end_column": 11, "file": SOURCE.name}
    flow = {"start": 12, "end": 22, "line": 2, "column": 1, "end_line": 2, "end_column": 11, "file": SOURCE.name}
    profile = {"start": 10, "end": 15, "line": 2, "column": 7, "end_line": 2, "end_column": 12, "file": PROFILE.name}
    assert one == {
        "code": "E0303",
        "severity": "error",
        "message": "no unit, 100% sure",
        "primary": {**place, "label": "here"},
        "secondary": [{**flow, "label": "s"}, {**profile, "label": "from the profile"}],
        "notes": ["n"],
        "help": "h",
        "fix": {**place, "replacement": "2s", "also": [{**flow, "replacement": ""}], "is_guess": False},
    }


def test_files_can_be_named_anew_everywhere() -> None:
    renamed = to_json(one.renamed(lambda file: f"x/{file}") for one in findings())
    assert renamed.count('"file": "x/') == renamed.count('"file": ') == 7


# ---- SARIF: what of the standard's schema a log of ours uses, nothing else allowed


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def rows(of: dict[str, Any], at_least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": at_least}


TEXT = {"type": "string", "minLength": 1}
INDEX = {"type": "integer", "minimum": 0}
NUMBER = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = record({"text": TEXT})
URI = {"type": "string", "pattern": r"^(file:///)?[\w./~%-]+$"}
REGION = record(
    {"startLine": NUMBER, "startColumn": NUMBER, "endLine": NUMBER, "endColumn": NUMBER},
    {"byteOffset": INDEX, "byteLength": INDEX},
)
ARTIFACT = record({"uri": URI})
LOCATION = record(
    {},
    {
        "id": INDEX,
        "physicalLocation": record({"artifactLocation": ARTIFACT, "region": REGION}),
        "logicalLocations": rows(record({"fullyQualifiedName": TEXT}), 1),
        "message": MESSAGE,
    },
)
REPLACEMENT = record({"deletedRegion": REGION}, {"insertedContent": record({"text": TEXT})})
FIX = record(
    {
        "description": MESSAGE,
        "artifactChanges": rows(record({"artifactLocation": ARTIFACT, "replacements": rows(REPLACEMENT, 1)}), 1),
    }
)
RULE = record(
    {
        "id": {"type": "string", "pattern": r"^[EW]\d{4}$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": record({"text": TEXT, "markdown": TEXT}),
        "defaultConfiguration": record({"level": LEVEL}),
    }
)
RESULT = record(
    {"ruleId": TEXT, "ruleIndex": INDEX, "level": LEVEL, "message": MESSAGE, "locations": rows(LOCATION, 1)},
    {"relatedLocations": rows(LOCATION, 1), "fixes": rows(FIX, 1)},
)
LOG = record(
    {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": rows(
            record(
                {
                    "tool": record({"driver": record({"name": TEXT, "version": TEXT, "rules": rows(RULE)})}),
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": rows(RESULT),
                }
            ),
            1,
        ),
    }
)


def sarif(found: tuple[Diagnostic, ...]) -> Any:
    log = json.loads(to_sarif(found, "1.2.3"))
    jsonschema.Draft202012Validator(LOG).validate(log)
    return log["runs"][0]


def test_sarif_follows_the_schema_and_its_rules_are_the_codes() -> None:
    run = sarif(findings())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E0303", "E0405", "E0501"]
    assert rules[0]["shortDescription"]["text"] == "unit missing"
    assert "```rspp bad" in rules[0]["help"]["markdown"]
    assert rules[1]["defaultConfiguration"]["level"] == "warning"
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert run["columnKind"] == "unicodeCodePoints"


def test_sarif_of_nothing() -> None:
    assert sarif(())["results"] == []


def test_sarif_places_notes_and_fixes() -> None:
    one = sarif(findings())["results"][1]
    assert one["message"]["text"] == "no unit, 100% sure\nn\nhelp: h"
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "two%20words/%C3%A4.rspp"
    assert place["region"] == {
        **{"startLine": 1, "startColumn": 10, "endLine": 1, "endColumn": 11},
        **{"byteOffset": 10, "byteLength": 1},
    }
    here, profile = one["relatedLocations"]
    assert here["physicalLocation"]["region"]["startLine"] == 2
    assert profile == {
        "id": 1,
        "logicalLocations": [{"fullyQualifiedName": "execution_profile/simple/v1, line 2"}],
        "message": {"text": "from the profile"},
    }
    (change,) = one["fixes"][0]["artifactChanges"]
    assert [one.get("insertedContent") for one in change["replacements"]] == [{"text": "2s"}, None]


def test_sarif_of_an_absolute_path() -> None:
    (one,) = sarif(tuple(found.renamed(lambda _: "/tmp/ä.rspp") for found in findings()[:1]))["results"]
    assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///tmp/%C3%A4.rspp"


# ---- GitHub


def test_github() -> None:
    assert to_github(findings()).splitlines() == [
        "::error file=two words/ä.rspp,line=1,endLine=2,title=E0501::too slow",
        "::error file=two words/ä.rspp,line=1,col=10,endColumn=11,title=E0303::no unit, 100%25 sure%0An%0Ahelp: h",
        "::warning file=two words/ä.rspp,line=2,col=1,endColumn=11,title=E0405::a: b",
    ]


@pytest.mark.parametrize(
    ("name", "escaped"), [("a,b:c%.rspp", "a%2Cb%3Ac%25.rspp"), ("a\n::error ::", "a%0A%3A%3Aerror %3A%3A")]
)
def test_github_no_name_can_end_its_property(name: str, escaped: str) -> None:
    (line,) = to_github(found.renamed(lambda _: name) for found in findings()[1:2]).splitlines()
    assert line.startswith(f"::error file={escaped},line=1,")


def test_github_is_capped_with_a_count() -> None:
    lines = to_github(findings() * 50).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "::notice::… and 50 more"
