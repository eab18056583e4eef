"""What later passes find in a document: at its field, in its line, and with a fix that leaves it JSON.

The bad example of every page is written as JSON, and finds there what it finds as `.rspp`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lsprotocol import types

from code_pages import example, fence, fences, in_folder
from json_documents import document, read, understood
from pipelines import compile_text
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.diagnostics.fixes import apply, apply_all
from rspp_compiler.driver import Result, compile_pipeline, lint_pipeline
from rspp_compiler.ir.context import Context, Options

MAIN = "example.json"
# These are about what only a text has: comments that allow, a key or a line given twice, a second pipeline, a file that
# imports `example.rspp`.
NOT_IN_JSON = {"E0217", "E0231", "E0302", "E0908", "W0001", "W0002", "W0003"}


def sound(code: str) -> str | None:
    """The bad example of a page, if its text can be read."""
    text = fence(code, "rspp", "bad")
    if text is None or code in NOT_IN_JSON or code.startswith("E01"):
        return None
    _, ctx = read(text, "example.rspp")
    return None if any(one.code.startswith("E01") for one in ctx.sink.diagnostics) else text


EXAMPLES = {code: text for code in sorted(CODES) if (text := sound(code))}


def compiled(code: str) -> Result:
    """As the tests of pages compile it."""
    ctx = Context(options=Options(until="target" if code.startswith("E09") else "freeze"))
    is_about_lint = code.startswith(("W", "E019"))
    return lint_pipeline([Path(MAIN)], ctx) if is_about_lint else compile_pipeline([Path(MAIN)], ctx=ctx)


def test_most_pages_have_a_document() -> None:
    assert len(EXAMPLES) >= 140


@pytest.mark.feature("F-001", "errors")
@pytest.mark.parametrize("code", EXAMPLES)
def test_a_page_as_json(code: str) -> None:
    with in_folder() as folder:
        for one in fences(code):
            if one.path and one.kind in ("bad", "beside"):
                (folder / one.path).parent.mkdir(parents=True, exist_ok=True)
                (folder / one.path).write_text(one.text, encoding="utf-8")
        text = document(understood(EXAMPLES[code], "example.rspp"), EXAMPLES[code])
        Path(MAIN).write_text(text, encoding="utf-8")
        found = compiled(code).diagnostics
        assert {one.code for one in found} == set(example(code, "bad").codes), [one.message for one in found]
        for one in found:
            if one.primary.file == MAIN:
                assert_placed(one, text)
            if one.fix:
                texts = {edit.span.file: Path(edit.span.file).read_text(encoding="utf-8") for edit in one.fix.edits}
                after, _ = apply_all(texts, [one.fix])
                assert MAIN not in after or read(after[MAIN])[0] is not None


def assert_placed(found: Diagnostic, text: str) -> None:
    """It lies in the text, and a note names its field, unless it is about the whole."""
    data = text.encode()
    assert 0 <= found.primary.start <= found.primary.end <= len(data)
    notes = [note for note in found.notes if note.startswith("this is `")]
    (path,) = notes or [""]
    if path:
        field = path.removeprefix("this is `").removesuffix("`")
        keys = re.findall(r'"[^"]*"|[a-z_]+', field)
        assert all(f'"{key.strip(chr(34))}"' in text for key in keys), field
    else:
        assert found.primary.line == 1


# ---- fixes

HELLO = """{
  "schema_version": "rspp.pipeline.spec.v1",
  "spec_id": "hello",
  "nodes": [
    { "node_id": "ears", "kind": "%s", "settings": { %s } },
    { "node_id": "voice", "kind": "tts", "settings": { "voice": "en-us" } }
  ],
  "edges": [
    { "from": "ingress.audio", "to": "ears", "then": [{ "to": "stt", "settings": { "buffer": %s } }] },
    { "from": "stt", "to": "llm", "then": [{ "to": "voice" }, { "to": "%s" }] }
  ]
}
"""


def hello(kind: str = "vad", settings: str = "", buffer: str = '"200ms"', end: str = "egress.audio") -> str:
    return HELLO % (kind, settings, buffer, end)


@pytest.mark.parametrize(
    ("wrong", "code", "right"),
    [
        (hello(kind="vda"), "E0204", hello()),
        (hello(end="egress.adio"), "E0205", hello()),
        (hello(settings='"min_silense": "300ms"'), "E0301", hello(settings='"min_silence": "300ms"')),
        (hello(settings='"min_silence": 300'), "E0303", hello(settings='"min_silence": "300ms"')),
        (hello(settings='"min_silence": "300msec"'), "E0304", hello(settings='"min_silence": "300ms"')),
        (hello(settings='"threshold": "0.5"'), "E0305", hello(settings='"threshold": 0.5')),
        (hello(settings='"threshold": {"text": "0.5"}'), "E0305", hello(settings='"threshold": 0.5')),
        (hello(settings='"threshold": 7'), "E0306", hello(settings='"threshold": 0.95')),
        (hello(settings='"scope": "sesion"'), "E0307", hello(settings='"scope": "session"')),
        (hello(settings='"frobs": 3'), "E0301", hello()),
        (hello(settings='"frobs": 3, "min_silence": "1s"'), "E0301", hello(settings='"min_silence": "1s"')),
        (hello(settings='"min_silence": "1s", "frobs": 3'), "E0301", hello(settings='"min_silence": "1s"')),
    ],
)
def test_a_fix_is_json(wrong: str, code: str, right: str) -> None:
    (found,) = [one for one in compile_text(wrong, name=MAIN).diagnostics if one.code == code]
    assert found.fix is not None, found.help
    after = apply(wrong, [found.fix])
    assert json.loads(after) == json.loads(right)
    assert compile_text(after, name=MAIN).ok


def test_a_fix_that_would_write_a_line_is_left_to_the_help() -> None:
    text = hello().replace('"from": "stt", "to": "llm"', '"from": "stt", "to": "brain"')
    (found,) = [one for one in compile_text(text, name=MAIN).diagnostics if one.code == "E0203"]
    assert found.fix is None or "node brain" not in found.fix.replacement
    assert found.help


@pytest.mark.feature("F-003", "typed", "mismatch")
def test_types_of_a_nodes_ports() -> None:
    ports = '"inputs": [{ "name": "draft", "type": "%s" }], "outputs": [{ "name": "text", "type": "text" }]'
    custom = f'{{ "node_id": "soften", "kind": "python", "implementation": "manners:soften", {ports} }}'
    text = hello().replace('"nodes": [', '"nodes": [\n    ' + custom + ",")
    text = text.replace('"then": [{ "to": "voice" }', '"then": [{ "to": "soften" }, { "to": "voice" }')
    assert compile_text(text % "text", name=MAIN).diagnostics == ()
    (found,) = compile_text(text % "audio", name=MAIN).diagnostics
    assert (found.code, found.notes[-1]) == ("E0401", "this is `edges[1]`")


def test_variables_of_a_text() -> None:
    said = '{ "node_id": "hello", "kind": "say", "settings": { "text": "%s" } },'
    text = hello().replace('"nodes": [', '"nodes": [' + said)
    text = text.replace(
        '"edges": [',
        '"reactions": [{ "on": ["session.connected"], "path": [{ "to": "hello" }, { "to": "voice" }] }],\n  "edges": [',
    )
    spec = compile_text(text % 'Hello ${session.name}, \\u0024{x} is \\"plain\\"', name=MAIN).stage("spec")
    written = spec.node("hello").settings["text"]
    assert (written.template, written.variables) == ('Hello ${session.name}, \\${x} is "plain"', ("session.name",))
    (found,) = compile_text(text % "Hello ${session.nmae}", name=MAIN).diagnostics
    assert found.code == "E0312"
    assert text[found.primary.start :].startswith("%s") or found.primary.column > 60


# ---- in an editor


def test_an_editor_shows_findings_in_a_document(tmp_path: Path) -> None:
    from rspp_compiler.lsp.findings import actions, findings
    from rspp_compiler.lsp.workspace import Workspace

    workspace = Workspace()
    path = (tmp_path / MAIN).as_posix()
    workspace.put(path, hello(kind="vda"), 1)
    shown = findings(workspace, path, workspace.compile(path))
    (unknown,) = [one for one in shown if one.shown.code == "E0204"]
    assert unknown.shown.range.start == types.Position(4, 34)
    offered = actions(workspace, path, [unknown], unknown.shown.range)
    assert [action.title for action in offered if action.kind == types.CodeActionKind.QuickFix] == [
        "Replace `vda` with `vad`"
    ]
    reading = workspace.reading(path)
    assert reading is not None
    assert {symbol.name for symbol in reading.index.symbols} >= {"hello", "ears", "voice"}
