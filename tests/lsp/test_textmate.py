"""The TextMate grammar: run on texts and on every pipeline here; its lists are those of the language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rspp_compiler.sema.language.catalog import ACTIONS, LEVELS, PREDECLARED, RESERVED
from rspp_compiler.sema.language.kinds import NODE_KINDS
from rspp_compiler.sema.language.units import COUNTS, EVERY_UNIT
from rspp_compiler.sema.names.signatures import PORT_TYPES
from rspp_compiler.syntax.tables import tables
from textmate import Grammar, Token

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "editors" / "rspp.tmLanguage.json"
PIPELINES = sorted(path for folder in ("pipelines", "tests/corpus") for path in (ROOT / folder).rglob("*.rspp"))
ROOM = {"import", "use", "insert", "version", "from", "before", "in"}  # keywords that are not reserved as names


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(GRAMMAR)


def scope(tokens: list[Token], text: str) -> str:
    """The innermost scope of the piece that is, or holds, `text`."""
    found = [token for token in tokens if token.text.strip() == text] or [
        token for token in tokens if text in token.text
    ]
    assert found, (text, tokens)
    return found[0].scopes[-1]


@pytest.mark.parametrize(
    ("line", "scopes"),
    [
        ("  node ears : vad { min_silence = 300ms } # 🎙", {
            "node": "keyword.declaration", "ears": "entity.name", "vad": "support.type.kind",
            "min_silence": "variable.other.property", "300": "constant.numeric", "ms": "keyword.other.unit",
            "# 🎙": "comment.line",
        }),
        ("  ears.speech -> stt { buffer = [64 items, 40%], overflow = block(40ms) }", {
            "ears": "variable.other", "speech": "variable.other.member", "->": "keyword.operator.arrow",
            "stt": "support.type.kind", "64": "constant.numeric", "items": "keyword.other.unit",
            "%": "keyword.other.unit", "block": "support.function",
        }),
        ("  on ears.barge_in when event.words >= 2 -> cancel turn", {
            "on": "keyword.control", "when": "keyword.control", "event": "variable.language", ">=": "keyword.operator",
            "2": "constant.numeric", "cancel": "support.function.verb", "turn": "variable.other.object",
        }),
        ('  node hello : say { text = "Hi ${session.name} \\"you\\" # no comment" }', {
            "Hi": "string.quoted.double", "session.name": "variable.other", '\\"': "constant.character.escape",
            "# no comment": "string.quoted.double", "text": "variable.other.property", "say": "support.type.kind",
        }),
        ('tool book (day : text) : python("a:b") { timeout = 3s, once }', {
            "tool": "keyword.declaration", "book": "entity.name.function", "text": "storage.type",
            "python": "support.function",
        }),
        ('pipeline a version "1.0.0" {', {
            "pipeline": "keyword.declaration", "a": "entity.name.type", "version": "keyword.control",
        }),
        ("  profile simple/v1", {"profile": "keyword.declaration", "simple/v1": "constant.other.profile"}),
        ("  record L1 { keep = 7d }", {"record": "keyword.declaration", "L1": "constant.other.level"}),
        ("  budget { turn = 2s, node = 1s }", {
            "budget": "keyword.declaration", "turn": "variable.other.property", "node": "variable.other.property",
        }),
        ("policy a when not session.x in [PHI] {", {
            "not": "keyword.control", "in": "keyword.control", "PHI": "constant",
        }),
        ("  insert mask before llm.prompt", {"insert": "keyword.declaration", "before": "keyword.control"}),
        ("  x -> de otherwise", {"otherwise": "keyword.control", "de": "variable.other"}),
        ('import clean from "a.rspp"', {"import": "keyword.control.import", "from": "keyword.control"}),
    ],
)  # fmt: skip
def test_scopes_of_a_line(grammar: Grammar, line: str, scopes: dict[str, str]) -> None:
    (tokens,) = grammar.lines(line)
    assert "".join(token.text for token in tokens) == line
    for text, expected in scopes.items():
        assert scope(tokens, text).startswith(expected), text


def test_a_long_text_goes_over_lines(grammar: Grammar) -> None:
    lines = list(grammar.lines('a = """one\ntwo # no comment\nthree""" # comment'))
    assert [token.scopes[-1] for token in lines[1]] == ["string.quoted.triple.rspp"]
    assert lines[2][-1].scopes[-1] == "comment.line.number-sign.rspp"


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pipelines_are_tokenised_whole(grammar: Grammar, path: Path) -> None:
    """Nothing is lost, and every word of a file outside of texts has a scope of its own."""
    text = path.read_text(encoding="utf-8")
    for written, tokens in zip(text.split("\n"), grammar.lines(text), strict=True):
        assert "".join(token.text for token in tokens) == written
        bare = [token.text for token in tokens if token.scopes == ("source.rspp",)]
        assert not re.search(r"\w", "".join(bare)), written


def alternatives(grammar: Grammar, name: str) -> set[str]:
    """The words of the rule's list `(?:a|b|c)`, or of those of its patterns."""
    rule = grammar.root["repository"][name]
    patterns = [inner["match"] for inner in rule.get("patterns", [rule])]
    lists = [found for pattern in patterns for found in re.findall(r"\((?:\?:)?([\w%]+(?:\|[\w%]+)+)\)", pattern)]
    return {word for words in lists for word in words.split("|")}


def test_lists_are_those_of_the_language(grammar: Grammar) -> None:
    assert alternatives(grammar, "kind") == {*NODE_KINDS, "transfer"}
    assert alternatives(grammar, "quantity") == {*EVERY_UNIT, *COUNTS}
    assert alternatives(grammar, "action") == set(ACTIONS)
    assert alternatives(grammar, "type") == set(PORT_TYPES)
    assert alternatives(grammar, "predeclared") == set(PREDECLARED)
    assert alternatives(grammar, "constant") == {"true", "false", "PII", "PHI", *LEVELS}


def test_every_keyword_of_the_grammar_is_coloured(grammar: Grammar) -> None:
    keywords = set(tables().keywords) | {"profile"}
    assert set(RESERVED) | ROOM <= keywords
    patterns = " ".join(rule.get("match", "") for rule in grammar.rules())
    assert {word for word in keywords if not re.search(rf"\b{word}\b", patterns)} == set()


def test_every_pattern_compiles_and_every_include_leads_somewhere(grammar: Grammar) -> None:
    for rule in grammar.rules():
        for key in ("match", "begin", "end"):
            if key in rule:
                re.compile(rule[key])
                assert not re.search(r"\(\?<[=!]|\\[hHGK]|\(\?[imx]", rule[key]), "engines differ here"
        include = rule.get("include", "#comment")
        assert include.removeprefix("#") in grammar.root["repository"]


def test_the_extension_names_files_that_are_there() -> None:
    folder = ROOT / "editors" / "vscode"
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    language, grammar = package["contributes"]["languages"][0], package["contributes"]["grammars"][0]
    json.loads((folder / language["configuration"]).read_text(encoding="utf-8"))
    assert (folder / package["main"]).is_file()
    assert grammar["scopeName"] == json.loads(GRAMMAR.read_text(encoding="utf-8"))["scopeName"]
    assert f"copyFileSync('../{GRAMMAR.name}', '{Path(grammar['path']).name}')" in package["scripts"]["postinstall"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_the_extension_is_javascript() -> None:
    file = ROOT / "editors" / "vscode" / "extension.js"
    done = subprocess.run(["node", "--check", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
