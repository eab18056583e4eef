"""Lines that say what a server does: JSON for machines, one line each, or text for a terminal.

Each has the ids by which it is found again (NF-008): `session_id`, `turn_id`, `tenant`, `trace_id`, from whatever task
it was written in (`bound`), and `pipeline_version`. No line has a word that anybody said, or a secret (`redaction`): a
field is shown if it is known to be metadata, an exception's own words if it is one of ours or the system's.

Nobody waits for whoever reads the lines: a thread writes them, and what it cannot keep up with is dropped and counted.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from rspp_runtime.telemetry.redaction import Classed, shown, without_secrets

Form = Literal["json", "text"]

LINES_MAX = 10_000  # that wait to be written
CLOSE_S_MAX = 1.0
MESSAGE_CHARS_MAX = 2_000
VALUE_CHARS_MAX = 300
FRAMES_MAX = 20  # of a traceback, the innermost
IDS = ("session_id", "turn_id", "tenant", "trace_id", "pipeline", "pipeline_version")
FIELDS = frozenset(
    {
        *IDS, "address", "attempts", "basis", "cause", "code", "count", "duration_ms", "edge", "epoch", "event",
        "first_output_ms", "method", "node", "origin", "outcome", "path", "playback_ms", "provider", "purpose",
        "reason", "sessions", "signal", "status", "terminal", "what", "words_heard",
    }
)  # fmt: skip
"""Fields that are shown; of others it is said how long they are."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_NONE: Mapping[str, str] = {}
_bound: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("rspp_log_ids", default=_NONE)


@contextlib.contextmanager
def bound(**ids: str) -> Iterator[None]:
    """Within it, and in every task that is begun there, lines have these ids."""
    token = _bound.set({**_bound.get(), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


class Sink(logging.Handler):
    """Takes records, and writes them in a thread of its own. `dropped` counts those for which there was no room."""

    def __init__(
        self, stream: TextIO, form: Form, common: Mapping[str, str] | None = None, lines_max: int = LINES_MAX
    ) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._write = as_json if form == "json" else as_text
        self._common = dict(common or {})
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(lines_max)
        self._said = 0  # of those that were dropped
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="rspp-logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(line_of(record, self._common))
        except queue.Full:
            self.dropped += 1
        except Exception:  # a line that cannot be made is nobody's trouble
            self.handleError(record)

    def close(self) -> None:
        """Writes what waits, for no longer than `CLOSE_S_MAX`."""
        if not self._is_closed:
            self._is_closed = True
            with contextlib.suppress(queue.Full):
                self._lines.put(None, timeout=CLOSE_S_MAX)
            self._thread.join(CLOSE_S_MAX)
        super().close()

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                if self.dropped > self._said:
                    missing, self._said = self.dropped - self._said, self.dropped
                    self._stream.write(self._write(_note(f"{missing} lines were dropped", self._common)) + "\n")
                self._stream.write(self._write(line) + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                continue  # whoever reads has gone


def configure(
    form: Form | None = None,
    level: int | str | None = None,
    *,
    stream: TextIO | None = None,
    common: Mapping[str, str] | None = None,
) -> Sink:
    """From now on all lines of the process go there, by default to standard error: standard output is for what a
    command answers (`rspp serve --json`). JSON, unless that is a terminal: then text, of warnings and worse."""
    stream = stream or sys.stderr
    if form is None:
        form = "text" if stream.isatty() else "json"
    sink = Sink(stream, form, common)
    root = logging.getLogger()
    for before in (*root.handlers,):
        root.removeHandler(before)
        before.close()
    root.addHandler(sink)
    root.setLevel(level if level is not None else logging.INFO if form == "json" else logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in ("uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, WithoutQueries) for one in logger.filters):
            logger.addFilter(WithoutQueries())
    return sink


class WithoutQueries(logging.Filter):
    """Takes what is behind the `?` out of the paths of an access log: tokens and names are put there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                one.partition("?")[0] if isinstance(one, str) and one.startswith("/") else one for one in record.args
            )
        return True


# ---- lines


def line_of(record: logging.LogRecord, common: Mapping[str, str]) -> dict[str, Any]:
    """A record as a map: time, level, logger, message, ids, fields, error."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": without_secrets(record.getMessage())[:MESSAGE_CHARS_MAX],
        **common,
        **_bound.get(),
    }
    for name, value in vars(record).items():
        if name not in _STANDARD:
            line[name] = _value(name, value)
    if record.exc_info and record.exc_info[1] is not None:
        line["error"] = _error(record.exc_info[1], record.exc_info[2])
    return line


def as_json(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)


def as_text(line: Mapping[str, Any]) -> str:
    """`12:03:04.567 warning hub: message  session_id=s-1`"""
    ids = " ".join(
        f"{name}={_printable(value)}" for name, value in line.items() if name not in _HEAD and name != "error"
    )
    error = line.get("error")
    what = f"\n  {error['type']}: {error['message']}\n    " + "\n    ".join(error["frames"]) if error else ""
    logger = str(line["logger"]).removeprefix("rspp_runtime.")
    message = _printable(line["message"])
    return f"{line['time'][11:23]} {line['level']} {logger}: {message}" + (f"  {ids}" if ids else "") + what


_HEAD = frozenset({"time", "level", "logger", "message", "pipeline", "pipeline_version"})


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Classed):
        return shown(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return without_secrets(text)[:VALUE_CHARS_MAX] if name in FIELDS else f"[{len(text)} characters]"


def _error(error: BaseException, where: TracebackType | None) -> dict[str, Any]:
    kind = type(error)
    is_ours = kind.__module__.partition(".")[0] in ("rspp_runtime", "rspp") or isinstance(error, OSError)
    frames = traceback.extract_tb(where, limit=-FRAMES_MAX)
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": without_secrets(str(error))[:VALUE_CHARS_MAX] if is_ours else f"[{len(str(error))} characters]",
        "frames": [f"{one.filename}:{one.lineno} {one.name}" for one in frames],
    }


def _note(message: str, common: Mapping[str, str]) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": __name__, "levelname": "WARNING", "msg": message, "created": time.time()})
    return line_of(record, common)


def _printable(value: object) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in str(value)
    )
