"""`rsppc build --watch`: builds again whenever a file that the pipelines are made of has changed."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rspp_compiler.driver import Result

_PAUSE_S = 0.25  # between two looks
_SETTLE_S = 0.1  # editors write in several steps


def watch(files: Iterable[Path], build: Callable[[], list[Result]]) -> None:
    """Builds, waits for a change, builds again; until Ctrl-C, which is no error.

    Ctrl-C's own handler is set: a shell starts background jobs with SIGINT ignored, and then nothing would end it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    named = list(files)
    try:
        while True:
            results = build()
            seen = _stamps(_sources(named, results))
            print(
                f"rsppc  watching {len(seen)} file{'s' if len(seen) != 1 else ''}; Ctrl-C ends",
                file=sys.stderr,
                flush=True,
            )
            changed = _wait(seen)
            print(f"rsppc  {changed} changed", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(file=sys.stderr)


def _sources(named: list[Path], results: list[Result]) -> list[Path]:
    """The pipelines, what they import, and the files that they name."""
    paths = dict.fromkeys(named)
    for result in results:
        paths |= dict.fromkeys(
            Path(name) for name in result.context.sources if not name.startswith("execution_profile/")
        )
        frozen = result.stage("plan")
        if frozen is not None:
            folder = Path(frozen.layout.analysis.graph.spec.span.file).parent
            paths |= dict.fromkeys(folder / resource.path for resource in frozen.resources)
    return list(paths)


def _stamps(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> tuple[int, int]:
    """When it was written, and its size; zeros for a file that is not there (yet)."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _wait(seen: dict[Path, tuple[int, int]]) -> Path:
    """Returns the first file that is not as it was, once nothing changes any more."""
    while True:
        time.sleep(_PAUSE_S)
        for path, stamp in seen.items():
            if _stamp(path) != stamp:
                now = _stamp(path)
                while (later := _settled(path)) != now:
                    now = later
                return path


def _settled(path: Path) -> tuple[int, int]:
    time.sleep(_SETTLE_S)
    return _stamp(path)
