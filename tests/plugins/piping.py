"""Passing on what a connection brings: a test's stand-in for what leads clients to servers."""

from __future__ import annotations

import asyncio
import contextlib


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All of it, until it ends; then the other side is closed, too."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
