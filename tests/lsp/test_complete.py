"""Completion: what may stand at the cursor, in lines that do not parse yet."""

from __future__ import annotations

import pytest
from lsprotocol.types import InsertTextFormat, Position, TextEdit

from lsp_desk import PATH, desk, items
from rspp_compiler.lsp.complete import complete
from rspp_compiler.lsp.cursor import cursor

BODY = """module clean (raw : audio) -> (out : audio) {{
  node gate : vad
  raw -> gate -> out
}}
tool book (day : text) : python("b:book")
provider local : llm {{ use scripted }}
pipeline a {{
  node ears : vad
  node find (question : text) -> (prompt : text) : python("kb:Find")
  node tidy : clean
  node voice : tts
  party ana
  mode quiet {{ off = [voice] }}
  ears -> stt
{}
}}
"""
GOOD = BODY.format("")


def labels(line: str) -> set[str]:
    """The labels at the `^` of a line inside of the pipeline."""
    return set(items(BODY.format(line), GOOD))


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("  ^", {"node", "on", "budget", "ears", "ingress", "llm", "ana", "clean"}, {"pipeline", "barge_in", "gate"}),
        ("  node x : ^", {"vad", "llm", "clean", "python", "redact"}, {"ears", "ingress", "resample"}),
        ("  node x : v^", {"vad"}, {"node"}),
        ("  ears -> ^", {"stt", "voice", "egress", "tidy", "find"}, {"ingress", "cancel"}),
        ("  ears -> stt -> \n    ^", {"llm", "voice"}, {"node"}),
        ("  ears.^", {"speech"}, {"audio", "barge_in"}),
        ("  ears -> find.^", {"question"}, {"prompt"}),
        ("  find.^", {"prompt"}, {"question"}),
        ("  tidy.^", {"out"}, {"raw", "gate"}),
        ("  ana.^", {"audio", "dtmf"}, {"ambient"}),
        ("  voice -> ana.^", {"audio", "ambient"}, {"dtmf"}),
        ("  ingress.^", {"audio", "text", "dtmf"}, set()),
        ("  ears -> stt ^", {"when", "otherwise"}, {"stt"}),
        ("  on ^", {"ears", "book", "session", "turn", "ana"}, {"when"}),
        ("  on ears.^", {"barge_in", "idle", "error"}, {"speech"}),
        ("  on book.^", {"started", "done"}, {"barge_in"}),
        ("  on session.^", {"connected", "disconnected"}, {"error"}),
        ("  on ears.error or ^", {"timeout", "voice"}, {"when"}),
        ("  on ears.barge_in ^", {"or", "when"}, {"ears"}),
        ("  on ears.barge_in -> ^", {"cancel", "degrade", "voice"}, {"when"}),
        ("  on ears.barge_in -> cancel ^", {"turn", "session", "ears"}, {"quiet", "book"}),
        ("  on ears.barge_in -> degrade ^", {"quiet"}, {"ears"}),
        ("  on ears.barge_in -> call ^", {"book"}, {"ears"}),
        ("  on ears.idle when event.^", {"count", "duration"}, {"tenant"}),
        ("  on ears.idle when session.mode == ^", {"quiet"}, {"ears"}),
        ("  stt -> llm when session.^", {"tenant", "language"}, {"digit"}),
        ("  profile ^", {"simple/v1"}, set()),
        ("  record ^", {"L0", "L1", "L2"}, set()),
        ("  node x : vad { ^", {"min_silence", "threshold", "limit", "scope"}, {"system"}),
        ("  node llm { tools = [^", {"book"}, {"ears"}),
        ("  node llm { provider = ^", {"local"}, {"book"}),
        ("  node x : merge { order = ^", {"timestamp", "round_robin"}, set()),
        ("  node x : vad { min_silence = 300^", {"ms", "s"}, {"kHz"}),
        ("  node x : tts { tunable = [^", {"voice", "rate"}, {"limit"}),
        ("  node x : nothing { tunable = [^", set(), {"voice"}),
        ("  node x : play { file = ^", {"file"}, set()),
        ("  node y : clean { ^", {"gate"}, {"raw"}),
        ("  node y : clean { gate.^", {"min_silence"}, {"gate"}),
        ("  ears -> stt { ^", {"buffer", "overflow", "handoff", "commit_point"}, {"min_silence"}),
        ("  ears -> stt { overflow = [block(40ms), ^", {"drop_oldest", "latest_only"}, {"buffer"}),
        ("  ears -> stt { handoff = { ^", {"by", "max_age"}, {"buffer"}),
        ("  ears -> stt { handoff = { by = ^", {"sentence"}, {"by"}),
        ("  budget { ^", {"turn", "turn.total", "ears", "stt", "cost"}, {"quiet"}),
        ("  mode slow { ^", {"off", "voice"}, {"ears.speech"}),
        ("  mode slow { off = [^", {"voice", "ears"}, {"quiet"}),
        ("  mode slow { voice.^", {"rate", "language"}, {"off"}),
        ("  node x (q : ^", {"audio", "text", "bytes"}, {"vad"}),
        ('  node x : say { text = "^', set(), {"node", "ears", "text"}),
        ("  # ^", set(), {"node", "ears"}),
    ],
)
def test_in_a_pipeline(line: str, some: set[str], none: set[str]) -> None:
    found = labels(line)
    assert some <= found, some - found
    assert not none & found
    if not some:
        assert not found


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("^", {"pipeline", "module", "tool", "provider", "policy", "import"}),
        ("provider ^", {"stt", "llm", "tts", "vad"}),
        ("provider stt {\n  ^", {"use", "timeout", "retry"}),
        ("provider stt {\n  use ^", {"deepgram", "pocketsphinx"}),
        ("provider stt {\n  use deepgram { ^", {"model", "api_key", "price"}),
        ("provider stt {\n  use deepgram { api_key = ^", {"secret"}),
        ("provider stt {\n  timeout = { ^", {"first_chunk", "chunk"}),
        ('tool x (a : text) : python("b:c") { ^', {"timeout", "once", "background"}),
        ("tool x : transfer { ^", {"to", "warm"}),
        ("tool x : ^", {"python", "transfer"}),
        ("policy x when session.^", {"tenant", "tier"}),
        ("policy x when session.tier == 1 {\n  ^", {"node", "insert", "provider", "record"}),
        ("module m (raw : ^) -> (out : audio) {}", {"audio"}),
    ],
)
def test_at_the_top_level(text: str, some: set[str]) -> None:
    found = set(items(text, "pipeline a { ingress.audio -> vad }\n"))
    assert some <= found, some - found


