"""Exit codes, and how a failure is told: one line for what the user can mend, an apology for what is our fault."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

EXIT_CLEAN, EXIT_FINDINGS, EXIT_USAGE = 0, 1, 2
EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_TERMINATED = 70, 130, 143


class Failure(Exception):  # noqa: N818 - it carries an exit code and is no error of the program
    """Ends the command with `code` and one line."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def told(command: str, failure: Failure) -> int:
    """Prints a failure; returns its exit code."""
    print(f"{command}: {failure}", file=sys.stderr)
    return failure.code


def apology(command: str, error: BaseException) -> int:
    """For what nobody expected. The traceback is shown on demand."""
    if os.environ.get("RSPP_TRACE") == "1":
        raise error
    print(
        f"{command}: sorry, this is a mistake in rspp itself: {type(error).__name__}: {error}\n"
        f"RSPP_TRACE=1 {command} … shows where.",
        file=sys.stderr,
    )
    return EXIT_INTERNAL


@contextlib.contextmanager
def ending_on_signals() -> Iterator[threading.Event]:
    """Within it SIGTERM ends as Ctrl-C does, in order: logs and recordings are closed. The event says which it was.

    Ctrl-C's own handler is set too: a shell starts background jobs with SIGINT ignored, and then neither would work.
    """
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()
        signal.raise_signal(signal.SIGINT)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, end),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def usage(message: str) -> NoReturn:
    raise Failure(EXIT_USAGE, message)
