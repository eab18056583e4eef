"""Hover: the compiler's figures with their origins and shares; and what each word of the language means."""

from __future__ import annotations

import re

import pytest

from lsp_desk import PATH, card, desk, place
from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.lsp.findings import findings
from rspp_compiler.lsp.hover import hover
from rspp_compiler.lsp.words import KEYWORDS, VERBS
from rspp_compiler.lsp.workspace import Workspace
from rspp_compiler.sema.language.catalog import ACTIONS
from rspp_compiler.syntax.expected import DECLARATIONS, TOP_LEVEL

TEXT = """# Says what it was told to.
pipeline a version "1.0.0" {
  profile simple/v1

  # Listens
  # all the time.
  node ears  : vad { min_silence = 400ms }
  node llm   { temperature = 0.5 }
  node voice : tts

  ingress.audio -> ears -> stt   { buffer = [20 items, 100ms], overflow = drop_oldest }
  stt           -> llm -> voice  { handoff = { by = sentence, max_age = 120ms } }
  voice         -> egress.audio
  llm.delta     -> egress.text

  on ears.barge_in -> cancel turn
  on voice.error   -> degrade quiet

  mode   quiet { off = [voice] }
  budget { turn = 2s, llm = 500ms }
}
"""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return desk(TEXT, compiled=True)


def test_a_node_with_its_budget_and_the_memory_of_its_edges(workspace: Workspace) -> None:
    told = card(workspace, "-> ^llm ->")
    assert "node llm   { temperature = 0.5 }" in told
    assert "- in `prompt : text` (main)" in told
    assert "- out `delta : text` (main)" in told
    assert "**Budget** 500ms to first output (user, a.rspp:20:29): 25 % of the turn's 2s (user, a.rspp:20:19)" in told
    assert "**On the slowest path** to `egress.audio`: first output " in told
    assert "- error: aborts the turn" in told
    assert re.search(r"\*\*Memory\*\* its 3 edges may hold [\d.]+ kB, of \d+ kB for a session", told)


def test_a_default_says_which_line_of_the_profile_it_is_from(workspace: Workspace) -> None:
    told = card(workspace, "node ^voice")
    assert "**Budget** 300ms to first output (execution_profile/simple/v1, line " in told
    assert "15 % of the turn's 2s" in told


def test_the_comment_above_a_declaration(workspace: Workspace) -> None:
    assert "Listens all the time." in card(workspace, "on ^ears")
    assert "Says what it was told to." in card(workspace, "pipeline ^a")


def test_an_edge_with_its_bounds_and_what_it_adds(workspace: Workspace) -> None:
    told = card(workspace, "ears ^-> stt")
    assert "ears.speech -> stt.audio" in told
    assert "- **holds** 20 items (user, a.rspp:11:46)" in told
    assert "- **age** at most 100ms (user, a.rspp:11:56)" in told
    assert "- **overflow** `drop_oldest` (user, a.rspp:11:75)" in told
    assert "- **adds** 100ms to a path through it, 5 % of the turn's 2s" in told
    handoff = card(workspace, "llm ^-> voice")
    assert "- **hand-off** by sentence, at most 120ms (user, a.rspp:12:73)" in handoff
    assert "- **adds** 120ms" in handoff
    assert "- **adds** nothing to a path through it" in card(workspace, "voice         ^-> egress")


