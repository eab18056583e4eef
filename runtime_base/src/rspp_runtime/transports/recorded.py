"""A party that says again what a log recorded: its audio, text and control inputs, at their times."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_runtime.abi.codes import Control, In, Result
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Entry, Input
from rspp_runtime.session.clock import SECOND_NS, sleep_until
from rspp_runtime.transports.contract import Ears

OWN = frozenset({Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED})  # answers of the runtime itself
LINGER_NS = 180 * SECOND_NS  # for a log that ends before its party hung up


class RecordedParty:
    """See the module. What the session sends is dropped: its log and its observers have it."""

    def __init__(self, plan: Plan, entries: Sequence[Entry]) -> None:
        self._plan = plan
        self._inputs = [entry for entry in entries if isinstance(entry, Input) and entry.result != Result.FULL]

    async def run(self, ears: Ears) -> None:
        hung_up = False
        for entry in self._inputs:
            if entry.op == In.MEDIA:
                await sleep_until(ears.clock, entry.now_ns)
                ports = self._plan.nodes[entry.node].outputs
                await ears.media(ports[entry.port].name, entry.payload or b"", entry.media_ns)
            elif entry.op == In.CONTROL and entry.port not in OWN:
                await sleep_until(ears.clock, entry.now_ns)
                hung_up = hung_up or entry.port == Control.ENDED
                await ears.control(Control(entry.port), entry.a, entry.b)
            if ears.activity.ended:
                return
        if not hung_up:
            limit_ns = ears.clock.now_ns() + LINGER_NS
            while ears.activity.busy and ears.clock.now_ns() < limit_ns:
                await sleep_until(ears.clock, ears.clock.now_ns() + SECOND_NS // 50)
            await ears.control(Control.ENDED)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        pass

    def flush(self, turn: int, now_ns: int) -> None:
        pass

    async def close(self) -> None:
        pass
