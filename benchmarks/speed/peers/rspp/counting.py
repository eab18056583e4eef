"""What Python allocates for an item, counted exactly (`speed/floor/allocations.pyx`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from speed.clocks import FRAME
from speed.peers.rspp.packages import MS_NS, Machine

sys.path.insert(0, str(Path(os.environ["RSPP_BENCH"]) / "floor"))

WARM_UP = 100


def allocations(command: dict[str, Any]) -> dict[str, Any]:
    """For each frame from a voice to the loudspeaker, a native path: allocations in `advance`, and in `ingest` and
    `drain`, whose events are Python's on both sides.
    """
    import allocations as counter

    machine = Machine("backlog")
    machine.open_turn()
    machine.offer(machine.chunk("llm", "delta", b"Once upon a time.", a=17, b=4))
    machine.step()
    frame, session = machine.chunk("voice", "audio", FRAME), machine.session
    counted = [0, 0, 0]
    for number in range(WARM_UP + command["count"]):
        machine.now_ns += 20 * MS_NS
        if number == WARM_UP:
            counted = [0, 0, 0]
        for place, (call, *given) in enumerate(
            ((session.ingest, frame, machine.now_ns), (session.advance, machine.now_ns), (session.drain,))
        ):
            seen, _ = counter.during(call, *given)
            counted[place] += seen
    machine.close()
    ingest, advance, drain = (each / command["count"] for each in counted)
    return {"ingest": ingest, "advance": advance, "drain": drain}
