"""`rspp.manifest.json`: which files a generated package has, by what they were made, and their hashes.

By it `write` knows a stale file from a user's own, and a file edited by hand from one that merely is old.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from rspp_compiler import __version__
from rspp_compiler.ir.abi import ABI_HASH
from rspp_compiler.ir.plan import Frozen

NAME = "rspp.manifest.json"
FORMAT = "rspp.manifest.v1"
GRAMMAR = "rspp.grammar.v1"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(frozen: Frozen, contents: Mapping[str, bytes]) -> bytes:
    """The manifest of these files; it does not list itself."""
    plan = frozen.layout.plan
    value: dict[str, Any] = {
        "format": FORMAT,
        "pipeline": plan.pipeline,
        "pipeline_version": plan.pipeline_version,
        "template_hash": plan.template_hash,
        "compiler": f"rspp-compiler {__version__}",
        "grammar": GRAMMAR,
        "profile": plan.profile,
        "abi_hash": ABI_HASH,
        "files": {path: sha256(contents[path]) for path in sorted(contents)},
    }
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _leads_outside(path: str) -> bool:
    """Whether a listed path could name a file outside of the package's folder."""
    return PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts


def listed_files(data: bytes) -> dict[str, str] | None:
    """Path -> SHA-256 of an earlier manifest; None if it is not one."""
    try:
        value = json.loads(data)
    except ValueError:
        return None
    files = value.get("files") if isinstance(value, dict) and value.get("format") == FORMAT else None
    if not isinstance(files, dict) or any(_leads_outside(str(path)) for path in files):
        return None
    return {str(path): str(digest) for path, digest in files.items()}
