"""Which settings a block takes, what one of them means, and the value that is in effect with where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import FileRef, SecretRef, SpecModel, TextTemplate
from rspp_compiler.ir.symbols import Mention, Symbol
from rspp_compiler.lsp.figures import Figures, edges_at, nodes_of, overflow, size
from rspp_compiler.lsp.words import sentence
from rspp_compiler.sema.language import tables
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.profile import profile_table
from rspp_compiler.sema.language.units import UNITS, WHAT, show, show_ns

_NOTHING = Table("", ())
_BUDGET = Table(
    "the budget",
    (
        Setting("turn", "duration", about="from the end of the user's utterance to the first sound of the answer"),
        Setting("turn.total", "duration", about="the whole turn"),
        Setting("turn.pause", "duration", about="the most that `pause` may hold the voice back"),
        Setting("turn.apology", "duration", about="from one apology for a failed turn to the next, at least"),
        Setting("path", "duration", about="any one path through the pipeline"),
        Setting("edge", "duration", about="any one edge"),
        Setting("node", "duration", about="any one node to its first output"),
        tables.COST,
    ),
)
_MODE = Table("a mode", (Setting("off", "names", about="nodes that are switched off"),))
_INNER = {  # what stands in the braces of a setting, by where the setting stands
    "node": {"limit": tables.LIMIT_TABLE, "hooks": tables.HOOKS_TABLE, "state": tables.STATE_TABLE},
    "flow": {
        "handoff": tables.HANDOFF,
        "watermark": tables.WATERMARK,
        "lanes": tables.LANES,
        "sync": tables.SYNC,
    },
    "provider": {
        "timeout": tables.TIMEOUTS,
        "retry": tables.RETRY,
        "circuit": tables.CIRCUIT,
        "cap": tables.CAP,
        "price": tables.PRICE,
    },
    "use": {"price": tables.PRICE},
}
BLOCKS: dict[str, str] = {
    "buffer": "`[64 items, 200ms, 64kB]`: how much may wait; the first bound that is reached holds",
    "overflow": "what happens when it is full, in this order: `[block(40ms), drop_oldest]`",
    "handoff": "`{ by = sentence, max_age = 150ms }`: text is released in pieces that can be spoken",
    "watermark": "`{ high = 48 items, low = 16 items }`: tells the producer before it is full",
    "lanes": "`{ telemetry = sample }`: what each lane does under pressure",
    "sync": "`{ domain = lips, drop = atomic_drop, group = sync_id }`: items that stand or fall together",
    "fairness": "`session.tenant`: whose turn it is when many want to flow",
    "limit": "`{ concurrency = 8, cpu = 50%, memory = 512MB }`: what the node may use",
    "hooks": "`{ init = 5s, start = 1s, stop = 1s }`: how long each hook of its life may take",
    "state": "`{ turn = 1kB, session = 4kB, durable = 4kB }`: what a Python node may remember, and for how long",
    "tunable": "settings that a tenant or a session may change, within bounds",
    "timeout": "`{ first_chunk = 700ms, chunk = 300ms }`: deadlines of one stream",
    "retry": "`{ times = 1, backoff = 50ms }`: how often one provider is tried again",
    "circuit": "`{ errors = 5, within = 30s, open = 10s }`: when a failing provider is left alone",
    "cap": "`{ turn = 60s }`: the most that may be used",
    "price": "`{ minute = 0.01usd }`: what it costs, for the ceiling of a turn",
}
_FIELDS = {"max": "members_max", "max_age": "age_ns_max", "min_chars": "chars_min", "timeout": "first_output_ns"}


def table(of: str, kind: str, path: Iterable[str]) -> Table:
    """The settings of a block: of a node or tool of `kind`, of a `flow`, `budget`, …; empty where nothing is known.

    `path` leads into its inner blocks.
    """
    place, _, use = of.partition(" ")
    found = _NOTHING
    if place == "node" and kind in KINDS:
        found = tables.node_table(kind)
    elif place == "tool":
        found = tables.TRANSFER if kind == "transfer" else tables.TOOL
    elif place == "use":
        of_kind, _, name = use.partition(" ")
        known = engine(of_kind, name)
        found = tables.use_table(known) if known else _NOTHING
    else:
        found = {
            "flow": tables.EDGE,
            "budget": _BUDGET,
            "party": tables.PARTY,
            "record": tables.RECORD,
            "provider": tables.PROVIDER,
            "mode": _MODE,
        }.get(place, _NOTHING)
    for key in path:
        found = _INNER.get(place, {}).get(key, _NOTHING)
    return found


def setting_of(mention: Mention) -> Setting | None:
    """The setting that a mention names, or whose value it is."""
    *above, name = mention.path.split(".") if mention.path else [mention.name]
    of_budget = mention.of == "budget"  # `turn.total` is one key
    found = table(mention.of, mention.owner.kind if mention.owner else "", () if of_budget else above)
    return found.by_name.get(mention.path if of_budget else name)


# ---- as Markdown


def setting_lines(mention: Mention, known: list[Figures]) -> list[str]:
    """What a setting does, what it takes, its value in effect and its default, each with its origin."""
    setting = setting_of(mention)
    name = mention.path.rpartition(".")[2] if mention.of != "budget" else mention.path
    about = setting.about if setting else BLOCKS.get(name, "")
    owner = f" of `{mention.owner.name}`" if mention.owner else ""
    lines = [f"**`{mention.path or mention.name}`**{owner}" + (f": {about}" if about else "")]
    rows = [f"takes {takes(setting)}"] if setting else []
    for value, origin in _in_effect(mention, setting, known)[:3]:
        rows.append(f"**in effect** {value} ({origin})")
    if setting and (default := _default(mention, setting, known)):
        rows.append(f"**default** {default[0]} ({default[1]})")
    return lines + (["\n".join(f"- {row}" for row in rows)] if rows else [])


def takes(setting: Setting) -> str:
    """`a duration, 32ms to 5s`, or `one of soft, hard`."""
    if setting.choices:
        return ("some of " if setting.type == "symbols" else "one of ") + ", ".join(
            f"`{one}`" for one in setting.choices
        )
    kinds = {
        "count": "a whole number",
        "number": "a number",
        "flag": "no value: it is a flag",
        "file": 'a file, `file("path")`',
        "secret": 'a secret, `secret("env://NAME")`',
        "names": "a list of names",
        "name": "a name",
        "texts": "a list of texts",
    }
    what = WHAT.get(setting.type) or kinds.get(setting.type, "a text")
    low, high = (None if bound is None else show(setting, bound) for bound in (setting.min, setting.max))
    if low and high:
        what += f", {low} to {high}"
    elif low or high:
        what += f", at least {low}" if low else f", at most {high}"
    if setting.type in UNITS:
        what += f" ({', '.join(UNITS[setting.type])})"
    return what + (' or `file("path")`' if setting.or_file else "")


def doc(setting: Setting) -> str:
    """For completion: what it does and what it takes."""
    return "\n\n".join(part for part in (sentence(setting.about), f"Takes {takes(setting)}.") if part)


def _default(mention: Mention, setting: Setting, known: list[Figures]) -> tuple[str, Origin] | None:
    """The profile's line for a setting of a kind, or for a budget."""
    section = mention.owner.kind if mention.of == "node" and mention.owner else mention.of
    profile = profile_table(known[0].spec.profile if known else "simple/v1")
    found = profile.section(section).get(setting.name.replace(".", "_"))
    return (_shown(found.value, setting), found.origin) if found else None


