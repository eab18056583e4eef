"""A transport whose client reports playback, under the driver: its reports are inputs, and decide."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from rspp_runtime.abi.codes import Basis, Control, Op, Result, Signal
from rspp_runtime.session.clock import sleep_until
from rspp_runtime.session.virtual import run

MS = 1_000_000
LATE_MS = 120


def test_a_transport_reports_what_its_client_has_played(scripted: ModuleType) -> None:
    answers: list[int] = []

    class Client(scripted.Party):  # type: ignore[misc, name-defined]
        """Plays each frame so much later than it was meant to, and says so when the frame has ended."""

        async def run(self, ears: Any) -> None:
            await ears.control(Control.CONNECTED, Basis.ACKED, 20 * MS)
            await scripted.hush(ears, 3)
            await scripted.talk(ears, 20)
            await scripted.hush(ears, 2)
            told = 0
            while not self.sent or told < len(self.sent):
                frames = [item for item in self.sent if item[1] == "audio"]
                due = [at for at, _, _ in frames if at + (20 + LATE_MS) * MS <= ears.clock.now_ns()]
                if due:
                    answers.append(await ears.control(Control.PLAYED, 1, due[-1] + 20 * MS))
                if frames and len(due) == len(frames):
                    break
                await sleep_until(ears.clock, ears.clock.now_ns() + 20 * MS)
            await scripted.quiet(ears)
            await ears.control(Control.ENDED)

    _, watch, _ = run(scripted.converse(Client(None)), virtual=True)
    sends = [o for o in watch.outputs if o.op == Op.SEND and o.port == 0]
    began, done = watch.signals(Signal.PLAYBACK_STARTED)[0], watch.signals(Signal.PLAYBACK_COMPLETED)[0]
    assert set(answers) == {Result.ACCEPTED}
    assert began.t_ns >= sends[0].x + LATE_MS * MS
    assert done.t_ns >= sends[-1].x + (20 + LATE_MS) * MS
    assert (done.x, done.port, done.invocation) == (6, Basis.ACKED, 0)
