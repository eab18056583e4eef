"""Somebody who only wants to talk: asks, and writes down when each frame of the answer came."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from rspp.client import talk

LEAD_MS = 200  # by which a frame comes before its moment, after those that come at once
LATE_MS = 0.0  # behind its moment, for a client that plays the first frame as it comes

BAD = ("abort", "reject", "defer")  # signals that this conversation should not bring


@dataclass
class Heard:
    """What came of one conversation."""

    turns: int = 0
    frames: int = 0
    late_ms_max: float = -1_000.0  # the latest frame: how far behind its moment; negative: before it
    words: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # what should not have happened


async def listen(url: str, seconds: float, question: str = "hello", here: asyncio.Event | None = None) -> Heard:
    """Asks again and again, for so long; `here` is set when it is connected."""
    heard = Heard()
    async with await talk(url) as conversation:
        until_s = time.monotonic() + seconds
        if here is not None:
            here.set()
        while time.monotonic() < until_s:
            await conversation.text(question)
            heard.turns += 1
            base_ms = pts_ms = first_ms = -1.0
            said = ""
            sequence = conversation.received
            async with asyncio.timeout(30):
                async for message in conversation:
                    if message.get("seq", 0):
                        if message["seq"] <= sequence:
                            heard.troubles.append(f"message {message['seq']} after {sequence}")
                        sequence = message["seq"]
                    if message["type"] == "audio":
                        now_ms = time.monotonic() * 1_000
                        if base_ms < 0:
                            base_ms, first_ms = now_ms - message["pts_ms"], message["pts_ms"]
                        if message["pts_ms"] <= pts_ms:
                            heard.troubles.append(f"audio of {message['pts_ms']} ms after {pts_ms} ms")
                        pts_ms = message["pts_ms"]
                        heard.frames += 1
                        if pts_ms >= first_ms + LEAD_MS:
                            heard.late_ms_max = max(heard.late_ms_max, now_ms - base_ms - pts_ms)
                    elif message["type"] == "text":
                        said += message["text"]
                    elif message["type"] in ("error", "goodbye", "flush") or message.get("signal") in BAD:
                        heard.troubles.append(str(message))
                    elif message["type"] == "signal" and message["signal"] == "close":
                        break
            heard.words.append(said)
        if conversation.resumed:
            heard.troubles.append(f"it had to come back {conversation.resumed} times")
    return heard
