"""validate: fields → `PipelineSpec`. Every value within its range, nothing missing, nothing contradictory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rspp_compiler.diagnostics import Sink
from rspp_compiler.ir import spec
from rspp_compiler.ir.bound import (
    BoundNode,
    Fields,
    Filled,
    FilledEdge,
    FilledNode,
    FilledPort,
    FilledProvider,
    FilledReaction,
    Overflow,
    Valued,
)
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.catalog import KINDS, Setting, engine
from rspp_compiler.sema.values import listed, show, show_ns
from rspp_compiler.source import Span

_NS_MAX = 24 * 3600 * 1_000_000_000
_ITEMS_MAX = 4096
_BYTES_MAX = 16_000_000


def validate(filled: Filled, ctx: Context) -> spec.PipelineSpec | None:
    """The specification; None when something of the structure had to be left out, so that nothing can be said of it."""
    return _Validator(filled, ctx.sink).pipeline()


class _Validator:
    def __init__(self, filled: Filled, sink: Sink) -> None:
        self._filled = filled
        self._sink = sink

    def pipeline(self) -> spec.PipelineSpec | None:
        filled, bound = self._filled, self._filled.bound
        nodes = tuple(self.node(node) for node in filled.nodes)
        edges = tuple(self.edge(edge) for edge in filled.edges)
        reactions = tuple(self.reaction(one, i + 1) for i, one in enumerate(filled.reactions))
        providers = tuple(self.provider(provider) for provider in filled.providers)
        for field, budget in filled.budget.items():
            if field.endswith("_ns"):
                self._range(Setting(field.removesuffix("_ns"), "duration", 1_000_000, _NS_MAX), budget)
        self._total_covers_turn()
        if not bound.is_intact:
            return None
        owner = self.turn_owner()
        version = Valued(bound.version.text if bound.version else "0.0.0", Origin.user(bound.name.span))
        return spec.PipelineSpec(
            span=bound.span,
            name=bound.name.text,
            version=str(version.value),
            profile=bound.profile,
            meta=_values(filled.meta),
            nodes=nodes,
            edges=edges,
            reactions=reactions,
            modes=tuple(spec.ModeSpec(span=mode.span, id=mode.id, off=mode.off) for mode in bound.modes),
            budget=spec.BudgetSpec(span=bound.span, origins=_origins(filled.budget), **_positive(filled.budget)),
            recording=spec.RecordingSpec.model_validate(
                {
                    "span": filled.recording.origin.span,
                    "origins": {"level": filled.recording.origin},
                    "level": filled.recording.value,
                }
            ),
            providers=providers,
            limits=spec.LimitsSpec(span=bound.span, origins=_origins(filled.limits), **_values(filled.limits)),
            turn_owner=owner,
        )

    # ---- nodes

    def node(self, node: FilledNode) -> spec.NodeSpec:
        bound, kind = node.bound, KINDS[node.bound.kind]
        settings = self._checked(node.settings, kind.settings, f"`{bound.id}`", bound.span)
        for setting in kind.settings:
            if setting.required and setting.field not in node.settings:
                self._missing(bound, setting)
        if "first_output_ns" in node.fields and "timeout_ns" not in node.settings:
            self._range(Setting(bound.id, "duration", 1_000_000, _NS_MAX), node.fields["first_output_ns"])
        timeout, budget = node.settings.get("timeout_ns"), node.fields.get("first_output_ns")
        if timeout and budget and timeout is not budget:
            message = f"`{bound.id}` has both a timeout and a budget"
            secondary = [(budget.origin.span, "the budget")]
            self._sink.add("E0311", message, timeout.origin.span, secondary=secondary, help="keep one of them")
        values = _positive(node.fields)
        return spec.NodeSpec(
            span=bound.span,
            origins={**_origins(node.fields), **_origins(settings, "settings.")},
            id=bound.id,
            kind=bound.kind,
            execution=bound.execution,
            scope=bound.scope,
            inputs=tuple(_port(port) for port in node.inputs),
            outputs=tuple(_port(port) for port in node.outputs),
            events=bound.events,
            settings=_values(settings),
            implementation=bound.implementation,
            provider=bound.kind if kind.has_provider else None,
            first_output_ns=values.get("first_output_ns", 0),
            chunk_ns=values.get("chunk_ns", 0),
            window_items=values.get("window_items", 0),
            emissions_max=values.get("emissions_max", 0),
            implicit=bound.implicit,
        )

    def _missing(self, node: BoundNode, setting: Setting) -> None:
        if any(written.key.text == setting.name for written in node.settings):
            return  # written, and reported as unreadable
        help = f"write `node {node.id} : {node.kind} {{ {setting.name} = … }}`"
        self._sink.add("E0310", f"`{node.id}` needs `{setting.name}`", node.span, help=help)

    def _checked(self, fields: Fields, table: Iterable[Setting], of: str, at: Span) -> dict[str, Valued]:
        by_field = {setting.field: setting for setting in table}
        kept: dict[str, Valued] = {}
        for field, value in fields.items():
            if field in by_field and self._range(by_field[field], value) and self._exists(value):
                kept[field] = value
        return kept

    def _range(self, setting: Setting, valued: Valued) -> bool:
        """Whether a number lies in its range."""
        value = valued.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        low, high = setting.min, setting.max
        if (low is None or value >= low) and (high is None or value <= high):
            return True
        bounds = f"{show(setting, low or 0)} to {show(setting, high)}" if high is not None else f"at least {low:g}"
        message = f"`{setting.name} = {show(setting, value)}` is out of range"
        self._sink.add("E0306", message, valued.origin.span, label=f"allowed: {bounds}")
        return False

    def _exists(self, valued: Valued) -> bool:
        """Files are looked for beside the pipeline; what they hold is read when the package is laid out."""
        if not isinstance(valued.value, spec.FileRef) or valued.origin.kind == "derived":
            return True
        written = valued.value.file
        folder = Path(self._filled.bound.span.file).parent
        if Path(written).is_absolute() or not (folder / written).is_file():
            help = "the path is relative to the folder of the pipeline's file"
            message = f"no file `{written}`" if not Path(written).is_absolute() else f"`{written}` is not relative"
            self._sink.add("E0309", message, valued.origin.span, help=help)
            return False
        return True

    # ---- edges and reactions

    def edge(self, edge: FilledEdge) -> spec.EdgeSpec:
        bound, fields = edge.bound, edge.fields
        for field, table in (
            ("buffer_items", Setting("buffer", "count", 1, _ITEMS_MAX)),
            ("buffer_ns", Setting("buffer", "duration", 0, _NS_MAX)),
            ("buffer_bytes", Setting("buffer", "bytes", 1, _BYTES_MAX)),
            ("latency_ns", Setting("latency", "duration", 1_000, 60_000_000_000)),
        ):
            if fields[field].origin.kind == "user":  # what follows from others is wrong only when they are
                self._range(table, fields[field])
        overflow = fields["overflow"]
        steps = [
            step for step in _steps(overflow) if self._range(_BLOCK, Valued(step.block_ns or 1_000, overflow.origin))
        ]
        values = {field: _bounded(field, valued) for field, valued in fields.items()}
        return spec.EdgeSpec(
            span=bound.span,
            origins=_origins(fields),
            id=bound.id,
            source=bound.source.node.id,
            source_port=bound.source.port.name,
            target=bound.target.node.id,
            target_port=bound.target.port.name,
            handoff=self._handoff(edge),
            **{
                **values,
                "overflow": tuple(
                    spec.OverflowStep.model_validate({"strategy": step.strategy, "block_ns": step.block_ns})
                    for step in steps or [Overflow("drop_oldest")]
                ),
            },
        )

    def _handoff(self, edge: FilledEdge) -> spec.HandoffSpec | None:
        if edge.handoff is None:
            return None
        bound = edge.bound
        age = edge.handoff["age_ns_max"]
        in_range = self._range(Setting("max_age", "duration", 1_000_000, 10_000_000_000), age)
        if bound.source.port.type != "text" or bound.target.port.type != "text":
            message = f"only text is handed off, not {bound.source.port.type}"
            self._sink.add("E0311", message, edge.handoff["by"].origin.span, help="remove `handoff`")
            return None
        return spec.HandoffSpec(
            span=age.origin.span if age.origin.kind == "user" else bound.span,
            origins=_origins(edge.handoff),
            by="sentence",
            age_ns_max=age.number if in_range else 1_000_000,
            bytes_max=edge.handoff["bytes_max"].number,
        )

    def reaction(self, reaction: FilledReaction, number: int) -> spec.ReactionSpec:
        bound = reaction.bound
        trigger = bound.trigger
        return spec.ReactionSpec.model_validate(
            {
                "span": bound.span,
                "id": f"on#{number}",
                "events": [
                    spec.EventSpec(span=event.span, subject=event.subject, event=event.event) for event in bound.events
                ],
                "verb": bound.verb,
                "object": bound.object,
                "trigger": trigger
                and spec.TriggerSpec(span=trigger.span, node=trigger.node.id, port=trigger.port.name),
                "path": [self.edge(edge) for edge in reaction.path],
            }
        )

    # ---- providers, budgets, the turn

    def provider(self, provider: FilledProvider) -> spec.ProviderSpec:
        first = provider.fields["first_chunk_ns"]
        self._range(Setting("first_chunk", "duration", 1_000_000, _NS_MAX), first)
        self._range(Setting("chunk", "duration", 1_000_000, _NS_MAX), provider.fields["chunk_ns"])
        for node in self._filled.nodes:
            budget = node.fields.get("first_output_ns")
            # A recogniser's first chunk is counted from the onset of speech, so its budget does not bound it.
            if node.bound.kind != provider.kind or provider.kind in ("stt", "vad") or not budget:
                continue
            if first.number > budget.number and first.origin.kind == "user":
                message = f"`first_chunk = {show_ns(first.number)}` is more than the budget of `{node.bound.id}`"
                where = f"the budget is {show_ns(budget.number)}"
                help = f"write at most `first_chunk = {show_ns(budget.number)}`"
                self._sink.add("E0311", message, first.origin.span, secondary=[(budget.origin.span, where)], help=help)
        candidates = []
        for use in provider.uses:
            of = engine(provider.kind, use.name)
            assert of is not None  # resolve found it
            if of.any_settings:
                fields = {field: value for field, value in use.fields.items() if self._exists(value)}
            else:
                fields = self._checked(use.fields, of.settings, f"`{use.name}`", use.span)
            origins = _origins(fields, "settings.")
            candidates.append(
                spec.CandidateSpec(span=use.span, origins=origins, name=use.name, settings=_values(fields))
            )
        return spec.ProviderSpec(
            span=provider.span,
            origins=_origins(provider.fields),
            kind=provider.kind,
            candidates=tuple(candidates),
            **_positive(provider.fields),
        )

    def _total_covers_turn(self) -> None:
        turn, total = self._filled.budget["turn_ns"], self._filled.budget["turn_total_ns"]
        if total.number < turn.number:
            message = f"the whole turn, {show_ns(total.number)}, ends before its first output may come"
            secondary = [(turn.origin.span, f"first output within {show_ns(turn.number)}")]
            self._sink.add("E0311", message, total.origin.span, secondary=secondary, help="raise `turn.total`")

    def turn_owner(self) -> spec.EventSpec | None:
        """The event that ends the utterance: the one a reaction names, or that of the only detector (CONTRACTS §5)."""
        bound = self._filled.bound
        owners = [event for one in bound.reactions if one.verb == "end_utterance" for event in one.events]
        for second in owners[1:]:
            message = "the end of the utterance has a second owner"
            secondary = [(owners[0].span, "the first owns it")]
            help = "keep one event that ends the utterance"
            self._sink.add("E0805", message, second.span, secondary=secondary, help=help)
        if owners:
            return spec.EventSpec(span=owners[0].span, subject=owners[0].subject, event=owners[0].event)
        detectors = [node for node in bound.nodes if KINDS[node.kind].ends_utterance]
        if len(detectors) > 1:
            first, *others = detectors
            event = KINDS[first.kind].ends_utterance
            message = f"{len(detectors)} detectors could end the utterance: {listed(node.id for node in detectors)}"
            secondary = [(node.span, "this one too") for node in others]
            help = f"choose one: `on {first.id}.{event} -> end utterance`"
            self._sink.add("E0801", message, first.span, secondary=secondary, help=help)
        if len(detectors) != 1:
            return None
        node = detectors[0]
        return spec.EventSpec(
            span=node.span,
            origins={"event": Origin.derived(node.span, f"`{node.id}` is the only detector")},
            subject=node.id,
            event=KINDS[node.kind].ends_utterance,
        )


_BLOCK = Setting("block", "duration", 1_000, 60_000_000_000)


def _port(port: FilledPort) -> spec.PortSpec:
    size = port.item_bytes_max
    return spec.PortSpec(
        span=port.bound.span,
        origins={"item_bytes_max": size.origin},
        name=port.bound.name,
        type=port.type,
        item_bytes_max=size.number,
        item_ns=port.item_ns,
        main=port.bound.main,
    )


def _values(fields: Mapping[str, Valued]) -> dict[str, Any]:
    return {field: valued.value for field, valued in fields.items()}


def _positive(fields: Mapping[str, Valued]) -> dict[str, Any]:
    """Values that were reported as out of range become the least legal ones, so that checking can go on."""
    return {field: max(1, valued.number) for field, valued in fields.items()}


def _origins(fields: Mapping[str, Valued], prefix: str = "") -> dict[str, Origin]:
    return {prefix + field: valued.origin for field, valued in fields.items()}


def _steps(valued: Valued) -> tuple[Overflow, ...]:
    return valued.value if isinstance(valued.value, tuple) else ()


def _bounded(field: str, valued: Valued) -> Any:
    """The same for an edge, some of whose fields may be nothing."""
    if field in ("buffer_items", "buffer_bytes", "latency_ns"):
        return max(1, valued.number)
    return max(0, valued.number) if field == "buffer_ns" else valued.value
