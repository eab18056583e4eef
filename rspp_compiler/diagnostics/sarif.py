"""Diagnostics as SARIF 2.1.0, which code hosts and editors read: one log for a run.

Columns count code points (`columnKind`), as everywhere in RSPP. A place in the profile is no file of the user's: it
appears by its name, as a logical location.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from rspp_compiler.diagnostics.catalog import CODES, page
from rspp_compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix, is_label
from rspp_compiler.source import Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """All findings of a run; `version` is the compiler's. The rules are the codes that occur, each with its page."""
    found = list(diagnostics)
    rules = sorted({one.code for one in found})
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "rsppc", "version": version, "rules": [_rule(code) for code in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, rules) for one in found],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    """The title of a code, and its page: the first paragraph in words, all of it as Markdown."""
    text = page(code)
    paragraph = " ".join(text.split("\n\n")[1].split())
    return {
        "id": code,
        "shortDescription": {"text": CODES[code].title},
        "fullDescription": {"text": paragraph},
        "help": {"text": paragraph, "markdown": text},
        "defaultConfiguration": {"level": CODES[code].severity},
    }


def _result(found: Diagnostic, rules: Sequence[str]) -> dict[str, Any]:
    says = [found.message, *found.notes, *([f"help: {found.help}"] if found.help else [])]
    related = [
        {"id": number, **_location(span, label or "see here")} for number, (span, label) in enumerate(found.secondary)
    ]
    return {
        "ruleId": found.code,
        "ruleIndex": rules.index(found.code),
        "level": found.severity,
        "message": {"text": "\n".join(says)},
        "locations": [_location(found.primary, found.label)],
        **({"relatedLocations": related} if related else {}),
        **({"fixes": [_fix(found.fix, found.help)]} if found.fix else {}),
    }


def _location(span: Span, message: str) -> dict[str, Any]:
    if is_label(span.file):
        place: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": f"{span.file}, line {span.line}"}]}
    else:
        place = {"physicalLocation": {"artifactLocation": {"uri": _uri(span.file)}, "region": _region(span)}}
    return {**place, **({"message": {"text": message}} if message else {})}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
        "byteOffset": span.start,
        "byteLength": span.end - span.start,
    }


def _fix(fix: Fix, help: str) -> dict[str, Any]:
    files = dict.fromkeys(edit.span.file for edit in fix.edits)
    return {
        "description": {"text": help or "change it"},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _uri(file)},
                "replacements": [_replacement(edit) for edit in fix.edits if edit.span.file == file],
            }
            for file in files
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    content = {"insertedContent": {"text": edit.replacement}} if edit.replacement else {}
    return {"deletedRegion": _region(edit.span), **content}


def _uri(file: str) -> str:
    """A path as a URI reference: relative where it is, `file:///…` where not."""
    return f"file://{quote(file)}" if file.startswith("/") else quote(file)
