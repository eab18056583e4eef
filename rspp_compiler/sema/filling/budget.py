"""The block `budget`: what the user allows to the turn, to nodes and to paths; the profile says the rest."""

from __future__ import annotations

from collections.abc import Mapping

from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Bound, BoundNode, BoundPathBudget, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Setting
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import COST
from rspp_compiler.sema.reading.fields import latest, read_one, unknown_key

_WHOLE = {
    "turn": "turn_ns",
    "turn.total": "turn_total_ns",
    "turn.pause": "turn_pause_ns",
    "turn.apology": "turn_apology_ns",
}


class Budgets:
    """Budgets as written. `fields` are those of the whole, `nodes` those of single nodes by their id."""

    def __init__(self, bound: Bound, profile: ProfileTable, ctx: Context) -> None:
        self._bound = bound
        self._profile = profile
        self._ctx = ctx
        names = ("turn", "turn_total", "path", "edge", "node")
        self.fields: dict[str, Valued] = {f"{name}_ns": profile.get(f"budget.{name}") for name in names}
        self.fields["turn_pause_ns"] = profile.get("pause.max")
        self.fields["turn_apology_ns"] = profile.get("apology.gap")
        self.fields["warning_percent"] = profile.get("budget.warning")
        self.nodes: dict[str, Valued] = {}
        self._read({node.id: node for node in bound.nodes})

    def of_kind(self, kind: str) -> Valued:
        """What the profile gives to a node of that kind."""
        return self._profile.section("budget").get(kind) or self.fields["node_ns"]

    def _read(self, nodes: Mapping[str, BoundNode]) -> None:
        for key, written in latest(self._bound.budget).items():
            if key == "cost":
                if value := read_one(COST, written, self._ctx):
                    self.fields["cost_microusd"] = value
            elif key in _WHOLE:
                if value := self._duration(key, written):
                    self.fields[_WHOLE[key]] = value
            elif (node := nodes.get(key)) is not None:
                self._of_node(node, written)
            elif self._bound.is_intact or key in ("path", "edge", "node"):
                waiting = [id for id, node in nodes.items() if node.execution == "effect"]
                unknown_key(written, "the budget", [*_WHOLE, "cost", *waiting], self._ctx)

    def _of_node(self, node: BoundNode, written: ast.Setting) -> None:
        if node.execution != "effect":
            self._ctx.sink.add(
                "E0301",
                f"`{node.id}` answers at once: a budget for it has no meaning",
                written.key.span,
                secondary=[(node.span, f"it is a `{node.kind}`")],
                help="remove it",
                fix=remove(self._ctx.source(written.span), written.span),
            )
        elif value := self._duration(node.id, written):
            self.nodes[node.id] = value

    def _duration(self, name: str, written: ast.Setting) -> Valued | None:
        return read_one(Setting(name, "duration"), written, self._ctx)

    def paths(self) -> tuple[tuple[BoundPathBudget, Valued], ...]:
        """`ingress.audio -> stt.final = 700ms`; sorted, since the order of settings means nothing."""
        found = []
        for path in sorted(self._bound.path_budgets, key=lambda path: path.setting.key.text):
            if value := self._duration("a path", path.setting):
                found.append((path, value))
        return tuple(found)
