"""Modules: each use of one becomes an instance, whose body is bound in a scope of its own."""

from __future__ import annotations

from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.names.scope import Instance, Scope, joint
from rspp_compiler.sema.names.signatures import ports
from rspp_compiler.sema.reading.values import listed, suggest

_ALLOWED = (ast.Node, ast.Flow, ast.Reaction, ast.Budget)
_WORDS = {ast.Profile: "profile", ast.Meta: "meta", ast.Party: "party", ast.Mode: "mode", ast.Record: "record"}


def instantiate(node: ast.Node, module: ast.Module, scope: Scope, chain: tuple[ast.Module, ...]) -> Instance | None:
    """An instance of `module`, its body not bound yet; None when the module would contain itself (E0216)."""
    name = node.name.text
    if module in chain:
        names = [one.name.text for one in (*chain[chain.index(module) :], module)]
        scope.ctx.sink.add(
            "E0216",
            f"module `{module.name.text}` contains itself: {' -> '.join(names)}",
            node.span,
            label="this node would never end",
            help="remove this node",
            fix=remove(scope.ctx.source(node.span), node.span),
        )
        scope.lose(name)
        return None
    inputs, outputs = ports(module.signature, scope.ctx)
    prefix = f"{scope.prefix}{name}."
    instance = Instance(
        name,
        module,
        {port.name: joint(f"{prefix}{port.name}", port, "input") for port in inputs},
        {port.name: joint(f"{prefix}{port.name}", port, "output") for port in outputs},
        node.span,
    )
    scope.instances[name] = instance
    file = module.span.file
    overrides = _overrides(node, instance, scope)
    instance.scope = Scope(ctx=scope.ctx, file=file, lost=set(scope.lost), prefix=prefix, params=instance)
    instance.scope.overrides = overrides
    return instance


def body(module: ast.Module, ctx: Context) -> tuple[ast.Line, ...]:
    """The lines of a module that have a meaning there; the others are reported (E0229)."""
    for line in module.lines:
        if not isinstance(line, _ALLOWED):
            word = _WORDS[type(line)]
            ctx.sink.add(
                "E0229",
                f"`{word}` belongs to a pipeline, not to a module",
                line.span,
                help="move it into the pipeline that uses the module",
                fix=remove(ctx.source(line.span), line.span),
            )
    return tuple(line for line in module.lines if isinstance(line, _ALLOWED))


def nothing_left_over(instance: Instance) -> None:
    """Settings that reach for a node which the module does not have (E0203)."""
    scope = instance.scope
    assert scope is not None
    known = [*scope.nodes, *scope.instances]
    for name, settings in scope.overrides.items():
        if scope.is_lost(name):
            continue
        for setting in settings:
            part = setting.key.refs[0].parts[0]
            at = setting.span
            nearest = suggest(name, known)
            scope.ctx.sink.add(
                "E0203",
                f"module `{instance.module.name.text}` has no node `{name}`",
                part.span if part.text == name else at,
                secondary=[(instance.module.name.span, f"it has {listed(known)}")],
                help=f"did you mean `{nearest}`?" if nearest else "remove the setting",
                fix=remove(scope.ctx.source(at), at),
            )


def _overrides(node: ast.Node, instance: Instance, scope: Scope) -> dict[str, list[ast.Setting]]:
    """Settings by the node that they reach for: `stt.language = "es"`, of the user's line and from further outside."""
    found: dict[str, list[ast.Setting]] = {}
    own = node.settings.items if node.settings else ()
    for setting in (*own, *scope.overrides.pop(instance.name, ())):
        head, *rest = setting.key.refs[0].parts
        if not rest:
            scope.ctx.sink.add(
                "E0301",
                f"module `{instance.module.name.text}` has no setting `{head.text}`",
                setting.key.span,
                notes=("a module is set through its nodes",),
                help="name the node that has it: `stt.language = …`",
                fix=remove(scope.ctx.source(setting.span), setting.span),
            )
            continue
        found.setdefault(head.text, []).append(shortened(setting, 1))
    return found


def shortened(setting: ast.Setting, parts: int) -> ast.Setting:
    """`stt.language = "es"` without its first parts: `language = "es"`."""
    first, *others = setting.key.refs
    ref = ast.Ref(first.parts[parts:], first.parts[parts].span.to(first.parts[-1].span))
    return ast.Setting(ast.Key((ref, *others), setting.key.span), setting.value, setting.span)
