"""`rsppc doc`: the page of a pipeline, and the reference of the language, both from what the compiler knows."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.emit.page import Section, code, codes, page, section
from rspp_compiler.ir.bound import Valued
from rspp_compiler.sema.language.catalog import ACTIONS, CLASSES, LEVELS, SECRET_SCHEMES, STRATEGIES, Kind, Setting
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.events import (
    EVENT_FIELDS,
    ITEM_FIELDS,
    SESSION_EVENTS,
    SESSION_FIELDS,
    TURN_EVENTS,
    TURN_FIELDS,
    Fields,
)
from rspp_compiler.sema.language.kinds import COMMON_EVENTS, EVERY_NODE, KINDS, NODE_KINDS, PROVIDER_EVENTS
from rspp_compiler.sema.language.profile import ProfileTable, profile_table
from rspp_compiler.sema.language.units import show

_PROFILE = "simple/v1"
_TYPES = {"names": "a list of names", "flag": "a flag", "file": "a file", "secret": "a secret"}
_INTRO = (
    "Written by `rsppc doc --language` from the tables that the compiler reads; the language itself is explained in "
    "[language.md](language.md). Defaults are those of profile `simple/v1`."
)


def language_page() -> str:
    """The reference of the language, in Markdown."""
    return page("Reference", _INTRO, _sections(profile_table(_PROFILE)))


def _sections(profile: ProfileTable) -> Iterator[Section]:
    yield Section("Kinds of node", "Ports are written `NODE.PORT`; a bare name means the port in bold.")
    for name in NODE_KINDS:
        yield from _kind(KINDS[name], profile)
    yield section(
        "Settings of every node",
        "",
        ("setting", "takes", "does"),
        ((code(one.name), _takes(one), one.about) for one in EVERY_NODE),
    )
    yield section("Events of every node", "", ("node", "events"), (
        ("any", codes(COMMON_EVENTS)),
        ("one that a provider performs", codes(PROVIDER_EVENTS)),
    ))  # fmt: skip
    yield section("Ends of a pipeline", "", ("name", "ports", "events"), (
        (code(kind.name), codes(port.name for port in (*kind.inputs, *kind.outputs)), codes(kind.events))
        for kind in KINDS.values()
        if kind.is_boundary
    ))  # fmt: skip
    yield section("Actions", "", ("verb", "takes"), (
        (code(verb), ", ".join(objects).replace("NODE", "a node").replace("MODE", "a mode").replace("TOOL", "a tool"))
        for verb, objects in ACTIONS.items()
    ))  # fmt: skip
    yield section("Events of a session and of a turn", "", ("subject", "events"), (
        ("`session`", codes(SESSION_EVENTS)),
        ("`turn`", codes(TURN_EVENTS)),
    ))  # fmt: skip
    yield section("What a condition may read", "", ("of", "fields"), (
        ("`session`", _fields(SESSION_FIELDS)),
        ("`turn`", _fields(TURN_FIELDS)),
        *((f"`event`, an item of {type}", _fields(fields)) for type, fields in ITEM_FIELDS.items()),
        *((f"`event`, {code(event)}", _fields(fields)) for event, fields in EVENT_FIELDS.items()),
    ))  # fmt: skip
    yield section("Words", "", ("what", "choices"), (
        ("overflow strategies", codes(STRATEGIES)),
        ("payload classes", codes(CLASSES)),
        ("recording levels", codes(LEVELS)),
        ("where secrets come from", ", ".join(code(f"{scheme}://") for scheme in SECRET_SCHEMES)),
    ))  # fmt: skip
    yield section("Providers", "", ("kind", "provider", "runs", "can", "settings"), (
        (
            code(of.kind),
            code(of.name),
            "inside the process" if of.local else "elsewhere",
            ", ".join(sorted(of.features)),
            ", ".join(code(one.name) for one in of.settings),
        )
        for of in ENGINES.values()
    ))  # fmt: skip
    yield section(
        "Findings", "`rsppc explain CODE` has a page for each.", ("code", "", "title"),
        ((code(name), one.severity, one.title) for name, one in sorted(CODES.items())),
    )  # fmt: skip


def _kind(kind: Kind, profile: ProfileTable) -> Iterator[Section]:
    ports = "; ".join(
        f"{word} {', '.join(f'**{port.name}**' if port.main else code(port.name) for port in side)}"
        for word, side in (("in", kind.inputs), ("out", kind.outputs))
        if side
    )
    if kind.has_signature:
        ports = "ports by its signature"
    events = codes(kind.events) if kind.events else ""
    known = f" Events of its own: {events}." if events else ""
    defaults = profile.section(kind.name)
    text = " ".join(f"{part[:1].upper()}{part[1:]}." for part in (kind.about, ports) if part) + known
    if not kind.settings:
        yield Section(code(kind.name), text, level="###")
        return
    yield section(
        code(kind.name),
        text,
        ("setting", "takes", "default", "does"),
        (
            (code(one.name), _takes(one), code(_default(one, defaults.get(one.name))), one.about)
            for one in kind.settings
        ),
        "###",
    )


def _takes(setting: Setting) -> str:
    if setting.choices:
        return codes(setting.choices)
    if setting.min is None or setting.type not in ("duration", "bytes", "rate", "percent", "count", "number"):
        return {"names": "a list of names", "flag": "a flag", "file": "a file", "secret": "a secret"}.get(
            setting.type, setting.type
        )
    low, high = show(setting, setting.min), show(setting, setting.max) if setting.max is not None else ""
    return f"{setting.type}, {code(low)} to {code(high)}" if high else f"{setting.type}, at least {code(low)}"


def _default(setting: Setting, valued: Valued | None) -> str:
    if valued is None:
        return ""
    value = valued.value
    return show(setting, value) if isinstance(value, int | float) else str(value)


def _fields(fields: Fields) -> str:
    return ", ".join(f"{code(name)} {type}" for name, type in fields.items())
