"""What may stand where the cursor is. The place is told by the text, the names by the last reading."""

from __future__ import annotations

import re

from lsprotocol import types

from rspp_compiler.lsp import words
from rspp_compiler.lsp.complete_settings import keys, settings
from rspp_compiler.lsp.cursor import Cursor, cursor
from rspp_compiler.lsp.items import REF, ItemKind, Items, markdown, snippets, symbols, word
from rspp_compiler.lsp.names import Names
from rspp_compiler.lsp.settings import table
from rspp_compiler.lsp.snippets import IN_BODY, IN_POLICY, IN_PROVIDER, TOP_LEVEL
from rspp_compiler.lsp.workspace import Workspace
from rspp_compiler.sema.language.catalog import ACTIONS, LEVELS, PROFILES
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS, KINDS, NODE_KINDS, PROVIDER_KINDS
from rspp_compiler.sema.names.signatures import PORT_TYPES

TRIGGERS = (".", " ", "=", "{", "[", "(", ":", ">")


def complete(workspace: Workspace, path: str, position: types.Position) -> list[types.CompletionItem]:
    """Everything that may stand at a position: the user's own names first."""
    text = workspace.text(path)
    offset = text.positions.offset(position)
    here = cursor(text.source.text, offset)
    if here is None:
        return []
    reading = workspace.latest(path)
    names = Names(reading.index if reading else None, path, *here.container)
    at = text.positions.range(offset - len(here.word), offset)
    items = []
    for number, item in enumerate(_items(here, names)):
        insert = item.insert_text or item.label
        is_snippet = item.insert_text_format == types.InsertTextFormat.Snippet
        if is_snippet and not workspace.snippets:
            insert, item.insert_text_format = item.label, None
        item.text_edit, item.insert_text = types.TextEdit(at, insert), None
        item.sort_text = f"{number:04d}"
        items.append(item)
    return items


def _items(here: Cursor, names: Names) -> Items:
    if here.blocks and here.blocks[-1].bracket == "(":
        return _in_parentheses(here)
    if here.place == "file":
        return _top_level(here, names)
    if here.place in ("pipeline", "module"):
        return _line(here, names)
    if here.place == "policy":
        return _rule(here, names)
    if here.place == "provider" and not here.path and "=" not in here.item:
        return _offer(here)
    return settings(here, names)


# ---- lines


def _top_level(here: Cursor, names: Names) -> Items:
    item = here.item.strip()
    if not item:
        yield from snippets(TOP_LEVEL)
    elif item == "provider" or re.fullmatch(rf"provider {REF}\s*:", item):
        yield from (word(kind, ItemKind.Class, KINDS[kind].about) for kind in PROVIDER_KINDS)
    elif item.startswith("tool") and item.endswith(":"):
        yield from _custom_kinds()
        yield word("transfer", ItemKind.Class, "hands the caller over", 'transfer { to = "${1:sip:desk@example.com}" }')
    elif item.startswith("policy") and " when" in item:
        yield from _condition(item, names)


def _line(here: Cursor, names: Names) -> Items:
    """A line of a pipeline or module."""
    item = here.item.lstrip()
    first = item.split(" ", 1)[0] if " " in item else ""
    if re.search(r"\b(?:when|and|or|not|in)\s+(?:[^{}]*\s)?$|\b(?:when|and|or|not)\b.*\.$", item) and "when" in item:
        yield from _condition(item, names)
    elif first == "node":
        if item.rstrip().endswith(":"):
            yield from _kinds(names)
    elif first == "profile":
        yield from (word(profile, ItemKind.Constant, "execution profile") for profile in PROFILES)
    elif first == "record":
        yield from (word(level, ItemKind.EnumMember, words.LEVELS[level]) for level in LEVELS)
    elif first == "on":
        yield from _reaction(item, names)
    elif "->" in item or re.fullmatch(rf"{REF}\.", item):
        yield from _flow(item, names)
    elif not item:
        yield from _ends(names, "output")
        yield from snippets(IN_BODY)


def _rule(here: Cursor, names: Names) -> Items:
    """A rule of a policy."""
    item = here.item.lstrip()
    if not item:
        yield from snippets(IN_POLICY)
    elif re.fullmatch(r"insert\s+", item):
        yield from symbols(names, "node")
    elif "before" in item:
        yield from _flow(f"-> {item.rpartition('before')[2]}", names)
    elif item.startswith("insert"):
        yield word("before", ItemKind.Keyword, "")
    elif item.startswith("node") and item.rstrip().endswith(":"):
        yield from _kinds(names)


def _offer(here: Cursor) -> Items:
    """A line of a provider block."""
    item = here.item.strip()
    if not item:
        yield from snippets(IN_PROVIDER)
        yield from keys(table("provider", "", ()).settings, table("provider", "", ()).blocks)
    elif item == "use":
        kind = re.findall(r"\w+", here.head)[-1]
        for (of, name), engine in ENGINES.items():
            if of == kind:
                where = "runs here, without a network" if engine.local else "a service"
                yield word(name, ItemKind.Constant, where)


