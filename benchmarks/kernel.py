"""The compiled kernel beside its pure twin: the same turns, side by side in one run, as ratios.

    python benchmarks/kernel.py [--turns 40] [--rounds 7]

One turn is a user who speaks for a second and an answer of two: 50 frames in, 12 words, 100 frames out, all through
`ingest`, `advance` and `drain`, with the clock of a simulation. The two kernels take turns round by round, so that a
machine that slows down slows both; what counts is the ratio. Providers and transports are left out: this is the kernel
alone.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from rspp_runtime.abi import Control, In, Inbound, Op, Session

ROOT = Path(__file__).resolve().parents[1]
MS = 1_000_000
FRAME = bytes(640)
WORDS = [f" word{number}" for number in range(12)]


def load(name: str) -> ModuleType:
    """The committed package of that name, compiled beforehand by `rsppc build`."""
    sys.path.insert(0, str(ROOT / "generated" / name / "src"))
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

    def turn(self) -> None:
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
        for frame in range(100):
            self.chunk("voice", "audio", FRAME, a=frame, b=frame // 9)
            self.step(20 * MS)
        self.done("voice")
        self.step()
        self.step(2_000 * MS)


def measure(package: ModuleType, kernel: str, turns: int) -> float:
    """CPU seconds per turn."""
    caller = Caller(package, kernel)
    caller.turn()  # the first one warms up
    began = time.process_time()
    for _ in range(turns):
        caller.turn()
    spent = time.process_time() - began
    assert caller.session.stats()["turns"] == turns + 1
    caller.session.close()
    return spent / turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    package = load("voice_assistant")
    rounds = [
        (measure(package, "compiled", options.turns), measure(package, "pure", options.turns))
        for _ in range(options.rounds)
    ]
    compiled, pure = (statistics.median(times) for times in zip(*rounds, strict=True))
    ratios = sorted(slow / fast for fast, slow in rounds)
    print("a turn: 50 frames in, 12 words, 100 frames out")
    print(f"{options.rounds} interleaved rounds of {options.turns} turns")
    print(f"compiled   {compiled * 1e6:9.0f} µs CPU a turn, the benchmark's own Python included")
    print(f"pure       {pure * 1e6:9.0f} µs CPU a turn")
    print(f"ratio      {statistics.median(ratios):9.1f} median ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()
