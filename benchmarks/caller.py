"""Plays the user and every provider of `voice_assistant` by hand, in simulated time: ingest, advance, drain.

Imports little, so that it can be run under an instrument that slows everything down fifty times.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from rspp_runtime.abi import Control, In, Inbound, Op, Session

ROOT = Path(__file__).resolve().parents[1]
MS = 1_000_000
FRAME = bytes(640)
WORDS = [f" word{number}" for number in range(12)]


def load(name: str, folder: Path = ROOT / "generated") -> ModuleType:
    """The package of that name in `folder`, compiled beforehand by `rsppc build`."""
    sys.path.insert(0, str(folder / name / "src"))
    return importlib.import_module(name)


class Caller:
    """Plays the user and every provider of `voice_assistant`, in simulated time."""

    def __init__(self, package: ModuleType, kernel: str) -> None:
        self.session: Session = package.open_session("bench", 1, (), kernel=kernel)
        self.nodes: dict[str, Any] = {node.name: node for node in package.PLAN.nodes}
        self.now = 0
        self.calls: dict[str, int] = {}
        self.sent = 0
        self.offer(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1))
        self.step()

    def offer(self, event: Inbound) -> None:
        assert self.session.ingest(event, self.now) == 0, event

    def chunk(self, node: str, port: str, payload: bytes = b"", a: int = 0, b: int = 0) -> None:
        plan = self.nodes[node]
        index = [output.name for output in plan.outputs].index(port)
        self.offer(Inbound(In.CHUNK, plan.id, index, self.calls[node], 1, a=a, b=b, payload=payload))

    def done(self, node: str) -> None:
        self.offer(Inbound(In.DONE, self.nodes[node].id, invocation=self.calls[node], epoch=1))

    def step(self, forward_ns: int = 0) -> None:
        """Let time pass, and answer what the kernel asks for."""
        self.now += forward_ns
        self.session.advance(self.now)
        for output in self.session.drain():
            if output.op == Op.INVOKE:
                self.calls[next(n for n, plan in self.nodes.items() if plan.id == output.node)] = output.invocation
            elif output.op == Op.FEED:
                self.offer(Inbound(In.CREDIT, output.node, invocation=output.invocation, epoch=1, a=1))
            elif output.op == Op.SEND:
                self.sent += 1
            elif output.op == Op.APPEND:
                self.offer(Inbound(In.CONTROL, port=Control.EVIDENCE_APPENDED, epoch=1, a=output.turn))
                self.step()

    def ask(self) -> None:
        """The user speaks for a second, and the model answers with twelve words."""
        for frame in range(50):
            self.offer(Inbound(In.MEDIA, self.nodes["ingress"].id, 0, epoch=1, media_ns=self.now, payload=FRAME))
            self.step(20 * MS)
            if frame == 0:
                self.chunk("ears", "speech_start")
            self.chunk("ears", "speech", FRAME)
        self.chunk("ears", "speech_end")
        self.step()
        self.chunk("stt", "final", b"what time is it", b=4)
        self.done("stt")
        self.step(1 * MS)
        for number, word in enumerate(WORDS):
            last = number == len(WORDS) - 1
            text = word.encode() + (b"." if last else b"")
            self.chunk("llm", "delta", text, a=len(text) if last else 0, b=1)
            self.step()
        self.done("llm")
        self.step(1 * MS)

    def say(self, frames: int) -> None:
        """So many frames of the voice, each 20 ms after the other."""
        for frame in range(frames):
            self.chunk("voice", "audio", FRAME, a=frame, b=frame // 9)
            self.step(20 * MS)

    def turn(self) -> None:
        """A second in, two seconds out, and what is heard of it."""
        self.ask()
        self.say(100)
        self.done("voice")
        self.step()
        self.step(2_000 * MS)
