"""read: the text of a `.json` → its document, checked against the schema that it names."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import SPEC, Form, documents
from rspp_compiler.source import Source
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.json.adapt import adapter
from rspp_compiler.syntax.json.check import check
from rspp_compiler.syntax.json.print import print_json
from rspp_compiler.syntax.json.scan import scan
from rspp_compiler.syntax.json.tree import Document, Node, Object, Text


def read(source: Source, ctx: Context) -> tuple[Document, frozenset[str]] | None:
    """The document, and the names that what its schema refuses would have declared; None if nothing is left of it."""
    findings = Findings(source, ctx.sink)
    root = scan(findings)
    findings.finish()
    if root is None:
        return None
    ctx.sink.adapt(source.name, adapter(source, root))
    form = _form(root, source, ctx)
    if form is None or not isinstance(root, Object):
        return None
    unusable, lost = check(root, documents()[form], source, ctx)
    if (root.start, root.end) in unusable:
        return None
    return Document(source, root, form, unusable), lost


def _form(root: Node, source: Source, ctx: Context) -> str | None:
    """The `schema_version` that a document names; E0124 if that is none of ours."""
    forms = documents()
    if not isinstance(root, Object):
        help = f'write `{{ "schema_version": "{SPEC}", … }}`'
        ctx.sink.add("E0124", f"a document is an object, not {root.noun}", source.span(root.start, root.end), help=help)
        return None
    version = root.get("schema_version")
    if isinstance(version, Text) and version.text in forms:
        return version.text
    meant = _meant(root, forms)
    if version is None:
        inside = root.start + 1
        first = root.members[0].key.start if root.members else inside
        blanks = source.text[inside:first] if root.members else ""
        comma = "," if root.members else ""
        fix = Fix(source.span(inside, inside), f'{blanks or " "}"schema_version": "{meant}"{comma}')
        message, at = "`schema_version` is missing: nothing says what this is", source.span(root.start, inside)
    else:
        meant = nearest(str(version.plain), forms) or meant
        fix = Fix(source.span(version.start, version.end), f'"{meant}"')
        message, at = f"unknown schema version {_quoted(version)}", source.span(version.start, version.end)
    notes = (f"there is {', '.join(f'`{form}`' for form in forms)}",)
    ctx.sink.add("E0124", message, at, notes=notes, help=f'write `"schema_version": "{meant}"`', fix=fix)
    return None


def _quoted(node: Node) -> str:
    return f"`{node.text}`" if isinstance(node, Text) else node.noun


def _meant(root: Object, forms: dict[str, type[Form]]) -> str:
    """The form that has most of the document's fields."""
    keys = {member.key.text for member in root.members}

    def fields(form: str) -> int:
        known = forms[form].model_fields
        return len(keys & {field.alias or name for name, field in known.items()})

    return max(forms, key=fields)


def beginning(name: str) -> str:
    """The shortest pipeline."""
    ends = ("ingress.audio", "vad", "stt", "llm", "tts", "egress.audio")
    start, to, *others = ends
    edge = {"from": start, "to": to, "then": [{"to": end} for end in others]}
    return print_json({"schema_version": SPEC, "spec_id": name, "edges": [edge]})
