"""`framed` in Python, for a picows that it was not built with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport

_BINARY = WSMsgType.BINARY  # an enumeration's members are slow to look up, and there is one for every frame


class Framed(WSListener):
    """See `framed.Framed`."""

    receive: Callable[[Any], None]
    transport: WSTransport | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is _BINARY and frame.fin:
            self.receive(frame.get_payload_as_bytes())
        else:
            self._other(transport, frame)

    def send_bytes(self, message: bytes) -> None:
        """A binary message, unless the connection is gone or closing."""
        if self.transport is not None:
            self.transport.send(_BINARY, message)

    def _other(self, transport: WSTransport, frame: WSFrame) -> None:
        """Whatever else comes is the subclass's."""
