"""Names and amounts as Kubernetes writes them, and where a pipeline's secrets are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rspp_compiler.ir.plan import Frozen

_NAME_CHARS_MAX = 50  # of 63: suffixes are added to it
_GI = 1 << 30


def dns_name(text: str) -> str:
    """A name that may be that of any object: `voice_assistant` is `voice-assistant`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_NAME_CHARS_MAX].rstrip("-") or "agent"


def is_namespace(text: str) -> bool:
    """Whether a namespace may be called so (RFC 1123 label)."""
    return re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text) is not None


def gib(count: int) -> str:
    """`4Gi`, rounded up."""
    return f"{-(-count // _GI)}Gi"


def secret_places(frozen: Frozen) -> tuple[list[str], list[str]]:
    """Variables and files that the pipeline's secrets are read from, sorted."""
    found = set(_secrets(frozen.template))
    variables = sorted(one.removeprefix("env://") for one in found if one.startswith("env://"))
    files = sorted(one.removeprefix("file://") for one in found if one.startswith("file://"))
    return variables, files


def _secrets(value: Any) -> Iterator[str]:
    """References to secrets, wherever in the template they stand: maps whose only key is `secret`."""
    if isinstance(value, dict):
        if value.keys() == {"secret"} and isinstance(value["secret"], str):
            yield value["secret"]
            return
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item)
