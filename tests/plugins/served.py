"""A package served in a process of its own, for tests that come to it as clients do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

READY_S = 60
STOP_S = 15


@contextmanager
def served(package: Path, *arguments: str) -> Iterator[str]:
    """`rspp serve PACKAGE ARGUMENTS…` at a port that is free; its address, without a slash at the end."""
    command = [sys.executable, "-m", "rspp_runtime.cli", "serve", str(package), "--port", "0", "--json", *arguments]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env=os.environ | {"NO_COLOR": "1"}
        )
        try:
            timer = threading.Timer(READY_S, process.kill)
            timer.start()
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")  # its log goes there too
            port = next((int(found[1]) for line in lines if (found := re.search(r'"port": (\d+)', line))), None)
            timer.cancel()
            if port is None:
                said.seek(0)
                raise AssertionError(f"{' '.join(command)} did not start:\n{said.read()[-4000:]}")
            threading.Thread(target=process.stdout.read, daemon=True).start()  # what it logs must not fill the pipe
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(process)


@contextmanager
def folder_served(folder: Path) -> Iterator[str]:
    """The files of a folder, as a site of its own; its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(folder))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
