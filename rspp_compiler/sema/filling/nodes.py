"""Nodes: settings of their kind, and what every node has: budget, place, work, pool, limits, hooks, state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.diagnostics.statements import without_setting
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundNode, FilledNode, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.filling.budget import Budgets
from rspp_compiler.sema.filling.ports import Ports
from rspp_compiler.sema.filling.providers import Blocks
from rspp_compiler.sema.language.catalog import Kind
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import HOOKS_TABLE, LIMIT_TABLE, STATE_TABLE, node_table
from rspp_compiler.sema.reading.fields import latest, read_block, read_fields, with_defaults
from rspp_compiler.sema.reading.tunable import read_tunable
from rspp_compiler.sema.reading.values import listed, suggest

Values = dict[str, Valued]
_NONE: Mapping[str, str] = {}
# Settings that the spec keeps apart from those of the kind.
_APART = ("scope", "cancel", "work_ns", "provider", "tools", "place")


class Nodes:
    """Fills the nodes of a pipeline and of its policies."""

    def __init__(
        self, profile: ProfileTable, ports: Ports, budgets: Budgets, blocks: Blocks, tools: Iterable[str], ctx: Context
    ) -> None:
        self._profile = profile
        self._ports = ports
        self._budgets = budgets
        self._blocks = blocks
        self._tools = frozenset(tools)
        self._ctx = ctx

    def fill(self, node: BoundNode, pools: Mapping[str, str] = _NONE) -> FilledNode:
        """Every field of one node. `pools` are those of its policy, with the kinds that they perform."""
        kind, table = KINDS[node.kind], node_table(node.kind)
        settings = read_fields(node.settings, table, self._ctx)
        apart = {name: settings.pop(name) for name in _APART if name in settings}
        timeout = settings.get("timeout_ns") if kind.has_signature else None
        defaults = self._profile.section(node.kind)
        if defaults:
            settings = with_defaults(settings, node_table(node.kind), defaults)
        written = latest(node.settings) if node.settings else {}
        fields = {} if kind.is_boundary else self._every(node, apart, timeout)
        fields["scope"] = apart.get("scope") or _scope(node, kind)
        if kind.has_provider:
            fields["provider"] = self.pool(node, apart.get("provider"), written.get("provider"), pools)
            fields["chunk_ns"] = self._blocks.chunk(fields["provider"].text)
        if "tools" in apart:
            fields["tools"] = self.known_tools(apart["tools"], written["tools"])
        is_own, has_state = "hooks" in table.blocks, "state" in table.blocks
        payload_class = settings["class"].text if "class" in settings else ""
        return FilledNode(
            bound=node,
            inputs=tuple(self._ports.fill(port) for port in node.inputs),
            outputs=tuple(self._ports.fill(port, payload_class) for port in node.outputs),
            settings=settings,
            fields=fields,
            limit=read_block(written["limit"], LIMIT_TABLE, self._ctx) if "limit" in written else {},
            hooks=read_block(written["hooks"], HOOKS_TABLE, self._ctx) if "hooks" in written and is_own else {},
            state=read_block(written["state"], STATE_TABLE, self._ctx) if "state" in written and has_state else {},
            tunable=read_tunable(written["tunable"], node.kind, self._ctx) if "tunable" in written else (),
        )

    def _every(self, node: BoundNode, apart: Mapping[str, Valued], timeout: Valued | None) -> Values:
        """What every node has, but for ingress and egress."""
        work = self._profile.section("work")
        fields: Values = {
            "work_ns": apart.get("work_ns") or work.get(node.kind) or work["other"],
            "cancel": apart.get("cancel") or self._profile.get("cancel.mode"),
        }
        if KINDS[node.kind].has_signature:
            fields["emissions_max"] = self._profile.get("custom.emissions")
        place = self._place(node, apart.get("place"), timeout)
        fields["place"] = place
        if place.value == "kernel":
            if timeout and "place" in apart:
                self._never_waits(node, timeout, place)
            return fields
        fields["first_output_ns"] = self._first_output(node, timeout)
        fields["chunk_ns"] = self._profile.get("provider.chunk")
        fields["window_items"] = self._profile.get("provider.window")
        return fields

    def _place(self, node: BoundNode, written: Valued | None, timeout: Valued | None) -> Valued:
        """Where it runs. Python runs between two steps of the kernel, unless it may wait."""
        if written is not None:
            return written
        if node.execution != "effect":
            return Valued("kernel", Origin.derived(node.span, f"`{node.kind}` runs between two steps"))
        if node.kind != "python":
            return Valued("loop", Origin.derived(node.span, f"`{node.kind}` waits for an answer"))
        waits = timeout or self._budgets.nodes.get(node.id)
        if waits:
            return Valued("loop", Origin.derived(waits.origin.span, "what has a timeout may wait"))
        return Valued("kernel", Origin.derived(node.span, "what has no timeout does not wait"))

    def _first_output(self, node: BoundNode, timeout: Valued | None) -> Valued:
        budget = self._budgets.nodes.get(node.id)
        if timeout and budget:
            self._ctx.sink.add(
                "E0311",
                f"`{node.id}` has both a timeout and a budget",
                timeout.origin.span,
                secondary=[(budget.origin.span, "the budget")],
                help="keep one of them",
                fix=self._without(node, "timeout"),
            )
        return budget or timeout or self._budgets.of_kind(node.kind)

    def _never_waits(self, node: BoundNode, timeout: Valued, place: Valued) -> None:
        self._ctx.sink.add(
            "E0311",
            f"`{node.id}` runs in the kernel and never waits: a timeout has no meaning",
            timeout.origin.span,
            secondary=[(place.origin.span, "it runs here")],
            help="write `place = loop`, or remove the timeout",
            fix=Fix(place.origin.span, "loop"),
        )

    def _without(self, node: BoundNode, key: str) -> Fix | None:
        """A fix that removes a setting of the node."""
        written = latest(node.settings).get(key)
        return remove(self._ctx.source(written.span), written.span) if written else None

    def pool(
        self, node: BoundNode, named: Valued | None, written: ast.Setting | None, pools: Mapping[str, str] = _NONE
    ) -> Valued:
        """The block that performs the node: the pool it names, or that of its kind."""
        if named is None or written is None:
            return self._blocks.of_kind(node.kind)
        kinds = {**self._blocks.kinds, **pools}
        kind = kinds.get(named.text)
        if kind == node.kind:
            return named
        fitting = [id for id, of in kinds.items() if of == node.kind]
        nearest = suggest(named.text, fitting)
        help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(fitting)}" if fitting else ""
        what = f"declare it: `provider {named.text} : {node.kind} {{ use … }}`"
        if (node.kind, named.text) in ENGINES:
            what = (
                f"a provider is used in a block, outside of the pipeline: `provider {node.kind} {{ use {named.text} }}`"
            )
        help = help or (what if kind is None else f"remove it: the block `{node.kind}` performs the node")
        at = named.origin.span
        meant = nearest or (fitting[0] if len(fitting) == 1 and fitting[0] != node.kind else "")
        fix = Fix(at, meant) if nearest else guess(Fix(at, meant) if meant else self._removed(written))
        if kind is None:
            self._ctx.sink.add("E0208", f"no pool `{named.text}`", at, help=help, fix=fix)
        else:
            message = f"`{named.text}` performs `{kind}`, and `{node.id}` is a `{node.kind}`"
            self._ctx.sink.add("E0313", message, at, help=help, fix=fix)
        return self._blocks.of_kind(node.kind)

    def _removed(self, written: ast.Setting) -> Fix:
        return without_setting(self._ctx.source(written.span), written.span)

    def known_tools(self, tools: Valued, written: ast.Setting) -> Valued:
        """The tools that there are; others are reported (E0226)."""
        assert isinstance(tools.value, tuple)
        value = written.value
        parts = {
            part.text: part
            for part in (value.items if isinstance(value, ast.List) else (value,))
            if isinstance(part, ast.Ref)
        }
        kept = []
        for name in tools.value:
            if not isinstance(name, str) or name in self._tools:
                kept.append(name)
                continue
            at = parts[name].span if name in parts else tools.origin.span
            nearest = suggest(name, self._tools)
            gone = at if len(parts) > 1 else written.span
            fix = Fix(at, nearest) if nearest else remove(self._ctx.source(gone), gone)
            help = f"did you mean `{nearest}`?" if nearest else f'declare it: `tool {name} : python("module:{name}")`'
            self._ctx.sink.add("E0226", f"no tool `{name}`", at, help=help, fix=fix)
        return Valued(tuple(kept), tools.origin)  # type: ignore[arg-type]


def _scope(node: BoundNode, kind: Kind) -> Valued:
    """How long the node lives, and why: `resolve` looked at what reaches it."""
    scope = node.scope or "session"
    if kind.scope is not None:
        reason = f"`{kind.name}` belongs to the {scope}"
    else:
        reason = "something of a turn reaches it" if scope == "turn" else "nothing of a turn reaches it"
    return Valued(scope, Origin.derived(node.span, reason))
