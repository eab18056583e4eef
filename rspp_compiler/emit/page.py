"""A page of Markdown: a title, a paragraph, and sections with a text and a table each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rspp_compiler.emit.templates import render_template


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of `level` (`##`), a text and a table. Where a table is meant and has no rows, it is left out."""

    title: str
    text: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    level: str = "##"

    @property
    def rule(self) -> str:
        return "|".join("---" for _ in self.head)


def section(title: str, text: str, head: Sequence[str], rows: Iterable[Sequence[object]], level: str = "##") -> Section:
    """A section with a table, its cells made safe for Markdown."""
    return Section(title, text, tuple(head), tuple(tuple(cell(value) for value in row) for row in rows), level)


def page(title: str, intro: str, sections: Iterable[Section]) -> str:
    """The Markdown text, with a final newline."""
    shown = [one for one in sections if one.rows or (one.text and not one.head)]
    return render_template("doc/page.md.j2", {"title": title, "intro": intro, "sections": shown}).rstrip() + "\n"


def cell(value: object) -> str:
    """A value in a table: on one line, and no end of a cell in it."""
    return " ".join(str(value).split()).replace("|", "\\|")


def code(text: object) -> str:
    """Something of the language, set as such; empty stays empty."""
    return f"`{text}`" if str(text) else ""


def codes(words: Iterable[object]) -> str:
    """Several of them, with commas between."""
    return ", ".join(map(code, words))
