"""Documents against their schema: each mistake has its code, its line and field, and mostly its fix."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from json_documents import NAME, read
from pipelines import compile_text
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply

HELLO: dict[str, Any] = {
    "schema_version": "rspp.pipeline.spec.v1",
    "spec_id": "hello",
    "nodes": [{"node_id": "ears", "kind": "vad", "settings": {"min_silence": "300ms"}}],
    "edges": [
        {"from": "ingress.audio", "to": "ears"},
        {"from": "ears", "to": "stt", "then": [{"to": "llm"}, {"to": "tts"}, {"to": "egress.audio"}]},
    ],
    "reactions": [{"on": ["ears.barge_in"], "action": "cancel turn"}],
}
ROLLOUT: dict[str, Any] = {
    "schema_version": "rspp.rollout.v1",
    "rollout_id": "slowly",
    "strategy": "canary",
    "versions": [
        {"pipeline_version": "1.0.0", "percentage": 90},
        {"pipeline_version": "1.1.0", "percentage": 10},
    ],
}
GONE = object()

# (path of the change, what is put there, code, where the finding says it is, in its message, what the fix leaves there)
MISTAKES: list[tuple[tuple[Any, ...], Any, str, str, str, Any]] = [
    (("nodes", 0, "knid"), "vad", "E0121", "nodes[0].knid", "has no field `knid`", GONE),
    (("nodess",), [], "E0121", "nodess", "the document has no field `nodess`", GONE),
    (("nodes", 0, "node_id"), GONE, "E0122", "nodes[0]", "has no `node_id`", None),
    (("edges", 0, "to"), GONE, "E0122", "edges[0]", "has no `to`", None),
    (("reactions", 0, "on"), GONE, "E0122", "reactions[0]", "has no `on`", None),
    (("nodes", 0, "node_id"), 3, "E0123", "nodes[0].node_id", "takes a text, not the number 3", "3"),
    (("nodes", 0, "node_id"), "my ears", "E0123", "nodes[0].node_id", "takes a name of letters", None),
    (("edges", 0, "from"), "ingress..audio", "E0123", "edges[0].from", "takes a name, with dots", None),
    (("reactions", 0, "on"), "ears.barge_in", "E0123", "reactions[0].on", "takes a list", ["ears.barge_in"]),
    (("reactions", 0, "on"), [], "E0123", "reactions[0].on", "takes one at least", None),
    (("reactions", 0, "action"), "cancel", "E0123", "reactions[0].action", "such as `cancel turn`", None),
    (("nodes",), {}, "E0123", "nodes", "takes a list, not an object", GONE),
    (("nodes", 0), "ears", "E0123", "nodes[0]", "takes an object, not `ears`", None),
    (("nodes", 0, "settings"), [], "E0123", "nodes[0].settings", "takes an object, not a list", None),
    (("nodes", 0, "settings", "min silence"), "1s", "E0123", 'nodes[0].settings["min silence"]', "is not a key", None),
    (("nodes", 0, "modality"), "ears", "E0123", "nodes[0].modality", "takes `stt`, `llm`, `tts` or `external`", None),
    (("nodes", 0, "kind"), None, "E0123", "nodes[0].kind", "`kind` is `null`", GONE),
    (("nodes", 0, "settings", "min_silence"), None, "E0123", "nodes[0].settings.min_silence", "is `null`", GONE),
    (("execution_profile",), "simple", "E0123", "execution_profile", "such as `simple/v1`", GONE),
    (("edges", 0, "when"), "event.words >", "E0125", "edges[0].when", "is no condition", "event.words >"),
    (("nodes", 0, "kind"), "tts(", "E0125", "nodes[0].kind", "`tts(` is no kind", ...),
    (("nodes", 0, "kind"), "300ms", "E0125", "nodes[0].kind", "`300ms` is no kind", "300ms"),
    (("nodes", 0, "modality"), "llm", "E0126", "nodes[0].modality", "is `external`", "external"),
    (("nodes", 0, "settings", "x"), {"value": "1 2"}, "E0125", "nodes[0].settings.x.value", "`1 2` is no value", ...),
    (("graph_definition_ref",), "x/1", "E0126", "graph_definition_ref", "is `hello/0.0.0`", "hello/0.0.0"),
    (("edges", 0, "otherwise"), False, "E0123", "edges[0].otherwise", "takes `true`, not `false`", None),
    (("reactions", 0, "path"), [{"to": "tts"}], "E0126", "reactions[0].action", "there is a `path` already", ...),
    (("reactions", 0, "action"), GONE, "E0126", "reactions[0]", "a reaction has a `path` or an `action`", None),
    (("spec_id",), GONE, "E0126", "nodes", "there is no `spec_id` that names one", ...),
    (("schema_version",), "rspp.pipeline.spec.v2", "E0124", "schema_version", "unknown schema version", ...),
    (("schema_version",), 1, "E0124", "schema_version", "unknown schema version", "rspp.pipeline.spec.v1"),
    (("schema_version",), GONE, "E0124", "", "`schema_version` is missing", "rspp.pipeline.spec.v1"),
]
OF_A_ROLLOUT: list[tuple[tuple[Any, ...], Any, str, str, Any]] = [
    (("versions", 1, "percentage"), 20, "versions[1].percentage", "make 110 %", 10),
    (("versions", 0, "percentage"), 80, "versions[1].percentage", "make 90 %", 20),
    (("versions", 1, "pipeline_version"), "1.0.0", "versions[1].pipeline_version", "has its share already", ...),
    (("versions", 1), GONE, "versions", "a canary has two versions", ...),
    (("strategy",), "all", "versions", "`all` has one version", ...),
    (("strategy",), "allowlist", "versions[0]", "takes no `percentage`", ...),
    (("versions", 1, "tenants"), ["acme"], "versions[1]", "no tenants here", ...),
    (("versions", 1, "percentage"), GONE, "versions[1]", "`canary` takes a `percentage`", ...),
]


def changed(document: dict[str, Any], path: tuple[Any, ...], put: Any) -> str:
    found = json.loads(json.dumps(document))
    at = found
    for part in path[:-1]:
        at = at[part]
    if put is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = put
    return json.dumps(found, indent=2)


def only(text: str) -> Diagnostic:
    _, ctx = read(text)
    (found,) = ctx.sink.diagnostics
    return found


def at_path(document: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError):
            return GONE
    return document


def is_there(found: Diagnostic, text: str, where: str) -> None:
    """The note names the field, and the place is in its line."""
    assert f"this is `{where}`" in found.notes or where == "", found.notes
    lines = text.splitlines()
    last = where.rpartition(".")[2].partition("[")[0].strip('"]')
    key = next((line for line in lines if f'"{last}"' in line), lines[0])
    if "[" not in where.rpartition(".")[2] and where:
        assert lines[found.primary.line - 1] == key or last in ("node_id", "x", "value", "to", "when"), found


@pytest.mark.feature("F-001", "errors")
@pytest.mark.parametrize(("path", "put", "code", "where", "message", "left"), MISTAKES)
def test_mistake(path: tuple[Any, ...], put: Any, code: str, where: str, message: str, left: Any) -> None:
    text = changed(HELLO, path, put)
    found = only(text)
    assert found.code == code
    assert message in found.message, found.message
    is_there(found, text, where)
    if left is ...:
        return
    if code == "E0125":
        assert found.fix is None
        assert found.help
        return
    assert found.fix is not None
    after = json.loads(apply(text, [found.fix]))
    if left is None:  # what the field stands in is gone
        assert len(json.dumps(after)) < len(json.dumps(json.loads(text)))
        assert [one.code for one in read(json.dumps(after))[1].sink.diagnostics if one.code == code] == []
    else:
        assert at_path(after, path) == left if left is not GONE else at_path(after, path) is GONE


@pytest.mark.parametrize(("path", "put", "where", "message", "left"), OF_A_ROLLOUT)
def test_a_rollout_that_does_not_add_up(path: tuple[Any, ...], put: Any, where: str, message: str, left: Any) -> None:
    text = changed(ROLLOUT, path, put)
    found = only(text)
    assert found.code == "E0128"
    assert message in found.message
    assert f"this is `{where}`" in found.notes
    if left is not ...:
        assert found.fix is not None
        *above, last = at_of(where)
        assert at_path(json.loads(apply(text, [found.fix])), (*above, last)) == left


def at_of(where: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in where.replace("[", ".").replace("]", "").split(".")]


def test_right_documents() -> None:
    for document in (HELLO, ROLLOUT):
        assert read(json.dumps(document))[1].sink.diagnostics == ()


def test_the_nearest_version_is_offered() -> None:
    found = only(changed(HELLO, ("schema_version",), "rspp.pipeline.spec.v2"))
    assert found.help == 'write `"schema_version": "rspp.pipeline.spec.v1"`'
    found = only(changed(ROLLOUT, ("schema_version",), GONE))
    assert found.help == 'write `"schema_version": "rspp.rollout.v1"`'


def test_a_document_is_an_object() -> None:
    assert only("[]").message == "a document is an object, not a list"


def test_a_key_stands_once() -> None:
    text = json.dumps(HELLO).replace('"kind": "vad"', '"kind": "vad", "kind": "vad"')
    found = only(text)
    assert (found.code, found.message) == ("E0302", "`kind` is given twice")
    assert found.fix is not None
    assert read(apply(text, [found.fix]))[1].sink.diagnostics == ()


def test_characters_that_nobody_sees() -> None:
    found = only(json.dumps(HELLO).replace("300ms", "300\\u202ems"))
    assert (found.code, found.message) == ("E0103", "control character U+202E in the text")


def test_all_at_once_and_nothing_that_follows() -> None:
    """What is wrong with one element does not keep the others from being read, nor makes them look wrong."""
    document = json.loads(json.dumps(HELLO))
    document["nodes"] += [{"node_id": "voice", "kind": 3}, {"node_id": "notes", "knid": "tap"}]
    document["edges"][1]["then"][1]["to"] = "voice"
    document["reactions"] += [{"on": ["voice.error"], "when": "(", "action": "cancel turn"}, {"on": ["ears.idel"]}]
    found = compile_text(json.dumps(document, indent=2), name=NAME).diagnostics
    assert sorted(one.code for one in found if one.severity == "error") == ["E0121", "E0123", "E0125", "E0126"]
    assert len({one.primary.line for one in found}) == len(found)


def test_a_flow_cannot_begin_with_a_word_that_begins_a_line() -> None:
    assert only(changed(HELLO, ("edges", 0, "from"), "node")).code == "E0201"


@pytest.mark.parametrize("written", ["1e400000", "1E+31", "-1e-40"])
def test_exponents_beyond_all_bounds(written: str) -> None:
    text = json.dumps(HELLO).replace('"300ms"', written)
    codes = {one.code for one in compile_text(text, name=NAME).diagnostics}
    assert codes <= {"E0123", "E0303"}
    assert codes


def test_an_exponent_is_a_number_like_any_other() -> None:
    text = json.dumps(HELLO).replace('"min_silence": "300ms"', '"threshold": 5e-1')
    result = compile_text(text, name=NAME)
    assert result.diagnostics == ()
    assert result.stage("spec").node("ears").settings["threshold"] == 0.5


@settings(max_examples=40)
@given(st.integers(0, 10**9))
def test_any_value_anywhere(seed: int) -> None:
    """Whatever stands in the place of whatever: findings with places in the text, and no traceback."""
    chance = Random(seed)
    document: Any = json.loads(json.dumps(HELLO))
    for _ in range(chance.randint(1, 3)):
        at, path = document, []
        while isinstance(at, dict | list) and at and (chance.random() < 0.8 or not path):
            path.append(chance.choice(list(at)) if isinstance(at, dict) else chance.randrange(len(at)))
            holder, at = at, at[path[-1]]
        if path:
            holder[path[-1]] = chance.choice(
                [None, 1, -0.5, True, False, "", "a b", "x.y", "f(", [], {}, [{}], {"text": 1}]
            )
    text = json.dumps(document, indent=chance.choice([None, 2]))
    result = compile_text(text, name=NAME)
    for one in result.diagnostics:
        assert 0 <= one.primary.start <= one.primary.end <= len(text)
        if one.fix and not one.code.startswith("E01"):
            json.loads(apply(text, [one.fix]))


def test_of_many_mistakes_some_are_shown_and_the_rest_is_counted() -> None:
    nodes = [{"node_id": f"n{number}", "kind": 3} for number in range(300)]
    _, ctx = read(json.dumps(HELLO | {"nodes": nodes}, indent=1))
    found = [one for one in ctx.sink.diagnostics if one.code == "E0123"]
    assert len(found) == 100
    assert found[-1].message == "201 more fields of this file cannot be read"
