"""People talk to a server: typed and spoken, interrupted, cut off, and back again."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp import wire
from rspp.client import Conversation, Ended, Refused, talk

QUESTION = "what is the weather like in london"


def of(seen: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in seen if one["type"] == kind]


def numbers(seen: list[dict[str, Any]]) -> list[int]:
    return [one["seq"] for one in seen if "seq" in one]


@pytest.mark.feature("F-125", "outputs")
@pytest.mark.parametrize("subprotocol", [wire.MSGPACK, wire.JSON])
def test_a_typed_question_is_answered(serving: ModuleType, server: Any, subprotocol: str) -> None:
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        async with await talk(server.url, subprotocol=subprotocol) as conversation:
            assert conversation.welcome["pipeline"] == "voice_assistant"
            assert conversation.welcome["tenant"] == "developer"
            await conversation.text(QUESTION)
            await serving.until(conversation, seen, type="audio")
            await conversation.control("cancel")
            await serving.until(conversation, seen, signal="close")

    asyncio.run(main())
    assert numbers(seen) == list(range(1, len(numbers(seen)) + 1))
    assert "".join(one["text"] for one in of(seen, "text")).startswith("In London")
    assert {len(one["payload"]) for one in of(seen, "audio")} == {640}
    assert server.sample("rspp_frames_total", direction="out") > 0


@pytest.mark.feature("F-084", "stream")
@pytest.mark.feature("F-086", "both")
def test_a_spoken_question_is_heard_answered_and_interrupted(
    serving: ModuleType, server: Any, spoken: Callable[[str], bytes]
) -> None:
    """The sample asks for a long answer and talks over it: a flush comes, and nothing of the old turn behind it."""
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        async with await talk(server.url, echo_cancelled=True) as conversation:
            speaking = asyncio.create_task(serving.speak(conversation, spoken("interruption") + bytes(2 * 16_000 * 30)))
            flush = await serving.until(conversation, seen, type="flush")
            await serving.until(conversation, seen, signal="playback_started", turn_id=flush["turn_id"][:-1] + "2")
            await conversation.control("cancel")
            await serving.until(conversation, seen, signal="close", turn_id=flush["turn_id"][:-1] + "2")
            speaking.cancel()

    asyncio.run(main())
    (at,) = [index for index, one in enumerate(seen) if one["type"] == "flush"][:1]
    old = seen[at]["turn_id"]
    assert of(seen[:at], "audio")
    assert not [one for one in seen[at:] if one["type"] in ("audio", "text") and one["turn_id"] == old]
    assert next(one["reason"] for one in of(seen, "signal") if one["signal"] == "abort") == "cancelled"
    transcripts = of(seen, "transcript")
    assert any(not one["final"] for one in transcripts)
    assert sum(one["final"] for one in transcripts) == 2
    assert numbers(seen) == list(range(1, len(numbers(seen)) + 1))


@pytest.mark.feature("F-042", "finalizes", "prompt")
def test_push_to_talk_ends_without_waiting_for_silence(
    serving: ModuleType, server: Any, spoken: Callable[[str], bytes]
) -> None:
    """The recording is cut where the speaker stops: no silence follows, only the client's word that it has ended."""
    import numpy

    pcm = numpy.frombuffer(spoken("question"), "<i2")
    end = int(numpy.flatnonzero(abs(pcm.astype(int)) > 300)[-1])
    seen: list[dict[str, Any]] = []

    async def main() -> float:
        async with await talk(server.url) as conversation:
            await serving.speak(conversation, pcm[: end + 320].tobytes())
            said_s = asyncio.get_running_loop().time()
            await conversation.control("end_utterance")
            await serving.until(conversation, seen, type="transcript", final=True)
            return asyncio.get_running_loop().time() - said_s

    assert asyncio.run(main()) < 0.3, "the detector alone waits for 300 ms of silence"
    assert "turn_open" in [one["signal"] for one in of(seen, "signal")]
    assert of(seen, "transcript")[-1]["text"]


@pytest.mark.feature("F-091", "waiting")
def test_a_connection_that_breaks_is_taken_up_and_nothing_is_heard_twice(serving: ModuleType, server: Any) -> None:
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        async with await talk(server.url) as conversation:
            await conversation.text(QUESTION)
            await serving.until(conversation, seen, signal="playback_started")
            for times in (1, 2):
                conversation._socket.transport.abort()
                while conversation.resumed < times:  # some were on their way to us already
                    await serving.until(conversation, seen, type="audio")
            await conversation.text("good bye")  # numbered on, and taken
            await serving.until(conversation, seen, signal="commit")
            assert conversation.resumed == 2
            assert conversation.welcome["resumed"] is True

    asyncio.run(main())
    assert numbers(seen) == sorted(set(numbers(seen)))
    moments = [one["pts_ms"] for one in of(seen, "audio")]
    assert moments == sorted(set(moments))
    assert "".join(one["text"] for one in of(seen, "text")).startswith(
        "In London it is raining softly, so bring an umb"
    )
    assert [one["signal"] for one in of(seen, "signal")].count("turn_open") == 1


def test_a_client_hears_why_it_ended(serving: ModuleType, server: Any) -> None:
    async def main() -> None:
        conversation = await Conversation.open(server.socket_url, server.token())
        await conversation._socket.send("not a message")  # type: ignore[union-attr]
        with pytest.raises(Ended) as ended:
            await serving.until(conversation, [], type="nothing")
        assert ended.value.code == wire.Close.MALFORMED
        with pytest.raises(Ended):
            await conversation.text("hello")
        with pytest.raises(Refused) as refused:
            await Conversation.open(server.socket_url, "no.such.token")
        assert refused.value.code == "malformed"
        with pytest.raises(ConnectionRefusedError):
            await Conversation.open("ws://127.0.0.1:9/v1/session", server.token())

    asyncio.run(main())


@pytest.mark.feature("F-088", "mapped")
def test_a_token_leads_to_its_tenant_and_version_and_its_log(
    serving: ModuleType, server: Any, rspp: Callable[..., subprocess.CompletedProcess[str]], package: Path
) -> None:
    session_id = "s-mapped"

    async def main() -> None:
        token = server.token(session_id=session_id, tenant="globex")
        async with await Conversation.open(server.socket_url, token) as conversation:
            welcome = conversation.welcome
            assert (welcome["tenant"], welcome["session_id"]) == ("globex", session_id)
            assert (welcome["pipeline"], welcome["pipeline_version"]) == ("voice_assistant", "1.0.0")
            assert welcome["template_hash"] == json.loads((package / "rspp.manifest.json").read_text())["template_hash"]
            await conversation.text("hello")
            await serving.until(conversation, [], type="audio")
            await conversation.control("cancel")
            await serving.until(conversation, [], signal="close")

    asyncio.run(main())
    path = server.logs / f"{session_id}.rspplog"
    done = rspp("replay", path, "--package", package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout
