"""Which lines of a generated file come from which line of the pipeline.

Every generated block begins with a banner, `---- voice_assistant.rspp:8  node llm`, and lasts until the next one; so a
traceback, a profile or a debugger can be led back to the source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BANNER = re.compile(r"#+\s*-{2,}\s*(?P<file>[^\s:]+):(?P<line>\d+)\s+(?P<what>.*?)\s*-*\s*$")
_RULE = re.compile(r"#+\s*(-{2,}|={2,})\s*\S")  # a banner that belongs to no line of the source


def sourcemap(source: str, files: Mapping[str, str]) -> str:
    """The map of these generated files, as JSON: ranges of lines, both ends included."""
    value = {
        "version": 1,
        "source": source,
        "files": {path: _ranges(files[path]) for path in sorted(files)},
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _ranges(content: str) -> list[dict[str, Any]]:
    ranges: list[dict[str, Any]] = []
    is_open = False
    lines = content.split("\n")
    for number, line in enumerate(lines, start=1):
        banner = _BANNER.match(line.strip())
        if is_open and (banner or _RULE.match(line.strip()) or (line and not line[0].isspace() and line[0] in ")]}")):
            ranges[-1]["to"] = number - 1
            is_open = False
        if banner:
            row = {"from": number, "to": len(lines), "line": int(banner["line"]), "what": banner["what"]}
            ranges.append(row)
            is_open = True
    return ranges
