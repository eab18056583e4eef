"""A rolling update of two servers behind one address, as a Service is: nobody's question is lost."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any

import pytest

from piping import pass_on
from rspp.client import Conversation

CALLERS, TURNS = 6, 4


class Address:
    """What clients know: connections go to the server that is in turn when they come, and stay there."""

    def __init__(self, port: int) -> None:
        self.port = port  # of the server that is in turn
        self.listening: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        self._open |= {writer, forth}
        await asyncio.gather(pass_on(reader, forth), pass_on(back, writer))
        self._open -= {writer, forth}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        self.listening = await asyncio.start_server(self._came, "127.0.0.1", 0)
        yield self.listening.sockets[0].getsockname()[1]
        self.listening.close()
        self.cut()

    def cut(self) -> None:
        """Whoever is connected is so no longer."""
        for writer in self._open:
            writer.close()


async def ask(going: Conversation, seen: list[int]) -> str:
    """A question, and how it ended: "answer [commit]". One that the server had not taken is asked once more."""
    said = ""
    await going.text("hello")
    async for message in going:
        if "seq" in message:
            seen.append(message["seq"])
        if message["type"] == "text":
            said += message["text"]
        if message["type"] == "signal" and message["signal"] in ("commit", "abort"):
            said += f" [{message['signal']}]"
        if message["type"] == "signal" and message["signal"] == "close":
            return said
    raise AssertionError("the conversation ended")


@pytest.mark.feature("F-106", "drains", "no_loss")
def test_a_rolling_update_loses_no_question(serving: ModuleType, serve: Callable[..., Any]) -> None:
    """Callers ask one question after the other, without a pause, while the server changes under them."""
    first = serve("--level", "L1", "--grace", "20")
    second = serve("--level", "L1")

    async def caller(port: int, number: int, begun: asyncio.Semaphore) -> tuple[list[str], list[int], int]:
        token = first.token(session_id=f"s-rolling-{number}")
        answers: list[str] = []
        seen: list[int] = []
        async with await Conversation.open(f"ws://127.0.0.1:{port}/v1/session", token) as going:
            for _ in range(TURNS):
                answers.append(await ask(going, seen))
                begun.release()
            return answers, seen, going.resumed

    async def main() -> None:
        address = Address(first.port)
        begun = asyncio.Semaphore(0)
        async with asyncio.timeout(90), address.open() as port:
            callers = [asyncio.create_task(caller(port, number, begun)) for number in range(CALLERS)]
            for _ in range(CALLERS):  # everybody was answered once, on the average
                await begun.acquire()
            address.port = second.port
            first.process.send_signal(signal.SIGTERM)
            came_back = 0
            for answers, seen, resumed in await asyncio.gather(*callers):
                assert [answer.endswith("[commit]") for answer in answers] == [True] * TURNS, answers
                assert all("Hello" in answer for answer in answers), answers
                assert seen == sorted(set(seen)), "something came twice"
                came_back += resumed > 0
            assert came_back, "nobody was talking when the server changed"

    asyncio.run(main())
    first.ended()
    second.stop()


def test_an_address_where_nobody_answers_is_asked_again(serving: ModuleType, serve: Callable[..., Any]) -> None:
    """A proxy that has no server, or one whose server is just gone, hangs up: a caller is not lost by that."""
    server = serve()

    async def main() -> None:
        address = Address(1)  # nobody listens there
        async with asyncio.timeout(60), address.open() as port:
            url = f"ws://127.0.0.1:{port}/v1/session"
            with pytest.raises(ConnectionError):
                await Conversation.open(url, server.token(session_id="s-nobody"))
            address.port = server.port
            async with await Conversation.open(url, server.token(session_id="s-hung-up")) as going:
                assert "Hello" in await ask(going, [])
                address.port = 1
                address.cut()
                asked = asyncio.create_task(ask(going, []))
                await asyncio.sleep(0.5)
                assert going.resumed == 0
                address.port = server.port
                assert "Hello" in await asked
                assert going.resumed == 1

    asyncio.run(main())
    server.stop()
