"""Policies: what is different for some sessions. The first whose condition holds applies; see decision 0009."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEdge, BoundEnd, BoundInsert, BoundNode, BoundPolicy
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import LEVELS
from rspp_compiler.sema.names.conditions import Conditions
from rspp_compiler.sema.names.offers import providers
from rspp_compiler.sema.names.scope import Scope, check_name
from rspp_compiler.sema.reading.values import listed, suggest

_T = TypeVar("_T")


def policies(
    blocks: Iterable[ast.Policy], scope: Scope, conditions: Conditions, ctx: Context
) -> tuple[BoundPolicy, ...]:
    """Every policy, its nodes bound beside those of the pipeline."""
    found: list[BoundPolicy] = []
    for block in blocks:
        check_name(block.name, ctx)
        condition = conditions.bind(block.condition, None, "a policy", block.condition.span)
        own = _own_nodes(block, scope)
        inserts = [insert for rule in _of(ast.Insert, block) if (insert := _insert(rule, own, scope, ctx))]
        records = _of(ast.Record, block)
        if condition is None:
            scope.is_intact = False
            continue
        found.append(
            BoundPolicy(
                id=block.name.text,
                condition=condition,
                nodes=tuple(own.values()),
                inserts=tuple(inserts),
                providers=providers(_of(ast.Provider, block), conditions, (), ctx),
                record=recorded(records[0] if records else None, ctx),
                span=block.span,
            )
        )
    return tuple(found)


def recorded(line: ast.Record | None, ctx: Context) -> ast.Record | None:
    """The line, if its level is one."""
    if line and line.level.text not in LEVELS:
        message, help = f"no recording level `{line.level.text}`", f"there is {listed(LEVELS)}"
        fix = Fix(line.level.span, suggest(line.level.text.upper(), LEVELS) or LEVELS[0])
        ctx.sink.add("E0307", message, line.level.span, help=help, fix=fix)
        return None
    return line


def _own_nodes(block: ast.Policy, scope: Scope) -> dict[str, BoundNode]:
    """The policy's nodes. Their ids begin with the policy's name, since they exist only where it applies."""
    inner = Scope(ctx=scope.ctx, file=scope.file, lost=set(scope.lost), prefix=f"{block.name.text}.")
    for node in _of(ast.Node, block):
        inner.line = node.span
        if inner.may_declare(node.name):
            inner.declare(node)
    scope.is_intact &= inner.is_intact
    return inner.nodes


def _insert(rule: ast.Insert, own: dict[str, BoundNode], scope: Scope, ctx: Context) -> BoundInsert | None:
    """`insert mask before llm.prompt`: a node with one way through, in front of an input."""
    scope.line = rule.span
    node = own.get(rule.name.text)
    if node is None:
        nearest = suggest(rule.name.text, own)
        ctx.sink.add(
            "E0203",
            f"this policy has no node `{rule.name.text}`",
            rule.name.span,
            notes=(f"its nodes: {listed(own)}",) if own else (),
            help=f"did you mean `{nearest}`?" if nearest else f"declare it: `node {rule.name.text} : redact {{ … }}`",
            fix=Fix(rule.name.span, nearest) if nearest else remove(ctx.source(rule.span), rule.span),
        )
        scope.is_intact = False
        return None
    target = scope.end(rule.before, "input")
    ways = [next((port for port in side if port.main), None) for side in (node.inputs, node.outputs)]
    if target is None:
        return None
    if ways[0] is None or ways[1] is None:
        ctx.sink.add(
            "E0232",
            f"`{rule.name.text}` cannot be inserted: nothing flows through it",
            rule.span,
            secondary=[(node.span, f"a `{node.kind}` has no {'input' if ways[0] is None else 'output'}")],
            help="insert a node with an input and an output, such as a `redact`",
            fix=guess(Fix(node.span, f"node {rule.name.text} : redact {{ classes = [PII] }}"))
            if target.port.type == "text"
            else remove(ctx.source(rule.span), rule.span),
        )
        scope.is_intact = False
        return None
    edge = BoundEdge(BoundEnd(node, ways[1], rule.span), replace(target, span=rule.span), (), rule.span)
    return BoundInsert(node, target, edge, rule.span)


def _of(sort: type[_T], block: ast.Policy) -> list[_T]:
    return [rule for rule in block.rules if isinstance(rule, sort)]
