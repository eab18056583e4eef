"""Who performs the nodes of a pipeline: provider blocks with their candidates, and the bounds set to them."""

from __future__ import annotations

from pydantic import Field

from rspp_compiler.ir.condition import Condition
from rspp_compiler.ir.spec_values import PayloadClass, SettingValue, SpecModel


class PriceSpec(SpecModel):
    """What a provider costs, in micro-dollars; 0 where it does not count that."""

    call_microusd: int = Field(default=0, ge=0)
    minute_microusd: int = Field(default=0, ge=0)
    kchar_microusd: int = Field(default=0, ge=0)
    ktoken_in_microusd: int = Field(default=0, ge=0)
    ktoken_out_microusd: int = Field(default=0, ge=0)


class CandidateSpec(SpecModel):
    """One `use` line of a provider block; it is skipped where `guard` does not hold when the plan freezes."""

    name: str
    guard: Condition | None = None
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    accept: tuple[PayloadClass, ...] = ()
    price: PriceSpec | None = None


class RetrySpec(SpecModel):
    """How often one candidate is tried again, and how long to wait before: twice as long each further time."""

    times: int = Field(ge=0)
    backoff_ns: int = Field(ge=0)


def waits_ns(times: int, backoff_ns: int) -> int:
    """How long one candidate is waited for in all, if it is tried again so many times."""
    return backoff_ns * ((1 << times) - 1)


class CircuitSpec(SpecModel):
    """After `errors` within `within_ns` a candidate is left alone for `open_ns`."""

    errors: int = Field(ge=1)
    within_ns: int = Field(ge=1)
    open_ns: int = Field(ge=1)


class CapSpec(SpecModel):
    """The most that may be used, of each turn unless the name says session; 0 where nothing is declared."""

    turn_ns: int = Field(default=0, ge=0)
    session_ns: int = Field(default=0, ge=0)
    tokens_in: int = Field(default=0, ge=0)
    tokens_out: int = Field(default=0, ge=0)
    chars: int = Field(default=0, ge=0)
    calls: int = Field(default=0, ge=0)
    cost_microusd: int = Field(default=0, ge=0)


class ProviderSpec(SpecModel):
    """Who performs the nodes of a kind, in order of preference. `id` is the kind, or the name of a pool.

    Three deadlines of each stream: `first_chunk_ns` of one attempt, `chunk_ns` between chunks, `speakable_ns` until the
    first text that can be spoken (0: none is declared).
    """

    id: str
    kind: str
    candidates: tuple[CandidateSpec, ...] = Field(min_length=1)
    first_chunk_ns: int = Field(ge=1)
    chunk_ns: int = Field(ge=1)
    speakable_ns: int = Field(default=0, ge=0)
    retry: RetrySpec
    circuit: CircuitSpec | None = None
    cap: CapSpec | None = None

    @property
    def attempts(self) -> int:
        """Attempts of one invocation at most: each candidate, tried again as often as `retry` says."""
        return len(self.candidates) * (1 + self.retry.times)
