"""Lines of a pipeline that are blocks of settings: parties, modes, budgets."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundMode, BoundNode, BoundParty, BoundPathBudget
from rspp_compiler.sema.language.foreign_settings import setting as foreign_setting
from rspp_compiler.sema.names.modules import shortened
from rspp_compiler.sema.names.scope import JOINTS, Instance, Scope
from rspp_compiler.sema.reading.values import suggest


def parties(lines: Iterable[ast.Party], scope: Scope) -> tuple[BoundParty, ...]:
    found: list[BoundParty] = []
    for line in lines:
        scope.line = line.span
        if scope.may_declare(line.name):
            found.append(BoundParty(line.name.text, line.settings.items if line.settings else (), line.span))
    return tuple(found)


def modes(lines: Iterable[ast.Mode], scope: Scope) -> tuple[BoundMode, ...]:
    """Modes, each with what is off in it and what is set otherwise."""
    found: dict[str, BoundMode] = {}
    for line in lines:
        scope.line = line.span
        if scope.may_declare(line.name):
            found[line.name.text] = _mode(line, scope)
    return tuple(found.values())


def _mode(line: ast.Mode, scope: Scope) -> BoundMode:
    off: list[str] = []
    overrides: list[tuple[str, ast.Setting]] = []
    for setting in line.settings.items:
        head = setting.key.refs[0]
        if len(head.parts) > 1 and len(setting.key.refs) == 1:
            node = scope.find(head.parts[:-1])
            if isinstance(node, BoundNode):
                overrides.append((node.id, shortened(setting, len(head.parts) - 1)))
            elif isinstance(node, Instance):
                _say_the_node(setting, node, scope)
        elif setting.key.text == "off":
            off += _off(setting, scope)
        else:
            nearest = suggest(setting.key.text, ["off"]) or foreign_setting("a mode", setting.key.text, ["off"])
            is_off = isinstance(setting.value, ast.Ref) and setting.value.text in ("off", "false", "none", "disabled")
            off_instead = Fix(setting.span, f"off = [{setting.key.text}]") if is_off else None
            scope.ctx.sink.add(
                "E0301",
                f"a mode has no setting `{setting.key.text}`",
                setting.key.span,
                notes=("a mode has `off = [NODE]`, and settings of nodes: `llm.system = …`",),
                help=f"did you mean `{nearest}`?"
                if nearest
                else f"write `{off_instead.replacement}`"
                if off_instead
                else "name the node that it is a setting of",
                fix=Fix(setting.key.span, nearest)
                if nearest
                else off_instead or guess(remove(scope.ctx.source(setting.span), setting.span)),
            )
    return BoundMode(line.name.text, tuple(dict.fromkeys(off)), tuple(overrides), line.span)


def _off(setting: ast.Setting, scope: Scope) -> list[str]:
    values = setting.value.items if isinstance(setting.value, ast.List) else [setting.value]
    names: list[str] = []
    for value in values:
        if not isinstance(value, ast.Ref):
            at = value.span if value else setting.span
            fix = remove(scope.ctx.source(setting.span), setting.span)
            message = "`off` takes names of nodes"
            scope.ctx.sink.add("E0305", message, at, help="write `off = [voice]`", fix=fix)
            continue
        node = scope.find(value.parts)
        if isinstance(node, BoundNode):
            names.append(node.id)
        elif isinstance(node, Instance) and node.scope:
            names += [inner.id for inner in all_nodes(node.scope)]
    if isinstance(setting.value, ast.List) and not values:
        message, fix = "`off` names no node", remove(scope.ctx.source(setting.span), setting.span)
        scope.ctx.sink.add("E0305", message, setting.span, help="write `off = [voice]`", fix=fix)
    return names


def _say_the_node(setting: ast.Setting, instance: Instance, scope: Scope) -> None:
    message = f"`{instance.name}` is a module: name the node inside that has the setting"
    help = f"write `{instance.name}.NODE.{setting.key.refs[0].parts[-1].text} = …`"
    fix = remove(scope.ctx.source(setting.span), setting.span)
    scope.ctx.sink.add("E0301", message, setting.key.span, help=help, fix=fix)


def all_nodes(scope: Scope) -> list[BoundNode]:
    """The nodes of a body and of the modules in it, in the order of the source; stand-ins for ports aside."""
    here = [(node.span.start, index, [node]) for index, node in enumerate(scope.nodes.values())]
    inside = [
        (instance.span.start, -1, all_nodes(instance.scope)) for instance in scope.instances.values() if instance.scope
    ]
    return [node for _, _, nodes in sorted([*here, *inside], key=lambda row: row[:2]) for node in nodes]


# ---- budgets --------------------------------------------------------------------------------------------------------


def budgets(lines: Iterable[ast.Budget], scope: Scope) -> tuple[tuple[ast.Setting, ...], tuple[BoundPathBudget, ...]]:
    """Budgets by name, those of a module's nodes under their full id; and budgets of paths, with their ends."""
    named: list[ast.Setting] = []
    paths: list[BoundPathBudget] = []
    for line in lines:
        scope.line = line.span
        for setting in line.settings.items:
            if len(setting.key.refs) == 1:
                named.append(_prefixed(setting, scope.prefix))
            elif bound := _path_budget(setting, scope):
                paths.append(bound)
    return tuple(named), tuple(paths)


def _prefixed(setting: ast.Setting, prefix: str) -> ast.Setting:
    if not prefix:
        return setting
    ref = setting.key.refs[0]
    outer = tuple(ast.Name(part, ref.span) for part in prefix.rstrip(".").split("."))
    return ast.Setting(
        ast.Key((ast.Ref((*outer, *ref.parts), ref.span),), setting.key.span), setting.value, setting.span
    )


def _path_budget(setting: ast.Setting, scope: Scope) -> BoundPathBudget | None:
    first, *_, last = setting.key.refs
    scope.line = setting.span
    source = scope.end(first, "output")
    target = scope.end(last, "output" if _is_output(last, scope) else "input") if source else None
    if source is None or target is None or JOINTS[0] in (source.node.kind, target.node.kind):
        return None
    return BoundPathBudget(source, target, setting)


def _is_output(ref: ast.Ref, scope: Scope) -> bool:
    """Whether the end of a path is something that comes out: the first output is what the budget runs to."""
    node = scope.nodes.get(ref.parts[0].text)
    if node is None or len(ref.parts) == 1:
        return node is not None and bool(node.outputs)
    return any(port.name == ref.parts[1].text for port in node.outputs)
