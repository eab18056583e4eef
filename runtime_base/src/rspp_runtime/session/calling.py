"""The calls of tools that one invocation of a model makes: `call_tool` of `providers.contract.Invocation`.

call     CHUNK on the tool's port ──▶ kernel ──▶ the tool's own invocation (`tools/runner.py`)
answer   FEED on the port `answer` ◀── kernel ◀── its CHUNK, or the kernel's word that there is none
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rspp_runtime.abi.codes import Flag, In, Result
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.providers.contract import Cancelled, Outcome, ProviderError
from rspp_runtime.session.gateway import find_port
from rspp_runtime.tools.offer import Answer, Offer, canonical

if TYPE_CHECKING:
    from rspp_runtime.session.invocation import Call

_WHY = {
    Outcome.TIMEOUT: "took too long: it may have happened",
    Outcome.CANCELLED: "was cancelled: it may have happened",
    Outcome.OVERLOAD: "is overloaded: it was not called",
}


class Calling:
    """What an invocation has asked of its tools, by number."""

    def __init__(self, call: Call, offers: Mapping[str, Offer]) -> None:
        self._call = call
        self.offers = offers
        self._asked = 0
        self._refused = 0  # calls that the kernel never saw
        self._waiting: dict[int, tuple[str, asyncio.Future[Answer | None]]] = {}

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Raises `Cancelled`; `ProviderError` for a model that goes on calling what there is not."""
        payload, wrong = self._payload(name, arguments)
        if wrong:
            self._refused += 1
            if self._refused > self._call.row.calls_max:
                raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, wrong)
            await asyncio.sleep(0)
            return Answer(error=wrong)
        self._asked += 1
        number = self._asked
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = name, future
        try:
            if not await self._offer(name, number, payload):
                most = self._call.row.calls_max
                return Answer(error=f"no more calls in this turn: it may have {most}; answer with what is known")
            answer = await future
        finally:
            self._waiting.pop(number, None)
        if answer is None:
            raise Cancelled
        return answer

    def answered(self, number: int, flags: int, payload: bytes) -> None:
        """The kernel gives an answer."""
        name, future = self._waiting.get(number, ("", None))
        if future is not None and not future.done():
            future.set_result(_answer(name, flags, payload))

    def cancel(self) -> None:
        for _, future in self._waiting.values():
            if not future.done():
                future.set_result(None)

    def _payload(self, name: str, arguments: Mapping[str, Any]) -> tuple[bytes, str]:
        """The call on its way, or what is wrong with it before it is one."""
        if name not in self.offers:
            return b"", f"there is no tool {name!r}; there are: {', '.join(self.offers) or 'none'}"
        try:
            payload = canonical(dict(arguments)).encode()
        except (ValueError, TypeError) as error:
            return b"", f"the arguments of {name} are not JSON: {error}"
        row = self._call.row
        most = row.outputs[find_port(row.outputs, name)].item_bytes_max
        return payload, f"the arguments of {name} have {len(payload)} bytes: at most {most}" * (len(payload) > most)

    async def _offer(self, name: str, number: int, payload: bytes) -> bool:
        """False if it is one too many."""
        call, door = self._call, self._call.door
        event = Inbound(
            In.CHUNK, node=call.node_id, port=find_port(call.row.outputs, name), invocation=call.id,
            epoch=call.epoch, a=number, payload=payload,
        )  # fmt: skip
        while (result := door.offer(event)) != Result.ACCEPTED:
            if call.cancelled:
                raise Cancelled
            await door.stepped()
            if call.cancelled:
                raise Cancelled
            if result == Result.REFUSED:
                return False
        return True


def _answer(name: str, flags: int, payload: bytes) -> Answer:
    if flags & Flag.FAILED and not payload:
        why = _WHY.get(Outcome(flags >> 8), "failed")
        return Answer(error=f"{name} {why}")
    said = json.loads(payload)
    return Answer(said.get("result"), str(said.get("error", "")))
