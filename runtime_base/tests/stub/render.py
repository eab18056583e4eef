"""Renders the stub plans with the compiler's kernel templates, into the folders beside this file.

    python runtime_base/tests/stub/render.py

The result is committed, so the runtime is tested without the compiler; a test of the compiler keeps it current.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from plans import PLANS  # noqa: E402

from rspp_compiler.emit.kernel_view import kernel_files  # noqa: E402
from rspp_compiler.ir import layout  # noqa: E402


def for_compiler(value: Any) -> Any:
    """The runtime's plan tables as the compiler's: the same fields under the same names."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: for_compiler(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return getattr(layout, type(value).__name__)(**fields)
    if isinstance(value, tuple):
        return tuple(for_compiler(entry) for entry in value)
    return value


def rendered(name: str) -> dict[str, str]:
    """The kernel's files of one stub, by name."""
    files = kernel_files(for_compiler(PLANS[name]()), f"{name}.rspp")
    return {"__init__.py": f'"""The kernel of {name}, rendered by render.py."""\n', **files}


def main() -> None:
    for name in PLANS:
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for file, text in rendered(name).items():
            (folder / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
