"""Bytes that are not UTF-8: where they are, and the change that makes them what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.diagnostics import Edit, Fix
from rspp_compiler.source import Source, Span

_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # its byte order marks
_EDITS_MAX = 1000  # a larger fix takes more than one round


def not_utf8(name: str, data: bytes, bom: int) -> tuple[Source, Span, str, Fix | None]:
    """The text with a sign for what cannot be read, the place of its first one, what to do about it, and the fix.

    `data` is the whole file, its first `bom` bytes a mark. A file that begins as UTF-16 does is taken for that; single
    bytes are read as Windows reads them (code page 1252), where all of them are letters there.
    """
    source = Source(name, data[bom:].decode("utf-8", "replace"), bom)
    places = list(_places(source, data, bom))
    if data.startswith(_UTF16):
        text = data.decode("utf-16", "replace")
        line, column = source.position(len(source.text))
        whole = Span(name, 0, len(data), 1, 1, line, column)
        return source, places[0], "this is UTF-16; save the file as UTF-8", Fix(whole, text)
    read = [data[place.start : place.end].decode("cp1252", "replace") for place in places]
    if not all(text.isprintable() and "\ufffd" not in text for text in read):
        return source, places[0], "save the file as UTF-8", None
    first, *others = (Edit(place, text) for place, text in zip(places, read, strict=True))
    help = f"it is probably `{first.replacement}`, as Windows writes it; save the file as UTF-8"
    return source, first.span, help, Fix(first.span, first.replacement, tuple(others))


def _places(source: Source, data: bytes, bom: int) -> Iterator[Span]:
    """Where the bytes are that cannot be read, at most `_EDITS_MAX` of them; each is one sign of the source."""
    view, at, chars = memoryview(data), bom, 0
    for _ in range(_EDITS_MAX):
        try:
            str(view[at:], "utf-8")
        except UnicodeDecodeError as error:
            chars += len(str(view[at : at + error.start], "utf-8"))
            line, column = source.position(chars)
            yield Span(source.name, at + error.start, at + error.end, line, column, line, column + 1)
            at, chars = at + error.end, chars + 1
        else:
            return
