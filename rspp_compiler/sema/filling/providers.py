"""Provider blocks and pools: candidates, deadlines, retries, circuits, caps, prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundProvider, BoundUse, FilledNode, FilledProvider, FilledUse, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec_offers import waits_ns
from rspp_compiler.sema.language.catalog import Engine, Table
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.language.kinds import PROVIDER_KINDS
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import (
    ACCEPT,
    CAP,
    CIRCUIT,
    FROM_ONSET,
    PRICE,
    PROVIDER,
    RETRY,
    TIMEOUTS,
    use_table,
)
from rspp_compiler.sema.language.units import show_ns
from rspp_compiler.sema.reading.fields import guessed, latest, read_block, read_fields, read_one, unknown_key

Values = dict[str, Valued]
InMode = tuple[str, FilledNode]  # a pool, and a node that it performs in some mode
_MS = 1_000_000
_SENSITIVE = ("PII", "PHI")


@dataclass(slots=True)
class Block:
    """What one provider block says, read and not yet completed."""

    bound: BoundProvider
    timeouts: Values = field(default_factory=dict)
    retry: Values | None = None
    circuit: Values | None = None
    cap: Values | None = None
    accept: Valued | None = None
    price: Values | None = None


class Blocks:
    """The provider blocks of a pipeline. `kinds` are the kinds that they perform, by the blocks' ids."""

    def __init__(self, providers: Iterable[BoundProvider], profile: ProfileTable, ctx: Context) -> None:
        self._profile = profile
        self._ctx = ctx
        self._blocks = {bound.id: self._read(bound) for bound in providers}
        self._default_ids: set[str] = set()
        self.kinds = {id: block.bound.kind for id, block in self._blocks.items()}
        self._scripts: Values = {}

    def of_kind(self, kind: str) -> Valued:
        """The block for nodes of that kind which name no pool; the profile has an engine where there is none."""
        block = self._blocks.get(kind)
        if block is None:
            default = self._profile.get(f"providers.{kind}")
            span = default.origin.span
            bound = BoundProvider(kind, kind, (BoundUse(default.text, None, (), span),), (), span)
            block = self._blocks[kind] = Block(bound)
            self.kinds.setdefault(kind, kind)
            self._default_ids.add(kind)
        origin = Origin.profile if kind in self._default_ids else Origin.user
        return Valued(kind, origin(block.bound.span))

    def chunk(self, id: str) -> Valued:
        """The deadline between chunks that a block has."""
        block = self._blocks.get(id)
        return (block.timeouts.get("chunk_ns") if block else None) or self._profile.get("provider.chunk")

    # ---- reading

    def _read(self, bound: BoundProvider) -> Block:
        block = Block(bound)
        for key, written in latest(bound.settings).items():
            match key:
                case "timeout":
                    block.timeouts = read_block(written, TIMEOUTS, self._ctx)
                case "retry":
                    block.retry = read_block(written, RETRY, self._ctx)
                case "circuit":
                    block.circuit = read_block(written, CIRCUIT, self._ctx)
                case "cap":
                    block.cap = read_block(written, CAP, self._ctx)
                case "price":
                    block.price = read_block(written, PRICE, self._ctx)
                case "accept":
                    block.accept = read_one(ACCEPT, written, self._ctx)
                case _:
                    unknown_key(written, PROVIDER.of, PROVIDER.names, self._ctx)
        return block

    # ---- completing

    def fill(self, nodes: Iterable[FilledNode], in_modes: Iterable[InMode]) -> tuple[FilledProvider, ...]:
        """The blocks that nodes use, in some mode or always, ordered by kind and id.

        Blocks that nothing uses are read, so that their mistakes are found, and left out.
        """
        using = _by_provider(nodes, in_modes)
        filled = [
            self._complete(block, using.get(id, []))
            for id, block in sorted(self._blocks.items(), key=lambda item: item[1].bound.kind != "llm")
        ]
        return _in_order(provider for provider in filled if provider.bound.id in using)

    def fill_policy(
        self, providers: Iterable[BoundProvider], nodes: Iterable[FilledNode], in_modes: Iterable[InMode]
    ) -> tuple[FilledProvider, ...]:
        """Blocks of a policy; `nodes` are all that there are under it."""
        using = _by_provider(nodes, in_modes)
        return _in_order(self._complete(self._read(bound), using.get(bound.id, [])) for bound in providers)

    def _complete(self, block: Block, using: list[FilledNode]) -> FilledProvider:
        bound = block.bound
        uses = bound.uses
        if not uses:  # what its `use` lines named was reported
            default = self._profile.get(f"providers.{bound.kind}")
            uses = (BoundUse(default.text, None, (), default.origin.span),)
        retry = self._retry(block.retry)
        fields = {"chunk_ns": self._profile.get("provider.chunk"), **block.timeouts}
        if "first_chunk_ns" not in fields:
            fields["first_chunk_ns"] = self._first_chunk(block, retry, len(uses), using)
        circuit = None
        if block.circuit is not None:
            circuit = _completed(block.circuit, CIRCUIT, self._profile.section("circuit"))
        return FilledProvider(
            bound=bound,
            uses=tuple(self._use(bound.kind, use, block) for use in uses),
            fields=fields,
            retry=retry,
            circuit=circuit,
            cap=block.cap,
        )

    def _retry(self, written: Values | None) -> Values:
        retry = _completed(written or {}, RETRY, self._profile.section("retry"))
        if not retry["times"].number and "backoff_ns" not in (written or {}):
            retry["backoff_ns"] = Valued(0, Origin.derived(retry["times"].origin.span, "nothing is tried again"))
        return retry

    def _first_chunk(self, block: Block, retry: Values, candidates: int, using: list[FilledNode]) -> Valued:
        """Where it is not written: each attempt gets an equal part of the budget, less what backing off takes."""
        first = self._profile.get("provider.first_chunk")
        if block.cap and "turn_ns" in block.cap and block.cap["turn_ns"].number < first.number:
            cap = block.cap["turn_ns"]
            first = Valued(
                cap.number, Origin.derived(cap.origin.span, f"never more than the cap, {show_ns(cap.number)}")
            )
        if block.bound.kind in FROM_ONSET or not using:
            return first
        tightest = min(using, key=lambda node: node.fields["first_output_ns"].number)
        budget = tightest.fields["first_output_ns"]
        attempts = candidates * (1 + retry["times"].number)
        waits = candidates * waits_ns(retry["times"].number, retry["backoff_ns"].number)
        part = max(_MS, (budget.number - waits) // attempts // _MS * _MS)
        if part >= first.number:
            return first
        reason = f"the budget of `{tightest.bound.id}`, {show_ns(budget.number)}"
        if waits:
            reason += f", less {show_ns(waits)} of backing off"
        reason = f"{reason}, for {attempts} attempts" if attempts > 1 else f"never more than {reason}"
        return Valued(part, Origin.derived(budget.origin.span, reason))

    def _use(self, kind: str, use: BoundUse, block: Block) -> FilledUse:
        of = engine(kind, use.name)
        assert of is not None  # resolve found it
        settings = latest(use.settings)
        price_block = settings.get("price")
        price = read_block(price_block, PRICE, self._ctx) if price_block else block.price
        fields = read_fields(settings.values(), _table(of, settings.values()), self._ctx)
        accept = fields.pop("accept", None) or block.accept or self._accepts(of, use)
        if kind == "llm" and "script" in fields:
            self._scripts.setdefault("script", fields["script"])
        if use.name == "pocketsphinx" and "script" not in fields and "script" in self._scripts:
            # The recogniser's language model is made from the sentences that the dialogue knows.
            script = self._scripts["script"]
            fields["script"] = Valued(script.value, Origin.derived(script.origin.span, "the dialogue of provider llm"))
        return FilledUse(use, fields, accept, price)

    def _accepts(self, of: Engine, use: BoundUse) -> Valued:
        if of.local:
            return Valued(_SENSITIVE, Origin.derived(use.span, f"`{of.name}` keeps data inside the process"))
        return Valued((), Origin.derived(use.span, "nothing is accepted that is not declared"))


def _table(of: Engine, written: Iterable[ast.Setting]) -> Table:
    table = use_table(of)
    if not of.any_settings:
        return table
    own = guessed([one for one in written if one.key.text not in table.names], table.of)
    return Table(table.of, (*table.settings, *own.settings), table.blocks)


def _completed(written: Values, table: Table, defaults: Mapping[str, Valued]) -> Values:
    """Fields of a block, with what it leaves out from the profile."""
    return {one.field: written.get(one.field) or defaults[name] for name, one in table.by_name.items()}


def _by_provider(nodes: Iterable[FilledNode], in_modes: Iterable[InMode]) -> dict[str, list[FilledNode]]:
    using: dict[str, list[FilledNode]] = {}
    always = [(node.fields["provider"].text, node) for node in nodes if "provider" in node.fields]
    for id, node in (*always, *in_modes):
        using.setdefault(id, []).append(node)
    return using


def _in_order(providers: Iterable[FilledProvider]) -> tuple[FilledProvider, ...]:
    """By kind, as the catalogue has them; the kind's own block before its pools."""
    kinds = {kind: place for place, kind in enumerate(PROVIDER_KINDS)}
    order = sorted(providers, key=lambda one: (kinds[one.bound.kind], one.bound.id != one.bound.kind, one.bound.id))
    return tuple(order)
