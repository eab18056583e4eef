"""index: every name of a file with what it means, on files with modules, tools, policies, and with errors."""

from __future__ import annotations

import posixpath

import pytest

from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.symbols import Index, Mention
from rspp_compiler.sema.index import index
from rspp_compiler.source import Source
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

SUPPORT = """import clean from "lib/audio.rspp"

tool book (day : text) : python("bookings:book") { timeout = 3s, once }
tool desk : transfer { to = "sip:desk@example.com" }

pipeline support {
  profile simple/v1

  node ears  : vad { idle_after = 8s }
  node llm   { system = file("prompts/a.md"), tools = [book], provider = local }
  node voice : tts
  node hello : say { text = "🎙 hello" }
  node find (question : text) -> (prompt : text) : python("kb:Find") { limit = { cpu = 50% } }
  party ana

  ingress.audio -> clean -> ears -> stt
  stt -> find.question
  find.prompt -> llm -> voice { handoff = { by = sentence }, overflow = [block(40ms), drop_oldest] }
  voice.audio -> egress.audio
  ana.audio -> ears

  on ears.barge_in when session.mode == quiet -> cancel turn
  on llm.timeout or error or book.error       -> hello -> voice
  on voice.error                              -> degrade quiet
  on ingress.dtmf                             -> call desk
  on find.error                               -> pause voice

  mode quiet { off = [voice], llm.system = "Be brief." }
  budget { turn = 2s, stt = 300ms, turn.total = 60s, ingress.audio -> stt.final = 700ms }
}

provider local : llm { use scripted { script = file("a.toml") } }
provider stt {
  use deepgram when session.region == "eu" { model = "nova-3" }
  timeout = { first_chunk = 700ms }
}

policy clinic when session.tenant == "clinic" {
  node   mask : redact { classes = [PHI] }
  insert mask before llm.prompt
  provider stt { use pocketsphinx }
}
"""

AUDIO = """module clean version "1.0.0" (raw : audio) -> (out : audio) {
  node gate : vad { min_silence = 250ms }
  raw -> gate -> out
}
"""

INTERPRETER = """module interpret (heard : audio) -> (spoken : audio) {
  node ears  : vad
  node voice : tts
  heard -> ears -> stt -> llm -> voice -> spoken
}

pipeline interpreter {
  party ana
  node to_en : interpret { stt.language = "es", voice.language = "en", ears.min_silence = 250ms }
  ana.audio -> to_en.heard
  to_en -> ana.audio
  on to_en.stt.error -> end session
  mode fast { to_en.llm.temperature = 0.1 }
  budget { to_en.llm = 700ms }
}
"""


def indexed(**texts: str) -> Index:
    """The index of some files; each is named after its keyword, `/` written `__`."""
    files: list[ast.File] = []
    lost: frozenset[str] = frozenset()
    for name, text in texts.items():
        path = posixpath.join("/p", name.replace("__", "/") + ".rspp")
        source = Source(path, text)
        ctx = Context(sources={path: source})
        trees = parse((source,), ctx)
        assert trees is not None
        program = lower(trees, ctx)
        files += program.files
        lost |= program.lost
    return index(ast.Program(tuple(files), lost))


def at(found: Index, text: str, needle: str, file: str, nth: int = 0) -> Mention:
    """What is mentioned at the `^` of a needle such as `on ^ears.barge_in`, or at its start."""
    lead, _, _ = needle.partition("^") if "^" in needle else ("", "", "")
    plain = needle.replace("^", "")
    start = -1
    for _ in range(nth + 1):
        start = text.index(plain, start + 1)
    line, column = Source("x", text).position(start + len(lead))
    mention = found.at(file, line, column + 1)
    assert mention is not None, needle
    return mention


MAIN = "/p/support.rspp"


@pytest.fixture(scope="module")
def support() -> Index:
    return indexed(support=SUPPORT, lib__audio=AUDIO)


