"""The server as a process: it speaks on stdin and stdout, or to one client on a port of this machine."""

from __future__ import annotations

import logging
import os

from rspp_compiler.lsp.server import create


def start(port: int | None = None) -> None:
    """Serves until the client says `exit` or is gone. `port` is one of 127.0.0.1, for debugging; else stdio.

    Only the protocol goes to stdout. The library's log is on stderr, and with `RSPP_TRACE=1` says all there is.
    """
    logging.basicConfig(level=logging.DEBUG if os.environ.get("RSPP_TRACE") == "1" else logging.CRITICAL)
    server = create()
    if port is None:
        server.start_io()
    else:
        server.start_tcp("127.0.0.1", port)
