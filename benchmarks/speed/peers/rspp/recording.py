"""What the log costs: the same conversation in virtual time without one, at L0, and at L2."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any

from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options
from rspp_runtime.session.virtual import run
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, Stopwatch
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Model, Open, Party, Voice, typed
from speed.peers.rspp.packages import MS_NS

PACKAGE = "voice_assistant"
FRAMES_IN = 50  # of the microphone, in a turn
FRAMES_SAID = 50  # for each of two sentences
ROUNDS = 3


def recording(command: dict[str, Any]) -> dict[str, Any]:
    """`l0_turn_ns`: processor time that a log at L0 adds to a turn; `l2_frame_ns`: what one at L2 adds to a frame,
    beside L0. `l0_frame_ns`: what L0 adds to a frame, if all that it adds were the frames'.
    """
    turns = command["turns"]
    spent: dict[str, list[float]] = {"": [], "L0": [], "L2": []}
    frames = 1
    for _ in range(ROUNDS):
        for level, times in spent.items():
            frames, cpu_ns = _conversation(turns, level)
            times.append(cpu_ns)
    none, l0, l2 = (statistics.median(times) for times in spent.values())
    return {
        "turn_ns": none / turns,
        "l0_turn_ns": (l0 - none) / turns,
        "l0_frame_ns": (l0 - none) / frames,
        "l2_frame_ns": (l2 - l0) / frames,
    }


def _conversation(turns: int, level: str) -> tuple[int, float]:
    """Frames that went in and out, and processor time; `level` is that of the log, "" for none."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(level=level, log=Path(folder) / "call.log") if level else Options()
        return run(_talk(turns, options), virtual=True)


async def _talk(turns: int, options: Options) -> tuple[int, float]:
    frames = 0
    watch = Stopwatch()

    def on_send(port: str, _: int) -> None:
        nonlocal frames
        frames += port == "audio"

    async def script(ears: Ears) -> None:
        nonlocal frames
        with watch:
            for _ in range(turns):
                for _ in range(FRAMES_IN):
                    await ears.media("audio", FRAME, ears.clock.now_ns())
                    await asyncio.sleep(0.02)
                frames += FRAMES_IN
                await typed(ears, b"what is the weather")
                while ears.activity.quiet_ns(ears.clock.now_ns()) < 20 * MS_NS:
                    await asyncio.sleep(0.02)

    party = Party(script)
    party.on_send = on_send
    providers = {"ears": Open("vad"), "stt": Open("stt"), "llm": Model(), "voice": Voice(FRAMES_SAID)}
    clock = VirtualClock(asyncio.get_running_loop())
    await converse_with(PACKAGE, providers, party, options=options, clock=clock)
    return frames, float(watch.cpu_ns)
