from collections.abc import Callable

from picows import WSFrame, WSListener, WSTransport

class Framed(WSListener):
    receive: Callable[[bytes], None]
    transport: WSTransport | None
    def send_bytes(self, message: bytes) -> None: ...
    def _other(self, transport: WSTransport, frame: WSFrame) -> None: ...
