"""Diagnostics as text, with the source line and carets.

error[E0203]: no node `sst`
  --> hello.rspp:5:27
   |
 5 |   ingress.audio -> vad -> sst -> llm -> tts -> egress.audio
   |                           ^^^
   = note: declared: `vad`
   = help: did you mean `stt`?

Where `help` does not spell the fix out, the lines that it would change follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rspp_compiler.diagnostics.diagnostic import Diagnostic, Fix
from rspp_compiler.diagnostics.patch import Hunk, hunks, is_spelled_out
from rspp_compiler.diagnostics.screen import Paint, Window, visible
from rspp_compiler.source import Source, Span

SHOWN_MAX = 100
_SENTENCE_MAX = 1000  # characters of a message, note or help; what a user wrote may be longer than anybody reads
_ROWS_MAX = 12  # lines of a fix that are shown

Mark = tuple[Span, str, bool]  # where, its label, whether it is the primary one


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, colour: bool = False) -> str:
    """All diagnostics, at most 100 of them, and a count at the end."""
    found = list(diagnostics)
    paint = Paint(colour)
    blocks = ["\n".join(_block(diagnostic, sources, paint)) + "\n" for diagnostic in found[:SHOWN_MAX]]
    if len(found) > SHOWN_MAX:
        blocks.append(f"… and {len(found) - SHOWN_MAX} more\n")
    return "\n".join([*blocks, summary(found) + "\n"]) if found else ""


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    severities = [found.severity for found in diagnostics]
    counts = [(severities.count(word), word) for word in ("error", "warning")]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)


def render_changes(fixes: Iterable[Fix], sources: Mapping[str, Source], *, colour: bool = False) -> str:
    """What fixes, made together, change in each file: its name, and the lines that went and came."""
    paint = Paint(colour)
    changes = hunks(fixes, sources)
    width = len(str(max((hunk.last_line for hunk in changes), default=1)))
    lines: list[str] = []
    for file in dict.fromkeys(hunk.file for hunk in changes):
        lines.append(paint("bold", visible(f"fixed {file}")))
        for hunk in changes:
            lines += _rows(hunk, width, paint) if hunk.file == file else []
    return "".join(f"{line}\n" for line in lines)


def _block(found: Diagnostic, sources: Mapping[str, Source], paint: Paint) -> Iterator[str]:
    severity = found.severity
    marks: list[Mark] = [(found.primary, found.label, True), *((span, label, False) for span, label in found.secondary)]
    changes = [] if found.fix is None or is_spelled_out(found, sources) else hunks([found.fix], sources)
    width = len(str(max([span.line for span, _, _ in marks] + [hunk.last_line for hunk in changes])))
    bar = paint("frame", " " * (width + 1) + "|")
    yield paint(severity, f"{severity}[{found.code}]") + paint("bold", f": {_sentence(found.message)}")

    # The primary file first, then each other file under a heading of its own, lines in their order.
    files = list(dict.fromkeys(span.file for span, _, _ in marks))
    for file in files:
        here = sorted((mark for mark in marks if mark[0].file == file), key=lambda mark: (mark[0].line, mark[0].column))
        first = found.primary if file == found.primary.file else here[0][0]
        arrow = "-->" if file == files[0] else ":::"
        yield " " * width + paint("frame", f"{arrow} ") + visible(f"{file}:{first.line}:{first.column}")
        if file in sources and any(sources[file].line(span.line) for span, _, _ in here):
            yield bar
            yield from _excerpt(here, sources[file], width, severity, paint)

    says = [("note", note) for note in found.notes] + [("help", found.help or "change this:")] * bool(
        found.help or changes
    )
    for word, text in says:
        first_row, *rows = _sentence(text).split("\n")
        yield " " * (width + 1) + paint("frame", "= ") + paint(word, f"{word}: ") + first_row
        yield from (" " * (width + 3) + row for row in rows)
    if changes:
        yield bar
        yield from _changes(changes, found.primary.file, width, paint)


def _sentence(text: str) -> str:
    return visible(text if len(text) <= _SENTENCE_MAX else f"{text[:_SENTENCE_MAX]}…")


def _excerpt(marks: list[Mark], source: Source, width: int, severity: str, paint: Paint) -> Iterator[str]:
    """The lines that are marked, each once, with one line of carets for every mark in it."""
    before = 0
    waiting = marks
    while waiting:
        number = waiting[0][0].line
        if before and number > before + 1:
            yield paint("frame", "...")
        before = number
        # Marks that a long line holds far from each other get a part of the line each.
        window = Window(source.line(number), waiting[0][0].column)
        here = [mark for mark in waiting if mark[0].line == number and window.holds(mark[0])] or waiting[:1]
        waiting = [mark for mark in waiting if mark not in here]
        yield paint("frame", f"{number:>{width}} | ") + window.text
        for span, label, is_primary in here:
            lead, size = window.place(span)
            mark = ("^" if is_primary else "-") * size + (f" {_sentence(label)}" if label else "")
            yield (
                paint("frame", " " * (width + 1) + "| ") + " " * lead + paint(severity if is_primary else "frame", mark)
            )


def _changes(changes: list[Hunk], file: str, width: int, paint: Paint) -> Iterator[str]:
    """Lines that go, each behind a `-`, and lines that come, behind a `+`, under the numbers they have or get."""
    rows: list[str] = []
    for hunk in changes:
        if hunk.file != file:
            file = hunk.file
            rows.append(" " * width + paint("frame", "::: ") + visible(f"{file}:{hunk.old_line}"))
        rows += _rows(hunk, width, paint)
    yield from rows[:_ROWS_MAX]
    if len(rows) > _ROWS_MAX:
        yield f"… and {len(rows) - _ROWS_MAX} more lines"


def _rows(hunk: Hunk, width: int, paint: Paint) -> list[str]:
    old = [_row("removed", "-", number, line, width, paint) for number, line in enumerate(hunk.old, hunk.old_line)]
    new = [_row("added", "+", number, line, width, paint) for number, line in enumerate(hunk.new, hunk.new_line)]
    # Line by line where each has its successor.
    return [row for pair in zip(old, new, strict=True) for row in pair] if len(old) == len(new) else old + new


def _row(style: str, sign: str, number: int, line: str, width: int, paint: Paint) -> str:
    return paint("frame", f"{number:>{width}} ") + paint(style, f"{sign} {Window(line).text}".rstrip())
