"""Tasks of a loop that wait for the same thing to happen once more.

    await waiters.wait()    until the next `tell`
    waiters.tell()          it has happened: whoever waits now goes on

An Event is a kilobyte from the start, and a session has several. This is an empty list until somebody waits.
"""

from __future__ import annotations

import asyncio


class Waiters(list["asyncio.Future[None]"]):
    """Those that wait now. Belongs to the loop's thread; a wait that was cancelled stays until the next `tell`."""

    __slots__ = ()

    async def wait(self) -> None:
        made = asyncio.get_running_loop().create_future()
        self.append(made)
        await made

    def tell(self) -> None:
        for one in self:
            if not one.done():
                one.set_result(None)
        self.clear()
