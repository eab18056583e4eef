"""The compiler's diagnostics as the editor shows them, and their fixes as code actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lsprotocol import types

from rspp_compiler.diagnostics import Diagnostic, Fix
from rspp_compiler.diagnostics.fixes import apply_all, line_before
from rspp_compiler.diagnostics.patch import loses
from rspp_compiler.lsp.positions import Text
from rspp_compiler.lsp.workspace import Compilation, Workspace
from rspp_compiler.source import Span

SOURCE = "rsppc"
SHOWN_MAX = 200  # of one file; an editor with thousands of marks helps nobody
FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.{SOURCE}"
_SEVERITY = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_PROFILE = "execution_profile/"


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic of the documents at `versions`, and how it is shown."""

    diagnostic: Diagnostic
    shown: types.Diagnostic
    versions: Mapping[str, int]

    def is_current(self, workspace: Workspace) -> bool:
        """Whether no text that it, or its fix, is about has changed since."""
        edits = self.diagnostic.fix.edits if self.diagnostic.fix else ()
        files = {self.diagnostic.primary.file, *(edit.span.file for edit in edits)}
        return all(workspace.version(file) == self.versions.get(file, -1) for file in files)


def findings(workspace: Workspace, path: str, compilation: Compilation) -> list[Finding]:
    """What a compilation found in the file `path`, at most 200, the first ones first."""
    text = workspace.text(path)
    here = [one for one in compilation.result.diagnostics if one.primary.file == path]
    return [Finding(one, _shown(workspace, text, one), compilation.versions) for one in here[:SHOWN_MAX]]


def _shown(workspace: Workspace, text: Text, found: Diagnostic) -> types.Diagnostic:
    related = [(found.primary, found.label)] if found.label and found.secondary else []
    return types.Diagnostic(
        range=text.range(found.primary),
        message=message(found),
        severity=_SEVERITY[found.severity],
        code=found.code,
        code_description=code_description(found.code),
        source=SOURCE,
        related_information=[
            types.DiagnosticRelatedInformation(location(workspace, span), label or "here")
            for span, label in (*related, *found.secondary)
        ],
    )


def message(found: Diagnostic) -> str:
    """The sentence, then what the command line would show below it."""
    label = [found.label] if found.label and not found.secondary else []
    notes = [f"note: {note}" for note in found.notes]
    return "\n".join([found.message, *label, *notes, *([f"help: {found.help}"] if found.help else [])])


def code_description(code: str) -> types.CodeDescription | None:
    """The page of a code, as a file that the editor can open."""
    page = resources.files("rspp_compiler.diagnostics").joinpath("codes", f"{code}.md")
    return types.CodeDescription(page.as_uri()) if isinstance(page, Path) and page.is_file() else None


def location(workspace: Workspace, span: Span) -> types.Location:
    """Where a span lies. A line of a profile lies in the compiler's own file."""
    if span.file.startswith(_PROFILE):
        name = span.file.removeprefix(_PROFILE).replace("/", "_")
        file = resources.files("rspp_compiler.sema.language").joinpath("profiles", f"{name}.toml")
        if isinstance(file, Path):
            return types.Location(file.as_uri(), _plain(span))
    return types.Location(workspace.uri(span.file), workspace.text(span.file).range(span))


def _plain(span: Span) -> types.Range:
    """A range of a text in ASCII, where all encodings count alike."""
    return types.Range(
        types.Position(span.line - 1, span.column - 1), types.Position(span.end_line - 1, span.end_column - 1)
    )


# ---- fixes


