"""Tools, parties, recordings, notes: the small blocks of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundParty, BoundTool, Fields, FilledTool, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import PARTY, RECORD, TOOL, TRANSFER
from rspp_compiler.sema.reading.fields import latest, read_fields, with_defaults
from rspp_compiler.sema.reading.values import describe
from rspp_compiler.sema.reading.values import written as text_at

Values = dict[str, Valued]


def fill_tool(tool: BoundTool, profile: ProfileTable, ctx: Context) -> FilledTool:
    """`tool book (day : text) : python("bookings:book") { timeout = 3s, once }`."""
    table = TRANSFER if tool.kind == "transfer" else TOOL
    fields = with_defaults(read_fields(tool.settings, table, ctx), table, profile.section("tool"))
    fields.setdefault("cancel", profile.get("cancel.mode"))
    return FilledTool(tool, fields)


def fill_party(party: BoundParty, profile: ProfileTable, ctx: Context) -> tuple[BoundParty, Fields]:
    """`party guests { max = 12 }`."""
    return party, with_defaults(read_fields(party.settings, PARTY, ctx), PARTY, profile.section("party"))


def fill_record(record: ast.Record | None, profile: ProfileTable, ctx: Context) -> Fields:
    """`record L1 { keep = 30d, region = "eu" }`."""
    if record is None:
        return {"level": profile.get("recording.level")}
    settings = record.settings.items if record.settings else ()
    level = Valued(record.level.text, Origin.user(record.level.span))
    return {"level": level, **read_fields(settings, RECORD, ctx)}


def fill_meta(meta: Iterable[ast.Setting], ctx: Context) -> Fields:
    """Notes for people. Any key, any plain value."""
    fields: Values = {}
    for key, setting in latest(meta).items():
        match setting.value:
            case ast.Text(text=text) | ast.Ref(text=text):
                fields[key] = Valued(text, Origin.user(setting.value.span))
            case ast.Number(number=number):
                fields[key] = Valued(number, Origin.user(setting.value.span))
            case ast.Quantity():
                fields[key] = Valued(text_at(setting.value.span, ctx), Origin.user(setting.value.span))
            case None:
                help, fix = f'write `{key} = "…"`', Fix(setting.span, f'{key} = "yes"')
                ctx.sink.add("E0305", f"`{key}` of meta needs a value", setting.span, help=help, fix=fix)
            case _:
                message = f"`{key}` of meta takes a text, a number or a name, not {describe(setting.value)}"
                fix = remove(ctx.source(setting.span), setting.span)
                ctx.sink.add("E0305", message, setting.value.span, help=f'write `{key} = "…"`', fix=fix)
    return fields
