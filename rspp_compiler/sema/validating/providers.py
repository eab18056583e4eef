"""Provider blocks and tools of the specification."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import setting_in
from rspp_compiler.diagnostics.statements import braces
from rspp_compiler.ir import spec
from rspp_compiler.ir.bound import Fields, FilledNode, FilledProvider, FilledTool, FilledUse
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Table
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.language.tables import (
    CAP,
    CIRCUIT,
    FROM_ONSET,
    PRICE,
    RETRY,
    TIMEOUTS,
    TOOL,
    TRANSFER,
    use_table,
)
from rspp_compiler.sema.language.units import show_ns
from rspp_compiler.sema.reading.ranges import Ranges, origins, values


class ProviderSpecs:
    """Makes the specs of provider blocks. `nodes` are those whose budgets bound them."""

    def __init__(self, nodes: Iterable[FilledNode], ranges: Ranges, ctx: Context) -> None:
        self._ranges = ranges
        self._ctx = ctx
        self._using: defaultdict[str, list[FilledNode]] = defaultdict(list)
        for node in nodes:
            if "provider" in node.fields:
                self._using[node.fields["provider"].text].append(node)

    def provider(self, provider: FilledProvider) -> spec.ProviderSpec:
        bound = provider.bound
        self._within_budgets(provider)
        deadlines = {field: max(1, of) for field, of in self._ranges.clamped(provider.fields, TIMEOUTS).items()}
        retry = spec.RetrySpec(
            span=bound.span, origins=origins(provider.retry), **self._ranges.clamped(provider.retry, RETRY)
        )
        circuit = cap = None
        if provider.circuit is not None:
            numbers = self._ranges.clamped(provider.circuit, CIRCUIT)
            circuit = spec.CircuitSpec(span=bound.span, origins=origins(provider.circuit), **numbers)
        if provider.cap is not None:
            numbers = self._ranges.clamped(provider.cap, CAP)
            cap = spec.CapSpec(span=bound.span, origins=origins(provider.cap), **numbers)
        return spec.ProviderSpec(
            span=bound.span,
            origins=origins(provider.fields),
            id=bound.id,
            kind=bound.kind,
            candidates=tuple(self._candidate(bound.kind, use) for use in provider.uses),
            retry=retry,
            circuit=circuit,
            cap=cap,
            **deadlines,
        )

    def _candidate(self, kind: str, use: FilledUse) -> spec.CandidateSpec:
        of = engine(kind, use.bound.name)
        assert of is not None  # resolve found it
        fields = self._ranges.checked(use.fields, use_table(of))
        return spec.CandidateSpec.model_validate(
            {
                "span": use.bound.span,
                "origins": {**origins(fields, "settings."), "accept": use.accept.origin},
                "name": use.bound.name,
                "guard": use.bound.guard,
                "settings": values(fields),
                "accept": use.accept.value,
                "price": self._price(use, use.price) if use.price is not None else None,
            }
        )

    def _price(self, use: FilledUse, fields: Fields) -> spec.PriceSpec:
        return spec.PriceSpec(span=use.bound.span, origins=origins(fields), **self._ranges.clamped(fields, PRICE))

    def _within_budgets(self, provider: FilledProvider) -> None:
        """E0311: a first chunk that may come later than the node's budget allows; as written only."""
        first = provider.fields["first_chunk_ns"]
        if first.origin.kind != "user" or provider.bound.kind in FROM_ONSET:
            return
        for node in self._using[provider.bound.id]:
            budget = node.fields["first_output_ns"]
            if first.number > budget.number:
                meant = show_ns(budget.number)
                self._ctx.sink.add(
                    "E0311",
                    f"`first_chunk = {show_ns(first.number)}` is more than the budget of `{node.bound.id}`",
                    first.origin.span,
                    secondary=[(budget.origin.span, f"the budget is {meant}")],
                    help=f"write at most `first_chunk = {meant}`",
                    fix=Fix(first.origin.span, meant),
                )
                return


def tool_spec(tool: FilledTool, ranges: Ranges, ctx: Context) -> spec.ToolSpec:
    """One tool. A transfer is given its target by `to`."""
    bound = tool.bound
    table: Table = TRANSFER if bound.kind == "transfer" else TOOL
    fields = dict(tool.fields)
    target = fields.pop("to", None)
    if bound.kind == "transfer" and target is None and not any(one.key.text == "to" for one in bound.settings):
        source = ctx.source(bound.span)
        fix = setting_in(source, bound.span, braces(source, bound.span), 'to = "sip:desk@example.com"')
        message, help = f"`{bound.id}` needs `to`: whom to hand over to", 'write `to = "sip:desk@example.com"`'
        ctx.sink.add("E0310", message, bound.span, help=help, fix=fix)
    return spec.ToolSpec.model_validate(
        {
            "span": bound.span,
            "origins": origins(fields) | ({"implementation": target.origin} if target else {}),
            "id": bound.id,
            "kind": bound.kind,
            "implementation": target.text if target else bound.implementation,
            "params": [
                spec.ParamSpec.model_validate({"span": span, "name": name, "type": type})
                for name, type, span in bound.params
            ],
            **ranges.clamped(fields, table),
        }
    )