def _flow(item: str, names: Names) -> Items:
    """An end of a flow, a port of one, or what qualifies an arrow."""
    side = "input" if "->" in item else "output"
    last = item.rpartition("->")[2].lstrip()
    if ref := re.fullmatch(rf"({REF})\.", last):
        yield from _ports(names, ref[1], side)
    elif not last:
        yield from _ends(names, side)
    elif last.endswith(" "):
        yield word("when", ItemKind.Keyword, words.KEYWORDS["when"][1])
        yield word("otherwise", ItemKind.Keyword, words.KEYWORDS["otherwise"][1])


def _reaction(item: str, names: Names) -> Items:
    if "->" in item:
        after = item.rpartition("->")[2].lstrip()
        verb = after.split(" ", 1)[0]
        if item.count("->") == 1 and not after:
            yield from _verbs()
            yield from _ends(names, "input")
        elif verb in ACTIONS and " " in after:
            yield from _objects(verb, names)
        else:
            yield from _flow(item, names)
        return
    last = re.split(r"\s", item)[-1]
    if ref := re.fullmatch(rf"({REF})\.", last):
        yield from _events(names, ref[1])
    elif not last and re.search(r"(?:^on|\bor)\s+$", item):
        if subject := re.search(rf"({REF})\.\w+\s+or\s+$", item):
            yield from _events(names, subject[1])
        yield from symbols(names, "node", "tool", "party")
        yield from (
            word(one, ItemKind.Keyword, words.SUBJECTS[one]) for one in ("session", "turn", "ingress", "egress")
        )
    elif not last:
        yield from (word(one, ItemKind.Keyword, words.KEYWORDS[one][1]) for one in ("or", "when"))


def _condition(item: str, names: Names) -> Items:
    if ref := re.search(r"\b(event|session|turn)\.$", item):
        subject = re.search(rf"\bon\s.*?({REF})\.(\w+)[^.]*\bwhen\b", item)
        for name, type in names.fields(ref[1], subject[2] if subject else "", subject[1] if subject else ""):
            yield word(name, ItemKind.Field, type)
    elif re.search(r"\bsession\.mode\s*(?:==|!=)\s*$", item):
        yield from symbols(names, "mode")
    else:
        yield from (word(one, ItemKind.Keyword, words.SUBJECTS[one]) for one in ("event", "session", "turn"))
        yield word("not", ItemKind.Keyword, words.KEYWORDS["not"][1])


def _in_parentheses(here: Cursor) -> Items:
    if here.item.rstrip().endswith(":"):
        yield from (word(one, ItemKind.Class, words.TYPES[one]) for one in PORT_TYPES)
        if here.place == "tool":
            yield from (word(one, ItemKind.Class, words.TYPES[one]) for one in ("number", "flag"))


# ---- names


def _ends(names: Names, side: str) -> Items:
    """What a flow may begin or end at."""
    yield from symbols(names, "node", "party", "port")
    yield word("ingress" if side == "output" else "egress", ItemKind.Keyword, words.SUBJECTS["ingress"])
    declared = {symbol.name for symbol in names.symbols("node")}
    for kind in NODE_KINDS:
        if kind not in declared and kind not in CUSTOM_KINDS:
            yield word(kind, ItemKind.Class, KINDS[kind].about)
    yield from symbols(names, "module")


def _ports(names: Names, ref: str, side: str) -> Items:
    for name, type, is_main in names.ports(ref, side):
        yield word(name, ItemKind.Field, f"{side} : {type}{', main' if is_main else ''}")


def _events(names: Names, ref: str) -> Items:
    yield from (word(name, ItemKind.Event, words.EVENTS.get(name, "")) for name in names.events(ref))


def _kinds(names: Names) -> Items:
    for kind in NODE_KINDS:
        if kind not in CUSTOM_KINDS:
            item = word(kind, ItemKind.Class, KINDS[kind].about)
            item.documentation = markdown("\n\n".join(words.kind_lines(KINDS[kind])))
            yield item
    yield from _custom_kinds()
    yield from symbols(names, "module")


def _custom_kinds() -> Items:
    forms = {
        "python": 'python("${1:module}:${2:Callable}")',
        "grpc": 'grpc("${1:target}")',
        "wasm": 'wasm("${1:file}")',
    }
    yield from (word(kind, ItemKind.Class, KINDS[kind].about, forms[kind]) for kind in CUSTOM_KINDS)


def _verbs() -> Items:
    for verb, about in words.VERBS.items():
        item = word(verb, ItemKind.Function, about.partition(": ")[2], f"{verb} ")
        item.insert_text_format = None
        yield item


def _objects(verb: str, names: Names) -> Items:
    for what in ACTIONS[verb]:
        if what.isupper():
            yield from symbols(names, what.lower())
        else:
            yield word(what, ItemKind.Keyword, words.SUBJECTS.get(what, ""))
