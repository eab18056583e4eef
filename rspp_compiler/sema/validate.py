"""validate: fields → `PipelineSpec`. Every value within its range, nothing missing, nothing contradictory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir import spec
from rspp_compiler.ir.bound import BoundInsert, Fields, Filled, FilledMode, FilledPolicy, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Setting
from rspp_compiler.sema.language.tables import BUDGET, COST, PARTY, RECORD, node_table
from rspp_compiler.sema.language.units import show_ns
from rspp_compiler.sema.reading.ranges import Ranges, origins, values
from rspp_compiler.sema.validating.edges import EdgeSpecs
from rspp_compiler.sema.validating.nodes import NodeSpecs
from rspp_compiler.sema.validating.owners import owners
from rspp_compiler.sema.validating.providers import ProviderSpecs, tool_spec
from rspp_compiler.source import Span


def validate(filled: Filled, ctx: Context) -> spec.PipelineSpec | None:
    """The specification; None when something of the structure had to be left out, so that nothing can be said of it."""
    return _Validator(filled, ctx).pipeline()


class _Validator:
    def __init__(self, filled: Filled, ctx: Context) -> None:
        self._filled = filled
        self._ctx = ctx
        self._ranges = Ranges(Path(filled.bound.span.file).parent, ctx)
        self._nodes = NodeSpecs(self._ranges, ctx)
        self._edges = EdgeSpecs(self._ranges, ctx)

    def pipeline(self) -> spec.PipelineSpec | None:
        filled, bound, ranges = self._filled, self._filled.bound, self._ranges
        nodes = tuple(self._nodes.node(node) for node in filled.nodes)
        edges = tuple(self._edges.edge(edge) for edge in filled.edges)
        reactions = tuple(self._edges.reaction(one, i + 1) for i, one in enumerate(filled.reactions))
        providers = ProviderSpecs(filled.nodes, ranges, self._ctx)
        blocks = tuple(providers.provider(provider) for provider in filled.providers)
        tools = tuple(tool_spec(tool, ranges, self._ctx) for tool in filled.tools)
        modes = tuple(self._mode(mode) for mode in filled.modes)
        policies = tuple(self._policy(policy) for policy in filled.policies)
        budget = self._budget()
        parties = tuple(
            spec.PartySpec(
                span=party.span,
                origins={"members_max": fields["max"].origin},
                id=party.id,
                members_max=ranges.clamp(PARTY.by_name["max"], fields["max"]),
            )
            for party, fields in filled.parties
        )
        recording = self._recording(filled.recording, bound.record.span if bound.record else bound.span)
        if not bound.is_intact:
            return None
        return spec.PipelineSpec(
            span=bound.span,
            name=bound.name.text,
            version=bound.version.text if bound.version else "0.0.0",
            profile=bound.profile,
            meta=values(filled.meta),
            parties=parties,
            nodes=nodes,
            edges=edges,
            reactions=reactions,
            modes=modes,
            tools=tools,
            policies=policies,
            budget=budget,
            recording=recording,
            providers=blocks,
            limits=spec.LimitsSpec(span=bound.span, origins=origins(filled.limits), **values(filled.limits)),
            owners=owners(bound, self._ctx),
        )

    # ---- budgets

    def _budget(self) -> spec.BudgetSpec:
        filled = self._filled
        numbers = {field: self._whole(field, valued) for field, valued in filled.budget.items()}
        self._total_covers_turn()
        paths = tuple(
            spec.PathBudgetSpec(
                span=path.setting.span,
                origins={"ns": valued.origin},
                source=path.source.node.id,
                source_port=path.source.port.name,
                target=path.target.node.id,
                target_port=path.target.port.name,
                ns=self._duration("path", valued),
            )
            for path, valued in filled.path_budgets
        )
        return spec.BudgetSpec(span=filled.bound.span, origins=origins(filled.budget), paths=paths, **numbers)

    def _whole(self, field: str, valued: Valued) -> int:
        if field == "cost_microusd":
            cost: int = self._ranges.clamp(COST, valued)
            return cost
        return self._duration(field.removesuffix("_ns"), valued) if field.endswith("_ns") else valued.number

    def _duration(self, name: str, valued: Valued) -> int:
        if name in ("turn_total", "turn_pause", "turn_apology"):
            name = name.replace("_", ".")
        number: int = self._ranges.clamp(Setting(name, "duration", BUDGET.min, BUDGET.max), valued)
        return number

    def _total_covers_turn(self) -> None:
        turn, total = self._filled.budget["turn_ns"], self._filled.budget["turn_total_ns"]
        if total.number < turn.number:
            is_written = total.origin.kind == "user"
            at, other = (total, turn) if is_written else (turn, total)
            self._ctx.sink.add(
                "E0311",
                f"the whole turn, {show_ns(total.number)}, ends before its first output may come",
                at.origin.span,
                secondary=[(other.origin.span, f"first output within {show_ns(turn.number)}")],
                help="raise `turn.total`" if is_written else "lower `turn`, or raise `turn.total`",
                fix=Fix(at.origin.span, show_ns(other.number)),
            )

    # ---- modes and policies

    def _mode(self, mode: FilledMode) -> spec.ModeSpec:
        overrides = tuple(
            spec.OverrideSpec(
                span=value.origin.span,
                origins={"value": value.origin},
                node=node,
                field=field,
                value=self._checked(self._kinds[node], field, value),
            )
            for node, field, value in mode.overrides
        )
        return spec.ModeSpec(span=mode.bound.span, id=mode.bound.id, off=mode.bound.off, overrides=overrides)

    @property
    def _kinds(self) -> Mapping[str, str]:
        return {node.bound.id: node.bound.kind for node in self._filled.nodes}

    def _checked(self, kind: str, field: str, value: Valued) -> spec.SettingValue:
        setting = node_table(kind).by_field[field]
        self._ranges.exists(value)
        checked: spec.SettingValue = self._ranges.clamp(setting, value)
        return checked

    def _policy(self, policy: FilledPolicy) -> spec.PolicySpec:
        bound = policy.bound
        providers = ProviderSpecs((*self._filled.nodes, *policy.nodes), self._ranges, self._ctx)
        recording = None
        if policy.recording is not None and bound.record is not None:
            recording = self._recording(policy.recording, bound.record.span)
        return spec.PolicySpec(
            span=bound.span,
            id=bound.id,
            condition=bound.condition,
            nodes=tuple(self._nodes.node(node) for node in policy.nodes),
            inserts=tuple(_insert(insert) for insert in bound.inserts),
            edges=tuple(self._edges.edge(edge) for edge in policy.edges),
            providers=tuple(providers.provider(provider) for provider in policy.providers),
            recording=recording,
        )

    def _recording(self, fields: Fields, span: Span) -> spec.RecordingSpec:
        numbers = self._ranges.clamped(fields, RECORD)
        return spec.RecordingSpec(span=span, origins=origins(fields), **numbers)


def _insert(insert: BoundInsert) -> spec.InsertSpec:
    target = insert.target
    return spec.InsertSpec(span=insert.span, node=insert.node.id, target=target.node.id, target_port=target.port.name)
