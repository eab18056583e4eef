"""A coroutine that is not ours, and ends even if it catches its cancel.

Asked to end, it hears of it as any coroutine does, and may tidy up. Who asks again is not heard: it is closed where it
waits. So neither its slot, nor its session's end, nor the end of the program depends on its good will.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")

TIDY_S = 1.0  # how long it may go on after it was told to end, before it is closed


class Guarded(Generic[T]):
    """Awaits `coroutine`. Once `last` is set, it is told of one more cancel, and closed at the next.

    `resumed` is set whenever it goes on after a wait; whoever cares sets it back.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.last = False
        self.resumed = True
        self._told = False

    def __await__(self) -> Generator[Any, Any, T]:
        send: Callable[[], Any] = partial(self._coroutine.send, None)
        go_on = send
        while True:
            try:
                awaited = go_on()
            except StopIteration as done:
                result: T = done.value
                return result
            try:
                yield awaited
            except BaseException as error:
                if self._told:
                    with contextlib.suppress(BaseException):  # whatever it says to that
                        self._coroutine.close()
                    raise
                self._told = self.last
                go_on = partial(self._coroutine.throw, error)
            else:
                go_on = send
            self.resumed = True
