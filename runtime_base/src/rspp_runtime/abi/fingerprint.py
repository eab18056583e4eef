"""The fingerprint of the binary interface: `python -m rspp_runtime.abi.fingerprint [--write]`.

A generated package is compiled against the declarations of the kernel, inline bodies included; a field that moves or a
body that changes makes a package built before silently wrong. So the interface is the digest of exactly these files,
comments and blank lines apart, and both sides carry it: the runtime in `abi/version.py`, the compiler in `ir/abi.py`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
DECLARATIONS = HERE.parent / "kernel"
VERSION = HERE / "version.py"
COMPILER = Path("rspp_compiler/ir/abi.py")  # seen from the root of a checkout
_CONSTANT = re.compile(r'^ABI_HASH = "[0-9a-f]{64}"$', re.MULTILINE)
_DOCSTRING = re.compile(r'"""[^"]*?"""', re.DOTALL)
_COMMENT = re.compile(r"(^|\s+)#(?!\s*(define|if|ifdef|ifndef|else|endif|include)\b).*$")


def normalised(text: str) -> str:
    """Declarations without what the C compiler never sees: docstrings, comments, blank lines, trailing space."""
    lines = (_COMMENT.sub("", line).rstrip() for line in _without_docstrings(text).split("\n"))
    return "".join(f"{line}\n" for line in lines if line)


def _without_docstrings(text: str) -> str:
    """Verbatim C (the string that follows `cdef extern from *:`) stays."""
    kept: list[str] = []
    end = 0
    for match in _DOCSTRING.finditer(text):
        is_verbatim = text[: match.start()].rstrip().endswith("extern from *:")
        kept.append(text[end : match.end() if is_verbatim else match.start()])
        end = match.end()
    return "".join([*kept, text[end:]])


def fingerprint(folder: Path = DECLARATIONS) -> str:
    """SHA-256, 64 hex digits, over name and normalised text of every `.pxd` in `folder`, by name."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.pxd"), key=lambda path: path.name):
        digest.update(f"{path.name}\0{normalised(path.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()


def write(value: str, *files: Path) -> list[Path]:
    """Puts the fingerprint into these files; returns those that changed. Raises ValueError where it has no place."""
    changed: list[Path] = []
    for path in files:
        old = path.read_text(encoding="utf-8")
        new, count = _CONSTANT.subn(f'ABI_HASH = "{value}"', old)
        if count != 1:
            raise ValueError(f'{path}: one line ABI_HASH = "…" is needed, {count} found')
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    """Prints the fingerprint; with `--write` sets it in the runtime, and in the compiler of the same checkout."""
    value = fingerprint()
    print(value)
    if arguments == ["--write"]:
        root = Path(*HERE.parts[:-4])
        for path in write(value, VERSION, *[root / COMPILER] * (root / COMPILER).exists()):
            print(f"wrote {path.name}")
    elif arguments:
        print("usage: python -m rspp_runtime.abi.fingerprint [--write]", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
