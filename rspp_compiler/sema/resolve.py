"""resolve: names → what they name. Nodes, ports, events, modes, tools, providers, modules; what is unknown is reported
with a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_behind, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Bound, BoundEdge, BoundPathBudget, BoundReaction
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import PROFILES
from rspp_compiler.sema.names.blocks import all_nodes, budgets, modes, parties
from rspp_compiler.sema.names.conditions import Conditions
from rspp_compiler.sema.names.flows import declared_once, join, otherwise_has_siblings, path
from rspp_compiler.sema.names.items import Items
from rspp_compiler.sema.names.modules import body, instantiate, nothing_left_over
from rspp_compiler.sema.names.offers import providers, tools
from rspp_compiler.sema.names.policies import policies, recorded
from rspp_compiler.sema.names.reactions import Reactions
from rspp_compiler.sema.names.scope import Instance, Scope, check_name
from rspp_compiler.sema.names.scopes import Scopes
from rspp_compiler.sema.reading.values import listed, suggest

_T = TypeVar("_T")


def resolve(program: ast.Program, ctx: Context) -> Bound | None:
    """Binds the one pipeline of the program; None when there is none.

    `ears -> stt` becomes `Edge(ears.speech, stt.audio)`, and `sst` an error that offers `stt`.
    """
    items = Items(program, ctx)
    found = [item for file in program.files for item in file.items if isinstance(item, ast.Pipeline)]
    if not found:
        if not ctx.sink.has_errors:
            span = program.files[0].span
            end = ctx.source(span).span(len(ctx.source(span).text.rstrip()), len(ctx.source(span).text))
            fix = Fix(end, "\n\npipeline hello {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}\n")
            ctx.sink.add("E0211", "no pipeline in the file", span, help="write `pipeline NAME { … }`", fix=fix)
        return None
    for other in found[1:]:
        ctx.sink.add(
            "E0231",
            "a second pipeline: a program is one pipeline",
            other.name.span,
            secondary=[(found[0].name.span, "the first is here")],
            help="give it a file of its own; what both need goes into a module",
            fix=remove(ctx.source(other.span), other.span),
        )
    return _Resolver(items, program.lost, ctx).pipeline(found[0])


class _Resolver:
    def __init__(self, items: Items, lost: frozenset[str], ctx: Context) -> None:
        self._items = items
        self._lost = lost
        self._ctx = ctx
        self._edges: list[BoundEdge] = []
        self._reactions: list[BoundReaction] = []
        self._budget: list[ast.Setting] = []
        self._path_budgets: list[BoundPathBudget] = []
        self._scopes: list[Scope] = []

    def pipeline(self, pipeline: ast.Pipeline) -> Bound:
        lines, ctx = pipeline.lines, self._ctx
        check_name(pipeline.name, ctx)
        scope = Scope(ctx=ctx, file=pipeline.span.file, lost=set(self._lost))
        party_lines = parties(_of(ast.Party, lines), scope)
        scope.parties = tuple(party.id for party in party_lines)
        names = tuple(line.name.text for line in _of(ast.Mode, lines))
        conditions = Conditions(ctx, names)
        bound_tools = tools(self._items.tools(), ctx)
        tool_names = tuple(tool.id for tool in bound_tools)
        self._body(scope, lines, (), conditions, tool_names)
        bound_modes = modes(_of(ast.Mode, lines), scope)
        reactions = Reactions(scope, conditions, names, tool_names)
        self._react(reactions, _of(ast.Reaction, lines))
        bound_policies = policies(self._items.policies(), scope, conditions, ctx)
        edges, paths = join(self._edges, [reaction.path for reaction in self._reactions])
        edges = declared_once(edges, ctx)
        reactions_bound = [
            replace(reaction, path=whole) for reaction, whole in zip(self._reactions, paths, strict=True)
        ]
        nodes = all_nodes(scope)
        in_paths = [edge for path in paths for edge in path]
        scopes = Scopes(nodes, [*edges, *in_paths])
        otherwise_has_siblings(edges, ctx)
        meta = self._only(_of(ast.Meta, lines), "meta")
        self._only(_of(ast.Budget, lines), "budget")
        profile = self._only(_of(ast.Profile, lines), "profile")
        record = recorded(self._only(_of(ast.Record, lines), "record"), self._ctx)
        return Bound(
            name=pipeline.name,
            version=pipeline.version,
            profile=self.profile(profile),
            profile_span=profile.span if profile else None,
            meta=meta.settings.items if meta else (),
            parties=party_lines,
            nodes=tuple(scopes.node(node) for node in nodes),
            edges=tuple(scopes.edge(edge) for edge in edges),
            reactions=tuple(scopes.reaction(reaction) for reaction in reactions_bound),
            modes=bound_modes,
            tools=bound_tools,
            budget=tuple(self._budget),
            path_budgets=tuple(self._path_budgets),
            record=record,
            providers=providers(self._items.providers(), conditions, self._lost, ctx),
            policies=tuple(scopes.policy(policy) for policy in bound_policies),
            span=pipeline.span,
            is_intact=all(scope.is_intact for scope in self._scopes) and not self._lost,
        )

    # ---- bodies

    def _body(
        self,
        scope: Scope,
        lines: Iterable[ast.Line],
        chain: tuple[ast.Module, ...],
        conditions: Conditions,
        tool_names: tuple[str, ...],
    ) -> None:
        """Nodes, instances and flows of a pipeline or module; and in a module, its reactions and budgets."""
        self._scopes.append(scope)
        lines = tuple(lines)
        for node in _of(ast.Node, lines):
            scope.line = node.span
            if not scope.may_declare(node.name):
                continue
            module = self._items.module(scope.file, _kind_name(node))
            if module is None:
                scope.declare(node)
                continue
            instance = instantiate(node, module, scope, chain)
            if instance and instance.scope:
                inner = body(module, self._ctx)
                self._body(instance.scope, inner, (*chain, module), conditions, tool_names)
                self._react(Reactions(instance.scope, conditions, (), tool_names), _of(ast.Reaction, inner))
                nothing_left_over(instance)
        for flow in _of(ast.Flow, lines):
            scope.line = flow.span
            self._edges += path(scope, conditions, flow.start, flow.hops)
        for instance in scope.instances.values():
            self._connected(instance, scope)
        named, paths = budgets(_of(ast.Budget, lines), scope)
        self._budget += named
        self._path_budgets += paths

    def _react(self, reactions: Reactions, lines: Iterable[ast.Reaction]) -> None:
        """Reactions come last: they may name the nodes and modes of any line."""
        for line in lines:
            reactions.scope.line = line.span
            if bound := reactions.bind(line):
                self._reactions.append(bound)

    def _connected(self, instance: Instance, scope: Scope) -> None:
        """E0215: something flows into every input of a module, and out of the inside of every output."""
        fed = {edge.target.node.id for edge in self._edges}
        for side, joints in (("into", instance.inputs), ("out of", instance.outputs)):
            for name, node in joints.items():
                if node.id in fed or not scope.is_intact or (instance.scope and not instance.scope.is_intact):
                    continue
                source, module = self._ctx.source(instance.span), instance.module
                if side == "into":
                    start = f"{scope.parties[0]}." if scope.parties else "ingress."
                    help, at = f"write a flow, such as `{start}audio -> {instance.name}.{name}`", instance.span
                    fix = line_behind(source, instance.span, f"{start}audio -> {instance.name}.{name}")
                else:
                    help, at = f"end a flow of the module at `{name}`, or remove the port", node.span
                    fix = remove(self._ctx.source(node.span), node.span)
                self._ctx.sink.add(
                    "E0215",
                    f"nothing flows {side} `{instance.name}.{name}`",
                    at,
                    secondary=[(node.span, f"a port of module `{module.name.text}`")] if side == "into" else (),
                    help=help,
                    fix=fix,
                )

    # ---- single lines

    def profile(self, line: ast.Profile | None) -> str:
        if line and line.name not in PROFILES:
            nearest = suggest(line.name, PROFILES) or PROFILES[0]
            help, fix = f"there is {listed(PROFILES)}", Fix(line.span, f"profile {nearest}")
            self._ctx.sink.add("E0209", f"no profile `{line.name}`", line.span, help=help, fix=fix)
            return PROFILES[0]
        return line.name if line else PROFILES[0]

    def _only(self, lines: Iterable[_T], word: str) -> _T | None:
        """The one line of its sort; a second is reported."""
        first: _T | None = None
        for line in lines:
            if first is None:
                first = line
                continue
            span, at = line.span, first.span  # type: ignore[attr-defined]
            self._ctx.sink.add(
                "E0202",
                f"a second `{word}` line",
                span,
                secondary=[(at, "the first is here")],
                help="put everything into one",
                fix=remove(self._ctx.source(span), span),
            )
        return first


def _of(sort: type[_T], lines: Iterable[object]) -> list[_T]:
    return [line for line in lines if isinstance(line, sort)]


def _kind_name(node: ast.Node) -> str:
    kind = node.kind
    if isinstance(kind, ast.Call):
        return ""
    return kind.text if kind else node.name.text
