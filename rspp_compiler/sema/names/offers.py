"""Provider blocks and their `use` lines; tools."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, guess, remove, setting_in
from rspp_compiler.diagnostics.nearest import related
from rspp_compiler.diagnostics.statements import braces, offsets
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundProvider, BoundTool, BoundUse
from rspp_compiler.ir.condition import Condition
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language import foreign
from rspp_compiler.sema.language.engines import ENGINES, engine
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS, PROVIDER_KINDS
from rspp_compiler.sema.language.tables import PROVIDER
from rspp_compiler.sema.mending import without_clause
from rspp_compiler.sema.names.conditions import Conditions
from rspp_compiler.sema.names.custom import implementation
from rspp_compiler.sema.names.scope import check_name
from rspp_compiler.sema.reading.values import listed, suggest
from rspp_compiler.source import Span

_TOOL_KINDS = (*CUSTOM_KINDS, "transfer")
_PARAM_TYPES = ("text", "number", "flag")


def providers(
    blocks: Iterable[ast.Provider], conditions: Conditions, lost: Iterable[str], ctx: Context
) -> tuple[BoundProvider, ...]:
    """Each block with its candidates, by id. `lost` are names whose lines could not be read."""
    found: dict[str, BoundProvider] = {}
    for block in blocks:
        kind = _kind(block, ctx)
        if kind is None:
            continue
        if (_head(block.kind) if block.kind else block.name).text != kind:  # what else is wrong with it is not told
            found.setdefault(block.name.text, BoundProvider(block.name.text, kind, (), (), block.name.span))
            continue
        written = [offer for offer in block.offers if isinstance(offer, ast.Use)]
        uses = [use for offer in written if (use := _use(kind, offer, conditions, ctx))]
        settings = tuple(offer for offer in block.offers if isinstance(offer, ast.Setting))
        if not written and "use" not in lost and _without_use(block, kind, settings, ctx):
            settings = ()  # they are those of the line that is missing
        found.setdefault(block.name.text, BoundProvider(block.name.text, kind, tuple(uses), settings, block.name.span))
    return tuple(found[id] for id in sorted(found))


def _without_use(block: ast.Provider, kind: str, settings: tuple[ast.Setting, ...], ctx: Context) -> bool:
    """E0310. Whether one of its settings names the provider, `name = "openai"`: then the others are settings of it."""
    source, message = ctx.source(block.span), f"provider block for `{block.name.text}` without a `use` line"
    engines = {name: one for (of, name), one in ENGINES.items() if of == kind}
    named = next(
        (one for one in settings if isinstance(one.value, ast.Text | ast.Ref) and one.value.text in engines), None
    )
    if named is None or not isinstance(named.value, ast.Text | ast.Ref):
        name = next(iter(engines), "NAME")
        body = braces(source, block.span)  # None where it does not end, which is told already
        fix = setting_in(source, block.name.span, body, f"use {name}") if body else None
        ctx.sink.add("E0310", message, block.name.span, help=f"write `use {name}`", fix=fix)
        return False
    own = [one for one in settings if one is not named and one.key.text not in PROVIDER.names]
    texts = [source.text[slice(*offsets(source, one.span))] for one in own]
    use = f"use {named.value.text}" + (f" {{ {', '.join(texts)} }}" if own else "")
    fix = both(Fix(named.span, use), *(remove(source, one.span) for one in own))
    ctx.sink.add("E0310", message, named.span, help=f"write `{use}`", fix=fix)
    return True


def _kind(block: ast.Provider, ctx: Context) -> str | None:
    """The kind that a block serves: its name, or of a pool what is behind the colon."""
    name = _head(block.kind) if block.kind else block.name
    if block.kind is not None and not check_name(block.name, ctx):
        return None
    if name.text in PROVIDER_KINDS:
        return name.text
    return _unknown_kind(block, name, ctx)


def _unknown_kind(block: ast.Provider, name: ast.Name, ctx: Context) -> str | None:
    """E0204 of what a block serves. The kind that was meant, where the block tells; all that names it is then sound."""
    word = name.text
    uses = [offer for offer in block.offers if isinstance(offer, ast.Use)]
    performs = [kind for use in uses for kind, engine in ENGINES if engine == use.name.text]
    serves = [kind for kind, engine in ENGINES if engine == word]
    models = [
        one.value.text for one in block.offers if isinstance(one, ast.Setting) and isinstance(one.value, ast.Text)
    ]
    makers = [engine for begins, engine in foreign.MODELS.items() for model in models if model.startswith(begins)]
    performs += [kind for maker in makers for kind, engine in ENGINES if engine == maker]
    same = suggest(word, PROVIDER_KINDS) or foreign.KINDS.get(word.lower(), "")
    same = same if same in PROVIDER_KINDS else ""
    meant = same or next(iter((*performs, *serves)), "") or related(word, PROVIDER_KINDS)
    notes = () if block.kind else ("a pool of another name says its kind: `provider fast : llm { … }`",)
    if same:
        help, fix = f"did you mean `{same}`?", Fix(name.span, same)
    elif serves and not uses and not block.kind:
        help = f"`{word}` is a provider: `provider {meant} {{ use {word} {{ … }} }}`"
        source, notes = ctx.source(block.span), ()
        end = source.offset(block.span.end_line, block.span.end_column)
        fix = both(Fix(name.span, f"{meant} {{ use {word}"), Fix(source.span(end, end), " }"))
    elif meant and not block.kind:
        help, fix = f"a pool says its kind: `provider {word} : {meant}`", Fix(name.span, f"{word} : {meant}")
    else:
        help, fix = f"providers serve {listed(PROVIDER_KINDS)}", guess(remove(ctx.source(block.span), block.span))
    ctx.sink.add("E0204", f"no kind `{word}` that a provider serves", name.span, notes=notes, help=help, fix=fix)
    return meant or None


def _use(kind: str, use: ast.Use, conditions: Conditions, ctx: Context) -> BoundUse | None:
    found = engine(kind, use.name.text)
    if found is None:
        _unknown(kind, use, ctx)
        return None
    if not found.has_adapter:
        notes = (f"a package that registers `{use.name.text}` under the entry point `rspp.providers` provides one",)
        message = f"`{use.name.text}` has no adapter here: the pipeline compiles, and cannot run"
        local = next((name for (of, name), one in ENGINES.items() if of == kind and one.has_adapter), "")
        help = f"install an adapter, or use `{local}`" if local else "install an adapter"
        ctx.sink.add("E0909", message, use.name.span, notes=notes, help=help)
    guard: Condition | None = None
    if use.guard is not None and use.guard.condition is not None:
        guard = conditions.guard(use.guard, None, "a `use` line")
    settings = use.settings.items if use.settings else ()
    return BoundUse(use.name.text, guard, settings, use.name.span)


def _unknown(kind: str, use: ast.Use, ctx: Context) -> None:
    known = [name for of, name in ENGINES if of == kind]
    other = next((of for of, name in ENGINES if name == use.name.text), "")
    word = use.name.text
    nearest = suggest(word, known)
    makes = next(
        (engine for begins, engine in foreign.MODELS.items() if word.startswith(begins) and engine in known), ""
    )
    message = f"`{word}` serves `{other}`, not `{kind}`" if other else f"no provider `{word}`"
    help, fix = "install a package that registers it, or choose one of these", guess(Fix(use.name.span, known[0]))
    if nearest:
        help, fix = f"did you mean `{nearest}`?", Fix(use.name.span, nearest)
    elif other:
        help = f"choose one of these, or use it in `provider {other} {{ … }}`"
    elif makes:
        meant = f'{makes} {{ model = "{word}" }}'
        help = f"a model is a setting of its provider: `use {meant}`"
        fix = guess(Fix(use.name.span, makes)) if use.settings else Fix(use.name.span, meant)
    notes = (f"providers of `{kind}`: {listed(known)}",)
    ctx.sink.add("E0208", message, use.name.span, notes=notes, help=help, fix=fix)


# ---- tools ----------------------------------------------------------------------------------------------------------


def tools(items: Iterable[ast.Tool], ctx: Context) -> tuple[BoundTool, ...]:
    """Every tool, what it runs and its arguments."""
    found = {item.name.text: bound for item in items if (bound := _tool(item, ctx))}
    return tuple(found.values())


def _tool(item: ast.Tool, ctx: Context) -> BoundTool | None:
    if not check_name(item.name, ctx):
        return None
    written = item.kind
    name = _head(written)
    settings = item.settings.items if item.settings else ()
    if name.text not in _TOOL_KINDS or (name.text == "transfer") == isinstance(written, ast.Call):
        _malformed(item, name, ctx)
        return BoundTool(item.name.text, "python", "", (), (), item.span)  # or all that name it would be told again
    runs = implementation(written, name.text, ctx) if name.text != "transfer" else ""
    if item.signature and item.signature.outputs:
        source, at = ctx.source(item.span), item.signature.span
        start, end = offsets(source, at)
        arrow = source.span(source.text.rindex("->", start, end), end)
        message, help = "a tool has no outputs: what it returns goes to the model", "name its arguments only"
        ctx.sink.add("E0311", message, arrow, help=help, fix=without_clause(arrow, ctx))
    params = tuple(_param(param, ctx) for param in (item.signature.inputs if item.signature else ()))
    return BoundTool(item.name.text, name.text, runs, params, settings, item.span)


def _malformed(item: ast.Tool, name: ast.Name, ctx: Context) -> None:
    """E0204 of what a tool runs."""
    written, word = item.kind, name.text
    meant = suggest(word, _TOOL_KINDS) or foreign.TOOLS.get(word.lower(), "")
    known = listed((*(f'{kind}("…")' for kind in CUSTOM_KINDS), "transfer"))
    message = f"no kind of tool `{word}`"
    if word == "transfer" and isinstance(written, ast.Call):
        args = ", ".join(f'"{one.text}"' for one in written.args if isinstance(one, ast.Text))
        meant = f"transfer {{ to = {args} }}"
        fix = Fix(written.span, meant) if args and item.settings is None else guess(Fix(written.span, "transfer"))
        message, help = "`transfer` takes nothing in brackets", f"write `{meant}`"
    elif word in _TOOL_KINDS:
        message, help = f"`{word}` needs to know what to call", f'write `{word}("module:callable")`'
        fix = Fix(written.span, f'{word}("module:callable")')
    elif meant == "transfer" or (meant in _TOOL_KINDS and isinstance(written, ast.Call)):
        help, fix = f"did you mean `{meant}`?", Fix(name.span if meant != "transfer" else written.span, meant)
    else:
        help = f"there is {known}" + (f"; {meant}" if " " in meant else "")
        fix = guess(Fix(written.span, 'python("module:callable")'))
    ctx.sink.add("E0204", message, written.span, help=help, fix=fix)


def _param(param: ast.Param, ctx: Context) -> tuple[str, str, Span]:
    written = param.type
    name = _head(written)
    if name.text not in _PARAM_TYPES or isinstance(written, ast.Call):
        near = suggest(name.text, _PARAM_TYPES) or foreign.ARGUMENTS.get(name.text.lower(), "")
        nearest = near or "text"
        message = f"an argument of a tool cannot be `{name.text}`"
        help = f"did you mean `{near}`?" if near else f"there is {listed(_PARAM_TYPES)}"
        fix = Fix(written.span, nearest)
        ctx.sink.add("E0307", message, written.span, help=help, fix=fix if near else guess(fix))
        return param.name.text, nearest, param.span
    return param.name.text, name.text, param.span


def _head(written: ast.Ref | ast.Call) -> ast.Name:
    """The word of a kind or type, whether or not something in brackets follows."""
    return written.name if isinstance(written, ast.Call) else written.parts[0]
