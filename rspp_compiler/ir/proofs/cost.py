"""What a turn, and a minute, can cost at most; every sum with its terms, in whole micro-dollars, rounded up."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.ir.origin import Origin


@dataclass(frozen=True, slots=True)
class CostTerm:
    """`times` attempts of `candidate`, each of at most `amount` of what is charged, at `price_microusd`.

    `unit` is call, minute, kchar, ktoken_in or ktoken_out; `amount` counts calls, nanoseconds, characters or tokens.
    `limit` says what bounds it: `cap.tokens_out`, `max_tokens`, `turn.total`.
    """

    candidate: str
    unit: str
    times: int
    amount: int
    price_microusd: int
    total_microusd: int
    limit: str
    limit_origin: Origin
    origin: Origin


@dataclass(frozen=True, slots=True)
class BlockCost:
    """What a provider block can cost in a turn. `runs` is how often its nodes can be set going, `calls` how often they
    can call; None where nothing bounds that.

    `unbounded` are the units that are charged without a bound, each as `candidate: unit`; then `total_microusd` is
    None. A `cap.cost` bounds the sum whatever its terms are: `is_capped` says that it does.
    """

    block: str
    nodes: tuple[str, ...]
    runs: int | None
    calls: int | None
    attempts: int
    terms: tuple[CostTerm, ...]
    unbounded: tuple[str, ...]
    is_capped: bool
    total_microusd: int | None


@dataclass(frozen=True, slots=True)
class Cost:
    """The dearest mode's turn: `mode` names it ("" for the full pipeline). None where nothing bounds a figure.

    A minute costs what listening costs in it, and as many turns as can be begun by speaking: `turns_a_minute`.
    `priceless` are candidates outside of the process whose price nobody gave: the figures do not count them.
    """

    mode: str
    blocks: tuple[BlockCost, ...]
    turn_microusd: int | None
    turns_a_minute: int | None
    minute_microusd: int | None
    budget_microusd: int
    priceless: tuple[str, ...]
