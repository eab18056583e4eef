"""`rsppc schema`: the published JSON Schemas, printed or written."""

from __future__ import annotations

import sys
from pathlib import Path

from rspp_compiler.cli import EXIT_USAGE
from rspp_compiler.cli.settings_schema import with_settings
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.json_form import SPEC
from rspp_compiler.ir.schemas import SCHEMAS, about, schema
from rspp_compiler.syntax.json.print import print_json


def schema_text(name: str) -> str:
    """A schema as it is published. `KeyError` if there is none of that name."""
    found = schema(name)
    return print_json(with_settings(found) if name == SPEC else found)


def run_schema(name: str, folder: Path | None, *, listing: bool) -> int:
    """Prints one schema, or writes it, or all of them, into a folder; or lists them. Returns the exit code.

    Raises OSError when a file cannot be written.
    """
    if name and name not in SCHEMAS:
        near = nearest(name, SCHEMAS)
        hint = f"did you mean {near}?" if near else "`rsppc schema --list` names them"
        print(f"rsppc schema: no schema {name}; {hint}", file=sys.stderr)
        return EXIT_USAGE
    if listing:
        width = max(map(len, SCHEMAS))
        for one in SCHEMAS:
            print(f"{one:<{width}}  {about(one).split('.')[0].split(':')[0]}")
        return 0
    if folder is None:
        sys.stdout.write(schema_text(name))
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for one in [name] if name else SCHEMAS:
        (folder / f"{one}.json").write_text(schema_text(one), encoding="utf-8", newline="\n")
    return 0