def _in_effect(mention: Mention, setting: Setting | None, known: list[Figures]) -> list[tuple[str, Origin]]:
    """The value that the compiler uses, once for each use of a module."""
    *above, name = mention.path.split(".") if mention.path else [mention.name]
    if mention.of == "budget":
        above, name = [], (setting.field if setting else mention.name).replace(".", "_")
    found: list[tuple[str, Origin]] = []
    if mention.of == "provider" and above == ["timeout"]:
        above = []  # a block's deadlines are fields of its own
    for model in _models(mention, known):
        inner = getattr(model, above[0], None) if above else model
        if isinstance(inner, SpecModel):
            found += _field(inner, name, setting)
    return found


def _models(mention: Mention, known: list[Figures]) -> list[Any]:
    """The parts of the spec that the block of a setting became."""
    owner: Symbol | None = mention.owner
    if mention.of == "flow":
        return [edge for _, edge in edges_at(mention.span, known)]
    if mention.of == "node" and owner:
        return [node for _, node in nodes_of(owner, known)]
    for one in known:
        spec = one.spec
        if mention.of in ("budget", "record"):
            return [spec.budget if mention.of == "budget" else spec.recording]
        if mention.of == "tool" and owner:
            return [tool for tool in spec.tools if tool.id == owner.name]
        if mention.of == "party" and owner:
            return [party for party in spec.parties if party.id == owner.name]
        blocks = [block for block in spec.providers if owner and block.id == owner.name]
        if mention.of == "provider":
            return blocks
        if mention.of.startswith("use "):
            return [one for block in blocks for one in block.candidates if one.name == mention.of.split()[2]]
    return []


def _field(model: SpecModel, name: str, setting: Setting | None) -> list[tuple[str, Origin]]:
    """A field of a part of the spec: among its settings, or its own."""
    settings = getattr(model, "settings", {})
    for field in (setting.field if setting else name, name):
        if field in settings:
            return [(_shown(settings[field], setting), model.origin(f"settings.{field}"))]
    if name == "buffer":
        bounds = f"{model.buffer_items} items, {show_ns(model.buffer_ns)}, {size(model.buffer_bytes)}"  # type: ignore[attr-defined]
        return [(bounds, model.origin("buffer_items"))]
    if name == "overflow":
        return [(overflow(model.overflow), model.origin("overflow"))]  # type: ignore[attr-defined]
    for field in (setting.field if setting else name, _FIELDS.get(name, name)):
        value = getattr(model, field, None)
        if value is not None and not isinstance(value, SpecModel) and not callable(value):
            return [(_shown(value, setting), model.origin(field))]
    return []


def _shown(value: object, setting: Setting | None) -> str:
    """A value as the language writes it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float() if setting:
            return f"`{show(setting, value)}`"
        case SecretRef(secret=text):
            return f'`secret("{text}")`'
        case FileRef(file=text):
            return f'`file("{text}")`'
        case TextTemplate(template=text):
            return f'`"{text}"`'
        case tuple() | list():
            return ", ".join(f"`{one}`" for one in value) or "none"
        case str() if setting and setting.type in ("text", "texts"):
            return f'`"{value}"`'
        case _:
            return f"`{value}`"