def test_an_item_says_what_it_is_and_what_it_replaces() -> None:
    found = items(BODY.format("  node x : vad { min_s^"), GOOD)["min_silence"]
    edit = found.text_edit
    assert isinstance(edit, TextEdit)
    assert edit.new_text == "min_silence = "
    assert edit.range.end.character - edit.range.start.character == len("min_s")
    assert found.detail == "silence that ends an utterance"


def test_snippets_only_for_clients_that_take_them() -> None:
    workspace = desk("")
    found = {item.label: item for item in complete(workspace, PATH, Position(0, 0))}
    assert found["pipeline"].insert_text_format == InsertTextFormat.Snippet
    workspace.snippets = False
    plain = {item.label: item for item in complete(workspace, PATH, Position(0, 0))}
    assert plain["pipeline"].insert_text_format is None
    assert isinstance(plain["pipeline"].text_edit, TextEdit)
    assert plain["pipeline"].text_edit.new_text == "pipeline"


def test_without_any_reading_the_language_is_still_known() -> None:
    assert "min_silence" in items("pipeline a {\n  node x : vad { ^", "((((")


@pytest.mark.parametrize(
    ("text", "place", "path", "item"),
    [
        ("pipeline a {\n  x -> y { handoff = { by = ", "flow", ("handoff",), " by = "),
        ("pipeline a {\n  x -> \n  ", "pipeline", (), "  x -> \n  "),
        ('pipeline a {\n  node x : say { text = "} {" }\n  ', "pipeline", (), "  "),
        ("pipeline a {} ]\n", "file", (), ""),
    ],
)
def test_the_cursor_is_found_by_the_text_alone(text: str, place: str, path: tuple[str, ...], item: str) -> None:
    here = cursor(text, len(text))
    assert here is not None
    assert (here.place, here.path, here.item) == (place, path, item)
