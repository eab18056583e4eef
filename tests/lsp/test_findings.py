"""Findings as the editor shows them, and their fixes as actions."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from lsp_desk import PATH, desk, place
from rspp_compiler.diagnostics import Diagnostic, Fix
from rspp_compiler.lsp.findings import FIX_ALL, SHOWN_MAX, Finding, actions, findings, message
from rspp_compiler.lsp.workspace import Workspace
from rspp_compiler.source import Source

TWO = 'pipeline a version "1.0.0" {\n  node ears : vda\n  node ears2 : vad { min_silence = 300 }\n}\n'
EVERYWHERE = types.Range(types.Position(0, 0), types.Position(99, 0))


def known(workspace: Workspace) -> list[Finding]:
    return findings(workspace, PATH, workspace.compile(PATH))


def test_a_finding_says_all_that_the_command_line_says() -> None:
    workspace = desk(TWO)
    found = {one.diagnostic.code: one for one in known(workspace)}
    shown = found["E0303"].shown
    assert shown.range.start == place(workspace, "300 }")
    assert shown.severity == types.DiagnosticSeverity.Error
    assert shown.message == message(found["E0303"].diagnostic)
    assert "help: " in shown.message


def test_places_of_a_profile_lead_into_its_file() -> None:
    """Related information may point at the file of the profile: it opens, at the line."""
    text = 'pipeline a version "1.0.0" {\n  budget { turn.total = 1s }\n  ingress.audio -> vad -> stt -> tap\n}\n'
    workspace = desk(text)
    related = [info for one in known(workspace) for info in one.shown.related_information or ()]
    profile = [info.location for info in related if info.location.uri.endswith("/profiles/simple_v1.toml")]
    assert profile
    line = (
        Path(profile[0].uri.removeprefix("file://"))
        .read_text(encoding="utf-8")
        .split("\n")[profile[0].range.start.line]
    )
    assert line.startswith("turn ")


def test_fixes_are_actions_where_the_cursor_is() -> None:
    workspace = desk(TWO)
    found = known(workspace)
    at = place(workspace, "vda^")
    here = actions(workspace, PATH, found, types.Range(at, at), [types.CodeActionKind.QuickFix])
    assert [action.title for action in here] == ["Replace `vda` with `vad`"]
    assert here[0].is_preferred
    assert here[0].diagnostics == [one.shown for one in found if one.diagnostic.code == "E0204"]


def test_every_fix_at_once() -> None:
    workspace = desk(TWO)
    (action,) = actions(workspace, PATH, known(workspace), EVERYWHERE, [types.CodeActionKind.Source])
    assert action.kind == FIX_ALL
    assert action.edit is not None
    (change,) = action.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert {edit.new_text for edit in change.edits} >= {"vad", "300ms"}  # type: ignore[union-attr]


def test_a_lint_can_be_allowed_with_a_reason() -> None:
    workspace = desk("pipeline a {\n  ingress.audio -> vad -> stt -> tap\n}\n")
    found = known(workspace)
    at = place(workspace, "pipeline ^a")
    allow = [one for one in actions(workspace, PATH, found, types.Range(at, at)) if one.title.startswith("Allow")]
    assert [one.title for one in allow] == ["Allow W0101 here, with a reason"]
    assert allow[0].edit is not None
    (change,) = allow[0].edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert [edit.new_text for edit in change.edits] == ["# rspp: allow W0101 because \n"]  # type: ignore[union-attr]
    text = "# rspp: allow W0101 because it is a sketch\n" + workspace.text(PATH).source.text
    assert "W0101" not in [one.diagnostic.code for one in known(desk(text))]


def test_a_fix_for_an_older_text_is_not_offered() -> None:
    workspace = desk(TWO)
    found = known(workspace)
    workspace.put(PATH, "# more\n" + TWO, 2)
    assert actions(workspace, PATH, found, EVERYWHERE) == []


def test_an_edit_names_its_version_if_the_client_can() -> None:
    workspace = desk(TWO)
    workspace.versioned_edits = False
    (first, *_) = actions(workspace, PATH, known(workspace), EVERYWHERE, [types.CodeActionKind.QuickFix])
    assert first.edit is not None
    assert first.edit.document_changes is None
    assert list(first.edit.changes or ()) == [workspace.uri(PATH)]


def test_a_fix_of_several_places_says_what_it_is_for() -> None:
    workspace = desk("pipeline a {\n}\n")
    span = Source(PATH, "pipeline a {\n}\n").span(9, 10)
    fix = Fix(span, "b", Fix(Source(PATH, "pipeline a {\n}\n").span(12, 12), "\n  stt").edits)
    diagnostic = Diagnostic("E0203", "error", "x", span, help="declare it", fix=fix)
    finding = Finding(diagnostic, types.Diagnostic(EVERYWHERE, "x"), {PATH: 1})
    (action,) = actions(workspace, PATH, [finding], EVERYWHERE)
    assert action.title == "Declare it"


def test_many_findings_are_cut() -> None:
    lines = "".join(f"  stt -> nobody_{number}\n" for number in range(SHOWN_MAX + 50))
    workspace = desk(f"pipeline a {{\n{lines}}}\n")
    assert len(known(workspace)) == SHOWN_MAX