@pytest.mark.parametrize(
    ("needle", "lines"),
    [
        (
            "{ ^min_silence",
            [
                "**`min_silence`** of `ears`: silence that ends an utterance",
                "takes a duration, 32ms to 5s",
                "**in effect** `400ms` (user, a.rspp:7:36)",
                "**default** `300ms` (execution_profile/simple/v1, line ",
            ],
        ),
        ("{ ^temperature", ["takes a number, 0 to 2", "**in effect** `0.5` (user, a.rspp:8:30)"]),
        ("{ ^buffer", ["the first bound that is reached holds", "**in effect** 20 items, 100ms, 12.8 kB"]),
        ("^overflow", ["**in effect** `drop_oldest` (user, a.rspp:11:75)"]),
        ("^max_age", ["**`handoff.max_age`**", "**in effect** `120ms` (user, a.rspp:12:73)"]),
        ("{ ^turn", ["**in effect** `2s` (user, a.rspp:20:19)", "**default** `2s`"]),
        ("{ ^off", ["nodes that are switched off", "takes a list of names"]),
        ("= ^drop_oldest", ["has waited longest"]),
        ("by = ^sentence", ["`by` is one of `sentence`, `clause`, `word`"]),
    ],
)
def test_a_setting(workspace: Workspace, needle: str, lines: list[str]) -> None:
    told = card(workspace, needle)
    for line in lines:
        assert line in told


@pytest.mark.parametrize(
    ("needle", "line"),
    [
        (": ^vad", "Tells speech from silence"),
        ("ears.^barge_in", "the user speaks while the agent does"),
        ("-> ^cancel", "`cancel turn|session|NODE`"),
        ("cancel ^turn", "one response"),
        ("^ingress", "What comes from the user"),
        ("egress.^audio", "**input** `audio : audio` of `egress`"),
        ("degrade ^quiet", "mode   quiet { off = [voice] }"),
        ("^budget", "The compiler proves that no path takes longer"),
        ("^node ears", "One stage of the pipeline"),
        ("simple/^v1", "The execution profile"),
    ],
)
def test_a_word(workspace: Workspace, needle: str, line: str) -> None:
    assert line in card(workspace, needle)


@pytest.mark.parametrize("needle", ["^\n  # all", "# Li^stens", "2^s, llm", 'version "^1'])
def test_nothing_to_say(workspace: Workspace, needle: str) -> None:
    assert card(workspace, needle) == ""


def test_a_finding_explains_its_code() -> None:
    text = TEXT.replace("-> stt   {", "-> sst   {")
    workspace = desk(text)
    known = findings(workspace, PATH, workspace.compile(PATH))
    assert "E0203" in [one.diagnostic.code for one in known]
    found = hover(workspace, PATH, place(workspace, "^sst"), known)
    assert found is not None
    assert f"**E0203**: {CODES['E0203'].title}" in found.contents.value  # type: ignore[union-attr]


def test_figures_stay_while_the_text_has_errors(workspace: Workspace) -> None:
    """What is typed breaks the file; the last figures that there were are shown."""
    own = desk(TEXT, compiled=True)
    own.put(PATH, TEXT.replace("  mode   quiet", "  mode ->  quiet"), 2)
    own.compile(PATH)
    assert "**Budget** 500ms to first output" in card(own, "-> ^llm ->")


def test_a_module_shows_each_use() -> None:
    text = (
        "module m (heard : audio) -> (out : text) {\n"
        "  node ears : vad { min_silence = 100ms }\n  heard -> ears -> stt -> out\n}\n"
        "pipeline a {\n  party x\n  party y\n  node one : m { ears.min_silence = 200ms }\n  node two : m\n"
        "  x.audio -> one -> llm -> tts -> y.audio\n  y.audio -> two -> tap\n}\n"
    )
    workspace = desk(text, compiled=True)
    made = card(workspace, "node ^two")
    assert "module m (heard : audio) -> (out : text)" in made
    assert "Inside: `ears`, `stt`." in made
    told = card(workspace, "node ^ears")
    assert "As `one.ears`:" in told
    assert "As `two.ears`:" in told
    setting = card(workspace, "ears.^min_silence")
    assert "`200ms`" in setting
    assert "`100ms`" in setting


def test_every_keyword_and_verb_has_its_paragraph() -> None:
    assert {*TOP_LEVEL, *DECLARATIONS} <= KEYWORDS.keys()
    assert KEYWORDS.keys() >= {
        "when",
        "otherwise",
        "and",
        "or",
        "not",
        "in",
        "use",
        "insert",
        "before",
        "from",
        "version",
    }
    assert VERBS.keys() == ACTIONS.keys()
