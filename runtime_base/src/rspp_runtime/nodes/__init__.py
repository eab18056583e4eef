"""What a pipeline's own Python nodes are written with (docs/nodes.md).

    from rspp_runtime.nodes import Emit, Item

    def shout(item: Item, emit: Emit) -> None:
        emit(item.text.upper())

A node is a callable of one item. A class is such a callable too, made once a session, so that it may remember:

    class Count:
        def __init__(self) -> None:
            self.words = 0

        def __call__(self, item: Item, emit: Emit) -> None:
            self.words += item.words
            emit(f"{self.words} words so far")

Or it is a coroutine, resumed with each item; what it remembers is in its variables:

    async def count(stage: Stage) -> None:
        words = 0
        while True:
            item = await stage.item()
            words += item.words
            stage.emit(f"{words} words so far")

`state` declares what it remembers, and for how long: a turn, or until another process goes on with the session.

It runs inside the kernel's step: it must be quick, must not wait, and does no I/O. `rspp_runtime.nodes.testing` runs
one without a pipeline.
"""

from rspp_runtime.nodes import state
from rspp_runtime.nodes.item import Emit, Item, ItemGoneError, Stage

__all__ = ["Emit", "Item", "ItemGoneError", "Stage", "state"]