@pytest.mark.parametrize(
    ("needle", "sort", "declared"),
    [
        ("import ^clean", "module", "/p/lib/audio.rspp:1"),
        ("audio -> ^clean", "node", "support.rspp:16"),
        ("clean -> ^ears", "node", "support.rspp:9"),
        ("ears -> ^stt", "node", "support.rspp:16"),
        ("stt -> ^find", "node", "support.rspp:13"),
        ("find.^question", "port", "support.rspp:13"),
        ("^ana.audio", "party", "support.rspp:14"),
        ("tools = [^book", "tool", "support.rspp:3"),
        ("provider = ^local", "pool", "support.rspp:32"),
        ("mode == ^quiet", "mode", "support.rspp:28"),
        ("or ^book.error", "tool", "support.rspp:3"),
        ("degrade ^quiet", "mode", "support.rspp:28"),
        ("call ^desk", "tool", "support.rspp:4"),
        ("pause ^voice", "node", "support.rspp:11"),
        ("off = [^voice", "node", "support.rspp:11"),
        ("{ off = [voice], ^llm", "node", "support.rspp:10"),
        ("2s, ^stt = 300ms", "node", "support.rspp:16"),
        ("-> ^stt.final = 700ms", "node", "support.rspp:16"),
        ("insert ^mask", "node", "support.rspp:39"),
        ("before ^llm", "node", "support.rspp:10"),
    ],
)
def test_a_name_leads_to_its_declaration(support: Index, needle: str, sort: str, declared: str) -> None:
    mention = at(support, SUPPORT, needle, MAIN)
    assert (mention.sort, mention.is_declaration) == (sort, False)
    assert mention.symbol is not None
    span = mention.symbol.at
    assert f"{span.file}:{span.line}".endswith(declared)


@pytest.mark.parametrize(
    ("needle", "sort", "of", "path", "owner"),
    [
        ("{ ^idle_after", "setting", "node", "idle_after", "ears"),
        ("limit = { ^cpu", "setting", "node", "limit.cpu", "find"),
        ("handoff = { ^by", "setting", "flow", "handoff.by", None),
        ("by = ^sentence", "choice", "flow", "handoff.by", None),
        ("[^block", "choice", "flow", "overflow", None),
        (", ^drop_oldest", "choice", "flow", "overflow", None),
        ("], llm.^system", "setting", "node", "system", "llm"),
        ("{ ^turn = 2s", "setting", "budget", "turn", None),
        ("turn.^total", "setting", "budget", "turn.total", None),
        ("{ ^first_chunk", "setting", "provider", "timeout.first_chunk", "stt"),
        ("{ ^model", "setting", "use stt deepgram", "model", "stt"),
        ("use ^deepgram", "engine", "stt", "", "stt"),
        ("ears.^barge_in", "event", "", "barge_in", "ears"),
        ("or ^error or", "event", "", "error", "llm"),
        ("find.^prompt", "port", "", "", "find"),
        ("voice.^audio -> egress", "port", "", "audio", "voice"),
        ("^cancel turn", "verb", "", "", None),
        ("cancel ^turn", "subject", "cancel", "", None),
        ("session.^mode", "field", "session", "mode", None),
        ("session.^tenant", "field", "session", "tenant", None),
        ("ears  : ^vad", "kind", "", "", None),
        ('"^kb:Find', "callable", "python", "", None),
        ('"^prompts/a.md', "file", "node", "system", None),
        ('"^lib/audio.rspp', "file", "import", "", None),
        ("day : ^text", "type", "", "", None),
    ],
)
def test_a_word_says_where_it_belongs(
    support: Index, needle: str, sort: str, of: str, path: str, owner: str | None
) -> None:
    mention = at(support, SUPPORT, needle, MAIN)
    assert (mention.sort, mention.of, mention.path) == (sort, of, path)
    assert (mention.owner.name if mention.owner else None) == owner


def test_dotted_names_reach_into_modules() -> None:
    found = indexed(main=INTERPRETER)
    for needle, path in [
        ("{ ^stt.language", ""),
        ("stt.^language", "language"),
        ("to_en.^stt.error", ""),
        ("to_en.^llm = 700ms", ""),
        ("to_en.llm.^temperature", "temperature"),
        ("to_en.^heard", ""),
    ]:
        mention = at(found, INTERPRETER, needle, "/p/main.rspp")
        within = mention.owner if mention.sort == "setting" else mention.symbol
        assert within is not None, needle
        assert within.parent is not None
        assert (within.parent.name, mention.path) == ("interpret", path), needle


