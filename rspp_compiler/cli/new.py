"""`rsppc new NAME`: a folder with a pipeline, its dialogue and a README, which builds and runs as it is."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from rspp_compiler.emit.project import project_files
from rspp_compiler.sema.language.catalog import PREDECLARED, RESERVED
from rspp_compiler.sema.rules.package_name import is_taken

_LONGEST = 60  # characters of a name: of a folder, of modules, of files


def new_project(name: str, parent: Path) -> str:
    """Writes `parent/name/`. Returns what stands in the way, or an empty text."""
    if len(name) > _LONGEST:
        return f"a name has at most {_LONGEST} characters"
    if keyword.iskeyword(name) or is_taken(name) or name in (*RESERVED, *PREDECLARED):
        whose = "the language" if name in (*RESERVED, *PREDECLARED) else "Python"
        return f"`{name}` is a word of {whose}: try {name}_agent"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        snake = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = f": try {snake}" if re.fullmatch(r"[a-z][a-z0-9_]*", snake) and not keyword.iskeyword(snake) else ""
        return f"`{name}` is not a name in snake_case{hint}"
    folder = parent / name
    if folder.exists():
        return f"{name} is already there; nothing was written"
    for path, text in project_files(name).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}/{path}")
    print(f'\nNext: cd {name} && rsppc run {name}.rspp --text "hello"')
    return ""
