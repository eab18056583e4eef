"""What a session of the voice assistant holds: its arena, whose size the compiler knows, and what is there beside it.

Each is the slope of resident memory over so many sessions, with every page touched that the process has asked for: an
arena of which nobody has used the last page yet would hide what it costs. Sessions share what they share in a server:
the package, and providers that were prepared once.

    bare        `open_session` with its handlers: the kernel, nobody who drives it
    connected   driver, gateway, transport, evidence in memory, as `rspp run` has them; the party is there
    listening   the same after a frame of its audio: the detector's call is open
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import re
from pathlib import Path
from typing import Any

from rspp_runtime.providers.contract import Invocation, Provider
from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.handlers import Calls, make_handlers
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, resident_bytes, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Model, Open, Party, Voice
from speed.peers.rspp.fakes import Provider as Fake
from speed.peers.rspp.packages import package

WARM_UP = 50  # sessions that are there before anything is measured
_OWN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(?:\[heap\])?$")  # a mapping of no file
_POPULATE_WRITE = 23  # madvise: as if each page were written, with what it has (Linux 5.14)


def memory(command: dict[str, Any]) -> dict[str, Any]:
    """Of sessions of that `kind`: `arena_bytes` as it was computed, `beside_bytes` that each holds beside it, and
    `idle_bytes`, all that it holds before pages are touched. Raises OSError where they cannot be touched. Needs a new
    process: memory that was freed before would count for nothing."""
    count, kind = command["sessions"], command["kind"]
    touched, idle = _bare(count) if kind == "bare" else run_loop(_driven(count, listening=kind == "listening"))
    arena_bytes = _open().stats()["memory_bytes"]
    return {"arena_bytes": arena_bytes, "beside_bytes": touched - arena_bytes, "idle_bytes": idle}


def touched_bytes() -> int:
    """Resident memory of this process with every page touched. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines():
        if (found := _OWN.match(line)) is not None:
            begin, end = (int(text, 16) for text in found.groups())
            if libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _POPULATE_WRITE):
                raise OSError(ctypes.get_errno(), "pages cannot be touched: that needs Linux 5.14")
    return resident_bytes()


def _open() -> Any:
    made = package("voice_assistant")
    return made.open_session("bench", 1, make_handlers(made.plan, made.handlers, MonotonicClock(), Calls()))


def _bare(count: int) -> tuple[float, float]:
    held = [_open() for _ in range(WARM_UP)]
    gc.collect()
    before = touched_bytes()
    held += [_open() for _ in range(count)]
    gc.collect()
    idle, after = resident_bytes(), touched_bytes()
    return (after - before) / count, (idle - before) / count


async def _driven(count: int, *, listening: bool) -> tuple[float, float]:
    over = asyncio.Event()
    there = asyncio.Semaphore(0)
    providers: dict[str, Provider] = {
        "ears": _Detector(there), "stt": Open("stt"), "llm": Model(), "voice": Voice(),
    }  # fmt: skip

    async def script(ears: Ears) -> None:
        if listening:
            await ears.media("audio", FRAME, 0)
        else:
            there.release()
        await over.wait()

    running: list[asyncio.Task[None]] = []

    async def grow(more: int) -> None:
        for _ in range(more):
            running.append(asyncio.create_task(converse_with("voice_assistant", providers, Party(script))))
            await asyncio.wait_for(there.acquire(), 10)
        gc.collect()

    await grow(WARM_UP)
    before = touched_bytes()
    await grow(count)
    idle, after = resident_bytes(), touched_bytes()
    over.set()
    await asyncio.gather(*running)
    return (after - before) / count, (idle - before) / count


class _Detector(Fake):
    """Hears, and says nothing."""

    def __init__(self, there: asyncio.Semaphore) -> None:
        super().__init__("vad")
        self._there = there

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            self._there.release()
