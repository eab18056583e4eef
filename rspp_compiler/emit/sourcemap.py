"""Which lines of a generated file come from which line of the pipeline.

Generated text says so itself, in three ways. A banner, `# ---- shop.rspp:8  llm : llm`, holds until the next one. A
docstring that begins `name (shop.rspp:15)` holds for its function. A remark, `# shop.rspp:19  on …`, holds for the line
that it ends, or for the one below it. The narrowest range around a line is the one that counts, so a traceback, a
profile or a debugger can be led back to the source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BANNER = re.compile(r"\s*#+ -{2,} (?P<file>[^\s:]+):(?P<line>\d+)\s+(?P<what>.*?)\s*$")
_END = re.compile(r"(#+ (-{2,}|={2,}) \S|[)\]}])")  # another banner, or the end of a table
_DOCSTRING = re.compile(r'\s+"""(?P<what>.+?) \((?P<file>[^\s:()]+):(?P<line>\d+)\)')
_REMARK = re.compile(r".*# (?P<file>[^\s:]+):(?P<line>\d+)  (?P<what>.*?)\s*$")


def sourcemap(source: str, files: Mapping[str, str]) -> str:
    """The map of these generated files, as JSON: ranges of lines, both ends included, in order."""
    value = {
        "version": 1,
        "source": source,
        "files": {path: _ranges(files[path].split("\n"), source) for path in sorted(files)},
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _ranges(lines: Sequence[str], source: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        for pattern, extent in ((_BANNER, _block), (_DOCSTRING, _function), (_REMARK, _line)):
            found = pattern.match(line)
            if found is not None and found["file"] == source:
                first, last = extent(lines, index)
                rows.append({"from": first + 1, "to": last + 1, "line": int(found["line"]), "what": found["what"]})
                break
    return sorted(rows, key=lambda row: (row["from"], -row["to"]))


def _block(lines: Sequence[str], index: int) -> tuple[int, int]:
    """From a banner to the line before the next one."""
    last = index
    while last + 1 < len(lines) and not _BANNER.match(lines[last + 1]) and not _END.match(lines[last + 1]):
        last += 1
    return index, _without_blanks(lines, last)


def _function(lines: Sequence[str], index: int) -> tuple[int, int]:
    """From the line that is not indented above a docstring to the last indented one below it."""
    first, last = index, index
    while first > 0 and (not lines[first] or lines[first][0].isspace()):
        first -= 1
    while last + 1 < len(lines) and (not lines[last + 1] or lines[last + 1][0].isspace()):
        last += 1
    return first, _without_blanks(lines, last)


def _line(lines: Sequence[str], index: int) -> tuple[int, int]:
    return index, index + 1 if lines[index].lstrip().startswith("#") else index


def _without_blanks(lines: Sequence[str], last: int) -> int:
    while last > 0 and not lines[last].strip():
        last -= 1
    return last
