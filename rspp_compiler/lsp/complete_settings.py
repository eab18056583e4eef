"""Completion inside of braces: the keys of a block, and what their values may be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rspp_compiler.lsp import words
from rspp_compiler.lsp.cursor import Cursor
from rspp_compiler.lsp.items import REF, ItemKind, Items, markdown, symbols, word
from rspp_compiler.lsp.names import Names
from rspp_compiler.lsp.settings import BLOCKS, doc, table
from rspp_compiler.sema.language.catalog import STRATEGIES, Setting
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.units import UNITS


def settings(here: Cursor, names: Names) -> Items:
    """A key of a block, or the value of one."""
    place, kind = here.place, names.kind_of(here.head)
    of = (
        f"use {names.provider_of(here)} {here.head.split()[1]}"
        if place == "use" and len(here.head.split()) > 1
        else place
    )
    path = here.path
    key, equals, value = here.item.partition("=")
    if path[-1:] == ("tunable",):
        settings_of = KINDS[kind].settings if kind in KINDS else ()
        yield from (word(one.name, ItemKind.Property, one.about) for one in settings_of)
    elif here.blocks and here.blocks[-1].bracket == "[":
        *path_above, name = path or ("",)
        yield from _values(table(of, kind, path_above).by_name.get(name), name, "", names)
    elif equals:
        yield from _values(table(of, kind, path).by_name.get(key.strip()), key.strip(), value.strip(), names)
    elif ref := re.fullmatch(rf"\s*({REF})\.", key):
        yield from _dotted(ref[1], place, names)
    elif not key.strip():
        found = table(of, kind, path)
        if not path and (place in ("mode", "budget") or (place == "node" and names.module(kind))):
            yield from _reached(place, kind, names)
        yield from keys(found.settings, found.blocks)


def keys(settings: Iterable[Setting], blocks: Iterable[str]) -> Items:
    for setting in settings:
        insert = setting.name if setting.type == "flag" else f"{setting.name} = "
        item = word(setting.name, ItemKind.Property, setting.about, insert)
        item.documentation = markdown(doc(setting))
        item.insert_text_format = None
        yield item
    for block in blocks:
        item = word(block, ItemKind.Property, "", f"{block} = ")
        item.documentation = markdown(BLOCKS.get(block, ""))
        item.insert_text_format = None
        yield item


def _values(setting: Setting | None, key: str, written: str, names: Names) -> Items:
    if re.fullmatch(r"-?\d+(?:\.\d+)?", written):
        yield from (word(unit, ItemKind.Unit, "") for unit in UNITS.get(setting.type if setting else "text", ()))
        return
    if written:
        return
    if key == "tools":
        yield from symbols(names, "tool")
    elif key in ("off", "priority"):
        yield from symbols(names, "node")
    elif key == "provider":
        yield from symbols(names, "pool")
    elif key == "overflow":
        for name in STRATEGIES:
            yield word(name, ItemKind.EnumMember, words.CHOICES[name], "block(${1:40ms})" if name == "block" else name)
    elif setting:
        yield from (word(one, ItemKind.EnumMember, words.CHOICES.get(one, "")) for one in setting.choices)
        if setting.type == "secret":
            yield word("secret", ItemKind.Function, words.CHOICES["secret"], 'secret("env://${1:NAME}")')
        if setting.type == "file" or setting.or_file:
            yield word("file", ItemKind.Function, words.CHOICES["file"], 'file("${1:path}")')


def _reached(place: str, kind: str, names: Names) -> Items:
    """Nodes that a dotted key may begin with, or that a budget names."""
    inner = names.inner(kind) if place == "node" else names.symbols("node")
    for symbol in inner:
        yield word(
            symbol.name, ItemKind.Variable, f"node : {symbol.kind}", symbol.name + (" = " if place == "budget" else ".")
        )


def _dotted(ref: str, place: str, names: Names) -> Items:
    node = names.reach(ref)
    if node is None:
        return
    yield from (word(one.name, ItemKind.Variable, f"node : {one.kind}") for one in names.inner(node.kind))
    if place != "budget":
        found = table("node", node.kind, ())
        yield from keys(found.settings, ())