def actions(
    workspace: Workspace,
    path: str,
    known: Iterable[Finding],
    at: types.Range,
    only: Iterable[str] | None = None,
) -> list[types.CodeAction]:
    """The fixes of the findings that `at` touches, a comment that allows a lint, and every fix of the file at once.

    `only` are the kinds of action that the client asks for; None for all.
    """
    current = [one for one in known if one.is_current(workspace)]
    here = [one for one in current if _touch(one.shown.range, at)]
    wanted = None if only is None else [str(getattr(one, "value", one)) for one in only]
    actions = []
    if _asked(types.CodeActionKind.QuickFix.value, wanted):
        for one in here:
            if one.diagnostic.fix:
                edit = workspace_edit(workspace, [one.diagnostic.fix])
                title = _title(workspace, one.diagnostic, one.diagnostic.fix)
                is_sure = not one.diagnostic.fix.is_guess
                actions.append(types.CodeAction(title, types.CodeActionKind.QuickFix, [one.shown], is_sure, edit=edit))
        if not path.endswith(".json"):  # it has no comments
            actions += [_allowing(workspace, one) for one in here if one.diagnostic.code.startswith("W")]
    fixes = [one.diagnostic.fix for one in current if one.diagnostic.fix]
    sources = {edit.span.file: workspace.text(edit.span.file).source for fix in fixes for edit in fix.edits}
    fixes = [fix for fix in fixes if not loses(fix, sources)]  # what an editor does on saving takes nothing away
    if len(fixes) > 1 and _asked(FIX_ALL, wanted):
        _, made = apply_all({file: source.text for file, source in sources.items()}, fixes)
        title = f"Apply {len(made)} fixes in this file"
        actions.append(types.CodeAction(title, FIX_ALL, edit=workspace_edit(workspace, made)))
    return actions


def _allowing(workspace: Workspace, found: Finding) -> types.CodeAction:
    """Puts the comment above the line that allows what was found there; the reason is for the user to write."""
    code, place = found.diagnostic.code, found.diagnostic.primary
    source = workspace.text(place.file).source
    comment = line_before(source, source.line_span(place.line), f"# rspp: allow {code} because ")
    title = f"Allow {code} here, with a reason"
    edit = workspace_edit(workspace, [comment])
    return types.CodeAction(title, types.CodeActionKind.QuickFix, [found.shown], edit=edit)


def _asked(kind: str, wanted: list[str] | None) -> bool:
    return wanted is None or any(kind == one or kind.startswith(f"{one}.") for one in wanted)


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _title(workspace: Workspace, found: Diagnostic, fix: Fix) -> str:
    """What the fix does, in a few words."""
    if fix.also or "\n" in fix.replacement:
        return found.help[:1].upper() + found.help[1:] if found.help else f"Fix {found.code}"
    source = workspace.text(fix.span.file).source
    start = source.offset(fix.span.line, fix.span.column)
    old = source.text[start : source.offset(fix.span.end_line, fix.span.end_column)].strip()
    new = fix.replacement.strip()
    if not old:
        return f"Insert `{new}`"
    return f"Replace `{_cut(old)}` with `{_cut(new)}`" if new else f"Remove `{_cut(old)}`"


def _cut(text: str, most: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def workspace_edit(workspace: Workspace, fixes: Iterable[Fix]) -> types.WorkspaceEdit:
    edits: dict[str, list[types.TextEdit]] = {}
    for edit in dict.fromkeys(edit for fix in fixes for edit in fix.edits):
        at = workspace.text(edit.span.file).range(edit.span)
        edits.setdefault(edit.span.file, []).append(types.TextEdit(at, edit.replacement))
    return versioned(workspace, edits)


def versioned(workspace: Workspace, edits: Mapping[str, list[types.TextEdit]]) -> types.WorkspaceEdit:
    """Edits by path, as edits of the versions that they were made for: an editor that has moved on refuses them."""
    if not workspace.versioned_edits:
        return types.WorkspaceEdit(changes={workspace.uri(path): list(edits[path]) for path in sorted(edits)})

    def document(path: str) -> types.OptionalVersionedTextDocumentIdentifier:
        version = workspace.version(path)
        return types.OptionalVersionedTextDocumentIdentifier(workspace.uri(path), version if version >= 0 else None)

    changes = [types.TextDocumentEdit(document(path), list(edits[path])) for path in sorted(edits)]
    return types.WorkspaceEdit(document_changes=changes)
