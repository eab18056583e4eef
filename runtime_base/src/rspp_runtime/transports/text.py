"""A conversation typed: each line is one utterance, given when the turn before it is over."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_runtime.abi.codes import Control, Result
from rspp_runtime.session.clock import MS_NS, SECOND_NS, sleep_until
from rspp_runtime.transports.contract import Ears
from rspp_runtime.transports.recording import Loudspeaker, Recording

POLL_NS = 20 * MS_NS
QUIET_NS = 200 * MS_NS
TURN_NS_MAX = 180 * SECOND_NS


class TextTransport(Loudspeaker):
    """See the module. `recording` takes what is played."""

    def __init__(self, lines: Sequence[str], recording: Recording | None = None) -> None:
        super().__init__(recording)
        self.refused: list[str] = []  # lines that the session did not take
        self._lines = lines

    async def run(self, ears: Ears) -> None:
        await ears.control(Control.CONNECTED)
        await self._until_quiet(ears)
        for line in self._lines:
            if ears.activity.ended:
                break
            if await ears.media("text", line.encode(), ears.clock.now_ns()) != Result.ACCEPTED:
                self.refused.append(line)
                continue
            await self._until_quiet(ears)
        await ears.control(Control.ENDED)

    async def _until_quiet(self, ears: Ears) -> None:
        limit_ns = ears.clock.now_ns() + TURN_NS_MAX
        while not ears.activity.ended and (now_ns := ears.clock.now_ns()) < limit_ns:
            await sleep_until(ears.clock, now_ns + POLL_NS)
            now_ns = ears.clock.now_ns()
            self.heard_until(now_ns)
            if ears.activity.quiet_ns(now_ns) >= QUIET_NS:
                break
