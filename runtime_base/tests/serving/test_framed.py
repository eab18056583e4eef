"""Messages from and to picows: by its own declarations, and the same in Python for a picows that is another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

from rspp_runtime.serving import framed, framed_py, listener


@pytest.mark.parametrize("base", [framed.Framed, framed_py.Framed])
def test_whole_binary_messages_are_received_and_sent_and_all_else_is_the_others(base: Any) -> None:
    class Echo(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.transport = None
            self.receive = self.send_bytes
            self.others: list[int] = []

        def on_ws_connected(self, transport: WSTransport) -> None:
            self.transport = transport

        def on_ws_disconnected(self, transport: WSTransport) -> None:
            self.transport = None
            self.send_bytes(b"nobody is there")

        def _other(self, transport: WSTransport, frame: WSFrame) -> None:
            self.others.append(int(frame.msg_type))

    class Client(WSListener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.came: asyncio.Queue[bytes] = asyncio.Queue(8)

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            self.came.put_nowait(frame.get_payload_as_bytes())

    async def talk() -> None:
        made: list[Echo] = []

        def opened(_: Any) -> Echo:
            made.append(Echo())
            return made[0]

        server = await ws_create_server(opened, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            transport, client = await ws_connect(Client, f"ws://127.0.0.1:{port}/")
            for message in (b"", b"one", bytes(70_000)):
                transport.send(WSMsgType.BINARY, message)
                assert await asyncio.wait_for(client.came.get(), 10) == message
            transport.send(WSMsgType.TEXT, b"a text")
            transport.send(WSMsgType.BINARY, b"half a mes", fin=False)
            transport.send(WSMsgType.CONTINUATION, b"sage")
            transport.send(WSMsgType.BINARY, b"two")
            assert await asyncio.wait_for(client.came.get(), 10) == b"two"
            transport.disconnect(False)
            await transport.wait_disconnected()
        assert made[0].others == [WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION]

    asyncio.run(talk())


def test_here_it_goes_by_its_declarations() -> None:
    assert issubclass(listener.Channel, framed.Framed)
