"""A provider that does as its script says, for tests of what comes after a failure.

    acting = Acting("llm", [Act(outcome=Outcome.OVERLOAD), Act(says=(Says("delta", b"Good day."),))])

Each invocation plays the next act, and the last act is played again and again. An act can end in every outcome class.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rspp_runtime.providers.contract import Invocation, Outcome, ProviderError

POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Says:
    """One output: `after_s` the one before it, on the loop's clock. The rest as in `Invocation.emit`."""

    port: str
    payload: bytes = b""
    after_s: float = 0.0
    words: int = 0
    text_end: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """What one invocation does: takes input, says something, and ends.

    `takes` is how many items it waits for, None for all of its input. It ends with `outcome`, `after_s` its last
    output; with `hangs` it does not end until it is cancelled, and with `deaf` not even then.
    """

    takes: int | None = None
    says: Sequence[Says] = ()
    outcome: Outcome = Outcome.SUCCESS
    retryable: bool = False
    after_s: float = 0.0
    hangs: bool = False
    deaf: bool = False


class Acting:
    """Implements `contract.Provider`. `taken` has, for each invocation so far, the payloads that it took."""

    def __init__(self, modality: str, acts: Sequence[Act]) -> None:
        if not acts:
            raise ValueError("acts: at least one is needed; the last is played again and again")
        self.modality = modality
        self.taken: list[list[bytes]] = []
        self._acts = acts

    async def prepare(self) -> None: ...

    async def invoke(self, call: Invocation) -> None:
        act = self._acts[min(len(self.taken), len(self._acts) - 1)]
        taken: list[bytes] = []
        self.taken.append(taken)
        await self._take(call, act, taken)
        for one in act.says:
            await asyncio.sleep(one.after_s)
            await call.emit(one.port, one.payload, words=one.words, text_end=one.text_end, final=one.final)
        await asyncio.sleep(act.after_s)
        while act.deaf or (act.hangs and not call.cancelled):
            await asyncio.sleep(POLL_S)
        if act.outcome is not Outcome.SUCCESS:
            raise ProviderError(act.outcome, f"as act {len(self.taken)} says", retryable=act.retryable)

    async def _take(self, call: Invocation, act: Act, taken: list[bytes]) -> None:
        if act.takes == 0:
            return
        async for item in call.inputs():
            taken.append(item.payload)
            if len(taken) == act.takes:
                return

    async def close(self) -> None: ...
