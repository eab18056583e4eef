"""How a server ends: told to, under load, or killed; and what its clients have of it."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp.client import Conversation, Ended, talk
from rspp_runtime.evidence.entries import End, Evidence
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.security.keys import new_key, write_private

HERE = Path(__file__).parent
served = module_of("rspp_served", HERE / "served.py")

QUESTION = "what is the weather like in london"


class Talker:
    """Somebody in the middle of an answer: what came so far, of all connections."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []  # turn, piece
        self.audio: list[tuple[str, int]] = []  # turn, pts
        self.signals: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append({name: value for name, value in message.items() if name != "payload"})
        if message["type"] == "text":
            self.texts.append((message["turn_id"], message["text"]))
        elif message["type"] == "audio":
            self.audio.append((message["turn_id"], message["pts_ms"]))
        elif message["type"] == "signal":
            self.signals.append(message["signal"])


async def asked(url: str, *, frames: int) -> tuple[Conversation, Talker]:
    """A conversation whose answer has begun to be heard."""
    conversation = await talk(url)
    await conversation.text(QUESTION)
    talker = Talker()
    async with asyncio.timeout(30):
        async for message in conversation:
            talker.take(message)
            if len(talker.audio) >= frames:
                break
    return conversation, talker


def turns(folder: Path) -> dict[str, dict[str, Any]]:
    """The newest OR-02 record of each turn in the logs of a folder."""
    found = {}
    for path in folder.glob("*.rspplog"):
        for entry in read(path).entries:
            if isinstance(entry, Evidence):
                found[entry.or02["turn_id"]] = entry.or02
    return found


@pytest.mark.parametrize("grace", [30.0, 0.3])
def test_told_to_stop_under_load(package: Path, tmp_path: Path, grace: float) -> None:
    """Each running turn ends with its terminal and evidence: by itself within the grace, else cut."""

    async def work(server: Any) -> list[Talker]:
        found = await asyncio.gather(*(asked(server.url, frames=5) for _ in range(12)))
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert await asyncio.to_thread(server.status, "/readyz") == 503

        async def until_gone(conversation: Conversation, talker: Talker) -> Talker:
            async with asyncio.timeout(40):
                try:
                    async for message in conversation:
                        talker.take(message)
                        if message["type"] == "goodbye":
                            break
                except Ended as error:
                    talker.signals.append(f"ended {error.code}")
            if conversation._pinging is not None:
                conversation._pinging.cancel()
            return talker

        return await asyncio.gather(*(until_gone(*one) for one in found))

    with served.Served(package, tmp_path, "--grace", str(grace)) as server:
        talkers = asyncio.run(work(server))
        assert server.process.wait(45) == 0
        assert server.troubles() == []
    records = turns(tmp_path / "logs")
    assert len(records) == 12
    assert [missing_fields(record) for record in records.values()] == [[]] * 12
    wanted = "commit" if grace > 10 else "abort"
    assert {record["terminal_outcome"] for record in records.values()} == {wanted}
    for talker in talkers:
        goodbye = [message for message in talker.messages if message["type"] == "goodbye"]
        assert [message["code"] for message in goodbye] == [1001]
        assert goodbye[0]["resume"]["token"]
        assert ("commit" if grace > 10 else "abort") in talker.signals


def test_killed_and_gone_on_with_by_another(package: Path, tmp_path: Path) -> None:
    """kill -9: the log recovers to its last whole record; the client resumes on another process, and hears nothing
    twice."""
    key = tmp_path / "key.pem"
    write_private(key, new_key())  # that all processes of a deployment have
    options = ("--signing-key", str(key))

    async def until_closed(conversation: Conversation, talker: Talker) -> None:
        async for message in conversation:
            talker.take(message)
            if message.get("signal") == "close":
                break

    async def work(first: Any, second: Any) -> tuple[Talker, dict[str, Any]]:
        conversation, talker = await asked(first.url, frames=30)
        first.process.kill()
        first.process.wait(10)
        killed_ns = time.monotonic_ns()
        conversation.url = conversation.url.replace(str(first.port), str(second.port))  # as a balancer does
        async with asyncio.timeout(30):
            await until_closed(conversation, talker)
            assert (time.monotonic_ns() - killed_ns) / 1e9 < 20
            assert conversation.resumed == 1
            await conversation.text("hello")
            await until_closed(conversation, talker)
            await conversation.bye()
        return talker, conversation.welcome

    with served.Served(package, tmp_path, *options) as first, served.Served(package, tmp_path, *options) as second:
        talker, welcome = asyncio.run(work(first, second))
        second.empty(10)
        assert second.troubles() == []
        assert second.stop(signal.SIGTERM) == 0
    session_id = welcome["session_id"]
    assert welcome["resumed"] is True
    assert welcome["authority_epoch"] == 2
    abort = next(message for message in talker.messages if message.get("signal") == "abort")
    assert abort["reason"] == "authority_loss"
    assert len(talker.audio) == len(set(talker.audio)), "a frame was heard twice"
    per_turn: dict[str, list[int]] = {}
    for turn, pts_ms in talker.audio:
        per_turn.setdefault(turn, []).append(pts_ms)
    assert list(per_turn) == [f"{session_id}/1", f"{session_id}/2"]
    assert all(pts == sorted(pts) for pts in per_turn.values())
    log = read(tmp_path / "logs" / f"{session_id}.rspplog")
    assert isinstance(log.entries[-1], End)
    records = turns(tmp_path / "logs")
    assert records[f"{session_id}/1"]["terminal_reason"] == "authority_loss"
    assert records[f"{session_id}/2"]["terminal_outcome"] == "commit"
    assert log.header.session_id == session_id
