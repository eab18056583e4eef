"""How patient the audio edge is with a transport."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JitterProfile:
    """`ordered`: packets come in order or not at all, so that a frame never waits. Otherwise a buffer waits for what is
    late, as long as jitter was lately, and never longer than `delay_ms_max`."""

    name: str
    ordered: bool
    delay_ms_max: int  # that a packet waits for those before it
    conceal_ms_max: int  # of one hole that is filled with what may have been said; beyond, media time jumps
    ahead_ms_max: int  # more audio than time has passed: a burst; what is beyond it is dropped


STREAM = JitterProfile("stream", ordered=True, delay_ms_max=0, conceal_ms_max=200, ahead_ms_max=1_000)
"""WebSocket, TCP: nothing is lost on the way, though much may come at once."""

LOSSY = JitterProfile("lossy", ordered=False, delay_ms_max=120, conceal_ms_max=200, ahead_ms_max=400)
"""Datagrams: late, twice, in any order, or never."""
