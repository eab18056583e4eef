"""Where a setting is at home that stands where it does not belong: only asked once something is wrong."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from rspp_compiler.diagnostics.nearest import nearest, related
from rspp_compiler.sema.language import tables
from rspp_compiler.sema.language.catalog import Table
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.foreign_settings import setting
from rspp_compiler.sema.language.kinds import KINDS, PROVIDER_KINDS
from rspp_compiler.sema.reading.values import listed

# (table, how it is written there); the first that has a key is told.
_WRITTEN: tuple[tuple[Table, str], ...] = (
    (tables.EDGE, "in the braces of a flow: `a -> b {{ {key} … }}`"),
    (tables.HANDOFF, "in `handoff`, which belongs to a flow: `handoff = {{ {key} = … }}`"),
    (tables.TIMEOUTS, "in `timeout` of a provider block: `timeout = {{ {key} = … }}`"),
    (tables.RETRY, "in `retry` of a provider block: `retry = {{ {key} = … }}`"),
    (tables.CIRCUIT, "in `circuit` of a provider block: `circuit = {{ {key} = … }}`"),
    (tables.PROVIDER, "in a provider block: `provider KIND {{ {key} = … }}`"),
    (tables.TOOL, "on a tool: `tool NAME … {{ {key} … }}`"),
    (tables.TRANSFER, "on a transfer: `tool NAME : transfer {{ {key} … }}`"),
    (tables.CAP, "in `cap` of a provider block: `cap = {{ {key} = … }}`"),
    (tables.PRICE, "in `price` of a `use` line: `price = {{ {key} = … }}`"),
    (tables.LIMIT_TABLE, "in `limit` of a node: `limit = {{ {key} = … }}`"),
    (tables.HOOKS_TABLE, "in `hooks` of a node: `hooks = {{ {key} = … }}`"),
    (tables.STATE_TABLE, "in `state` of a Python node: `state = {{ {key} = … }}`"),
    (tables.RECORD, "behind `record`: `record L1 {{ {key} = … }}`"),
    (tables.SYNC, "in `sync` of a flow: `sync = {{ {key} = … }}`"),
    (tables.WATERMARK, "in `watermark` of a flow: `watermark = {{ {key} = … }}`"),
)


def meant(key: str, of: str, known: Collection[str]) -> tuple[str, str]:
    """What was meant by `key`, which `of` does not have: one of its `known` settings, if it is one; and what to say.

    First what others call it, then a slip of the hand, then where such a setting is at home.
    """
    if "->" in key:
        return "", "only a budget is of a path: `budget { ingress.audio -> stt.final = 700ms }`"
    if "." in key and of == "the budget" and key.partition(".")[0] in known:
        word = key.partition(".")[0]
        return word, f"the budget of a node is its time to the first output: `{word} = …`"
    if "." in key:
        return "", f"a dotted key reaches into a module; the setting is `{key.rpartition('.')[2]}`"
    if of == tables.PROVIDER.of and any(name == key for _, name in ENGINES):
        return f"use {key}", f"a provider is a line that begins with `use`: `use {key}`"
    word = setting(of, key, known)
    if " " in word:
        return "", word
    word = word or nearest(key, known)
    home = "" if word else _home_of(key, of)
    word = word or ("" if home else related(key, known))
    if word:
        return word, f"did you mean `{word}`?"
    return "", home or _home_of(nearest(key, _every_key()), of) or "remove it"


def _home_of(key: str, of: str) -> str:
    """ "`max_age` belongs in `handoff` …"; empty when nothing has such a setting."""
    kinds = _kinds_with(key)
    if kinds:
        return f"`{key}` is a setting of {listed(kinds)}: `node {kinds[0]} {{ {key} = … }}`"
    engines = [engine for engine in ENGINES.values() if any(one.name == key for one in engine.settings)]
    if engines and of == tables.PROVIDER.of:
        return f"`{key}` belongs on the `use` line: `use NAME {{ {key} = … }}`"
    if engines:
        one = next((engine for engine in engines if engine.kind == of.strip("`")), engines[0])
        return f"`{key}` belongs to a provider: `provider {one.kind} {{ use {one.name} {{ {key} = … }} }}`"
    for table, where in _WRITTEN:
        if key in table.names:
            kind = of.strip("`")
            said = where.format(key=key)
            return f"`{key}` belongs {said.replace('KIND', kind) if kind in PROVIDER_KINDS else said}"
    return ""


@cache
def _every_key() -> tuple[str, ...]:
    keys = [setting.name for kind in KINDS.values() for setting in kind.settings]
    keys += [setting.name for engine in ENGINES.values() for setting in engine.settings]
    keys += [name for table, _ in _WRITTEN for name in table.names]
    return tuple(dict.fromkeys(keys))


@cache
def _kinds_with(key: str) -> tuple[str, ...]:
    return tuple(kind.name for kind in KINDS.values() if any(setting.name == key for setting in kind.settings))
