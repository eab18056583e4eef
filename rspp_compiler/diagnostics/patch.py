"""What a fix changes, line by line: for the excerpt under `help`, and for `--fix`, which says what it did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from rspp_compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix
from rspp_compiler.source import Source

_WORD = re.compile(r"\w[\w./:-]*")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring lines that change: `old` from line `old_line` on, `new` from line `new_line` on; one may be none."""

    file: str
    old_line: int
    old: tuple[str, ...]
    new_line: int
    new: tuple[str, ...]

    @property
    def last_line(self) -> int:
        """The highest line number it shows."""
        return max(self.old_line + len(self.old), self.new_line + len(self.new)) - 1


def is_spelled_out(found: Diagnostic, sources: Mapping[str, Source]) -> bool:
    """Whether the sentence of `help` already says all of the fix: what to write, or to remove what is marked.

    A guess is not worth showing beside it.
    """
    fix, primary = found.fix, found.primary
    if fix is None or fix.is_guess:
        return True
    if fix.also or not found.help:
        return False
    written = fix.replacement.strip(" \t\r\n,{}")
    if not written:
        return fix.span.file == primary.file and fix.span.start <= primary.start and primary.end <= fix.span.end
    # Of `file("greter.toml")`, only `greeter.toml` is new.
    old = _WORD.findall(_text(fix, sources))
    new = [word for word in _WORD.findall(written) if word not in old]
    return all(_says(found.help, word) for word in (new if old and new else [written]))


def _says(sentence: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", sentence) is not None


def loses(fix: Fix, sources: Mapping[str, Source]) -> bool:
    """Whether the fix takes away words that the user wrote, rather than to put others in their place or move them.

    A guess does as well: what was meant is lost with the words that said it.
    """
    if fix.is_guess:
        return True
    gone = {word for edit in fix.edits if not edit.replacement.strip() for word in _WORD.findall(_text(edit, sources))}
    kept = {word for edit in fix.edits for word in _WORD.findall(edit.replacement)}
    return bool(gone - kept)


def _text(edit: Edit | Fix, sources: Mapping[str, Source]) -> str:
    """What stands now where an edit, or the first one of a fix, will be made; empty if that text is not at hand."""
    source, span = sources.get(edit.span.file), edit.span
    if source is None:
        return ""
    return source.text[source.offset(span.line, span.column) : source.offset(span.end_line, span.end_column)]


def hunks(fixes: Iterable[Fix], sources: Mapping[str, Source]) -> list[Hunk]:
    """The lines that fixes change together, which do not clash; file by file, in the order of the source."""
    edits = list(dict.fromkeys(edit for fix in fixes for edit in fix.edits))
    files = sorted({edit.span.file for edit in edits} & sources.keys())
    return [hunk for file in files for hunk in _of_file(sources[file], edits)]


def _of_file(source: Source, edits: Iterable[Edit]) -> Iterator[Hunk]:
    shift = 0
    for group in _groups(sorted((edit for edit in edits if edit.span.file == source.name), key=lambda edit: edit.span)):
        first, last = group[0].span.line, max(edit.span.end_line for edit in group)
        old = [source.line(number) for number in range(first, last + 1)]
        new = _changed(source, first, last, group)
        for change, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if change != "equal":
                yield Hunk(source.name, first + i, tuple(old[i:j]), first + shift + k, tuple(new[k:m]))
        shift += len(new) - len(old)


def _groups(edits: list[Edit]) -> list[list[Edit]]:
    """Edits that share a line, or touch neighbouring ones, together."""
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.span.line <= max(other.span.end_line for other in groups[-1]) + 1:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _changed(source: Source, first: int, last: int, edits: list[Edit]) -> list[str]:
    """Lines `first` to `last` after the edits, which lie in them."""
    start, end = source.offset(first, 1), source.offset(last, 1) + len(source.line(last))
    pieces, behind = [], start
    for edit in edits:
        at = source.offset(edit.span.line, edit.span.column)
        pieces += [source.text[behind:at], edit.replacement]
        behind = source.offset(edit.span.end_line, edit.span.end_column)
    text = "".join([*pieces, source.text[behind:end]])
    return [line.rstrip("\r") for line in text.split("\n")]
