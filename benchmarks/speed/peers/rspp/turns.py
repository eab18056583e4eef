"""A turn of the voice assistant: opening it, transcript to first audio, and an interruption of the answer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from rspp_runtime.abi.codes import Control, Op, Signal
from rspp_runtime.session.host import Options
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, now_ns, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Model, Open, Party, Voice
from speed.peers.rspp.packages import MS_NS, Machine

PACKAGE = "voice_assistant"


def turn_open(command: dict[str, Any]) -> dict[str, Any]:
    """From `ingest` of what the user typed until `drain` has given `turn_open` and the first call, by hand."""
    machine = Machine(PACKAGE)
    session = machine.session
    latencies_ns = []
    for trial in range(command["trials"] + 1):
        said, now = machine.text(b"what is the weather"), machine.now_ns
        began_ns = now_ns()
        session.ingest(said, now)
        session.advance(now)
        outputs = session.drain()
        took_ns = now_ns() - began_ns
        if not any(output.op == Op.DECISION and output.code == Signal.TURN_OPEN for output in outputs):
            raise RuntimeError("no turn has opened")
        if trial:  # the first one warms up
            latencies_ns.append(took_ns)
        machine.offer(machine.control(Control.CANCEL_TURN))
        for _ in range(3):
            machine.step(100 * MS_NS)
    machine.close()
    return {"latency_ns": latencies_ns}


def turn(command: dict[str, Any]) -> dict[str, Any]:
    """`first_ns`: from the recogniser's final text to the first audio at the transport; `interruption_ns`: from speech
    into the answer until the transport is told to forget. `config` is default (with a log at level L0) or lean.
    """
    conversation = Conversation(command["trials"])
    party = Party(conversation.script)
    party.on_send, party.on_flush = conversation.on_send, conversation.on_flush
    with tempfile.TemporaryDirectory() as folder:
        options = Options(log=Path(folder) / "turns.log")
        run_loop(
            converse_with(PACKAGE, conversation.providers, party, command["config"], options),
            command.get("loop", "asyncio"),
        )
    return {"first_ns": conversation.first_ns, "interruption_ns": conversation.interruption_ns}


class Conversation:
    """The party's side: `trials` answers that are heard, then as many that are interrupted; one more of each before."""

    def __init__(self, trials: int) -> None:
        self.first_ns: list[int] = []
        self.interruption_ns: list[int] = []
        self._trials = trials
        self._ears, self._stt, self._voice = Open("vad"), Open("stt"), Voice()
        self.providers = {"ears": self._ears, "stt": self._stt, "llm": Model(), "voice": self._voice}
        self._sounding, self._flushed = asyncio.Event(), asyncio.Event()
        self._sounded_ns = self._flushed_ns = 0

    def on_send(self, port: str, _: int) -> None:
        if port == "audio" and not self._sounding.is_set():
            self._sounded_ns = now_ns()
            self._sounding.set()

    def on_flush(self) -> None:
        self._flushed_ns = now_ns()
        self._flushed.set()

    async def script(self, ears: Ears) -> None:
        await ears.media("audio", FRAME, 0)
        await self._ears.ready.wait()
        for trial in range(self._trials + 1):
            await self._speech_begins()
            took_ns = await self._asks()
            if trial:
                self.first_ns.append(took_ns)
            while ears.activity.busy:
                await asyncio.sleep(0.005)
        self._voice.frames = 40
        await self._speech_begins()
        for trial in range(self._trials + 1):
            await self._asks()
            await asyncio.sleep(0.02)
            self._flushed.clear()
            began_ns = now_ns()
            await self._speech_begins()
            await self._flushed.wait()
            if trial:
                self.interruption_ns.append(self._flushed_ns - began_ns)

    async def _speech_begins(self) -> None:
        assert self._ears.call is not None
        self._stt.ready.clear()
        await self._ears.call.emit("speech_start")
        await self._ears.call.emit("speech", FRAME)

    async def _asks(self) -> int:
        """The utterance ends; returns ns from its text to the first audio of the answer."""
        assert self._ears.call is not None
        await self._stt.ready.wait()
        await asyncio.sleep(0.01)
        assert self._stt.call is not None
        self._sounding.clear()
        began_ns = now_ns()
        await self._stt.call.emit("final", b"what is the weather", final=True)
        await self._ears.call.emit("speech_end")
        await self._sounding.wait()
        return self._sounded_ns - began_ns
