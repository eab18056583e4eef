"""Diagnostics for machines: JSON, one object for each, with places in bytes as well as in lines and columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rspp_compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix
from rspp_compiler.source import Span


def to_objects(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The findings as plain data."""
    return [
        {
            "code": found.code,
            "severity": found.severity,
            "message": found.message,
            "primary": {**_place(found.primary), "label": found.label},
            "secondary": [{**_place(span), "label": label} for span, label in found.secondary],
            "notes": list(found.notes),
            "help": found.help,
            "fix": _fix(found.fix) if found.fix else None,
        }
        for found in diagnostics
    ]


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings of a run as one list."""
    return json.dumps(to_objects(diagnostics), indent=2, ensure_ascii=False) + "\n"


def _fix(fix: Fix) -> dict[str, Any]:
    """Its first edit, the `also` that belong to it, and whether somebody should look before they are made."""
    also = [_edit(edit) for edit in fix.also]
    return {**_edit(Edit(fix.span, fix.replacement)), "also": also, "is_guess": fix.is_guess}


def _edit(edit: Edit) -> dict[str, Any]:
    return {**_place(edit.span), "replacement": edit.replacement}


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "start": span.start,
        "end": span.end,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