def test_values_that_are_names() -> None:
    """Lists of nodes, of settings; a block that is named after its kind; a node inside of a module."""
    text = (
        "module m (a : audio) -> (b : audio) {\n  node gate : vad\n  a -> gate -> b\n}\n"
        "provider tts { use espeak }\n"
        "pipeline p {\n  node one : m\n  node two : tts { provider = tts, tunable = [voice, rate(100, 140)] }\n"
        "  node all : merge { order = priority, priority = [one, two] }\n  mode quiet { off = [one.gate, two] }\n}\n"
    )
    found = indexed(main=text)
    expected = [
        ("= ^tts, tunable", "provider", "tts"),
        ("priority = [^one", "node", "one"),
        ("priority = [one, ^two", "node", "two"),
        ("off = [^one", "node", "one"),
        ("off = [one.^gate", "node", "gate"),
    ]
    for needle, sort, name in expected:
        mention = at(found, text, needle, "/p/main.rspp")
        assert (mention.sort, mention.symbol.name if mention.symbol else None) == (sort, name)
    for needle in ("tunable = [^voice", ", ^rate(100"):
        mention = at(found, text, needle, "/p/main.rspp")
        assert (mention.sort, mention.owner.name if mention.owner else None) == ("setting", "two")


def test_names_inside_a_module_are_local() -> None:
    """`ears` of the module and a node of that name in the pipeline are two things."""
    text = INTERPRETER.replace("  party ana\n", "  party ana\n  node ears : vad\n  on ears.idle -> end session\n")
    found = indexed(main=text)
    ears = [symbol for symbol in found.symbols if symbol.name == "ears"]
    assert [symbol.parent.name for symbol in ears if symbol.parent] == ["interpret", "interpreter"]
    lines = [[mention.span.line for mention in found.of(symbol)] for symbol in ears]
    assert lines == [[2, 4, 11], [9, 10]]


def test_a_bare_kind_is_declared_where_it_is_first_used() -> None:
    found = indexed(main="pipeline a {\n  ingress.audio -> stt -> llm\n  on stt.error -> end session\n}\n")
    stt = next(symbol for symbol in found.symbols if symbol.name == "stt")
    assert (stt.implicit, stt.kind, stt.at.line) == (True, "stt", 2)
    assert [mention.span.line for mention in found.of(stt)] == [2, 3]


def test_an_import_whose_file_is_not_at_hand_is_a_symbol() -> None:
    found = indexed(support=SUPPORT)
    clean = at(found, SUPPORT, "import ^clean", MAIN)
    assert (clean.sort, clean.is_declaration) == ("import", True)


def test_a_file_with_errors_still_has_an_index() -> None:
    """A line that cannot be read is missing; the rest is there. What nothing declares is told apart."""
    text = SUPPORT.replace("  party ana\n", "  party ana ]\n").replace("-> call desk", "-> call dsk")
    found = indexed(support=text, lib__audio=AUDIO)
    assert at(found, text, "call ^dsk", MAIN).symbol is None
    assert at(found, text, "degrade ^quiet", MAIN).symbol is not None


def test_declared_twice_is_one_symbol() -> None:
    found = indexed(main="pipeline a {\n  node x : vad\n  node x : tts\n  x -> x\n}\n")
    (x,) = [symbol for symbol in found.symbols if symbol.name == "x"]
    assert [(mention.span.line, mention.is_declaration) for mention in found.of(x)] == [
        (2, True), (3, True), (4, False), (4, False),
    ]  # fmt: skip


def test_visible_names(support: Index) -> None:
    pipeline = support.container(MAIN, 12, 1)
    names = {symbol.name for symbol in support.visible(MAIN, pipeline)}
    assert {"ears", "stt", "quiet", "ana", "book", "local", "clean", "clinic"} <= names
    assert not {"gate", "raw", "mask"} & names  # of the module, of the policy
    policy = support.container(MAIN, 39, 5)
    assert policy is not None
    assert {"mask", "llm"} <= {symbol.name for symbol in support.visible(MAIN, policy)}


def test_every_mention_covers_its_name(support: Index) -> None:
    """A span cuts out the name, emoji before it or not; texts stand in quotes."""
    lines = SUPPORT.split("\n")
    for mention in support.mentions:
        if mention.span.file == MAIN and mention.sort != "profile":
            written = lines[mention.span.line - 1][mention.span.column - 1 : mention.span.end_column - 1]
            assert written.strip('"') == mention.name
