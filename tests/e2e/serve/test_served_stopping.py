"""A server that stops, by signal or by death: turns end with their evidence, and clients go on elsewhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp import wire
from rspp.client import Conversation
from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.log import read

QUESTION = "what is the weather like in london"
ANSWER = "In London it is raining softly, so bring an umbrella."
Run = Callable[..., subprocess.CompletedProcess[str]]


def of(seen: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in seen if one["type"] == kind]


def turns(path: Path) -> list[tuple[int, str]]:
    """Terminals of the turns of a log, each with its close and its evidence."""
    rows = read(path).entries
    decided = [row for row in rows if isinstance(row, entries.Out) and row.op == Op.DECISION]
    ended = [(row.turn, Signal(row.code).name.lower()) for row in decided if row.code in (Signal.COMMIT, Signal.ABORT)]
    closed = [row.turn for row in decided if row.code == Signal.CLOSE]
    evidence = {row.turn for row in rows if isinstance(row, entries.Evidence) and row.stage != "baseline"}
    opened = [row.turn for row in decided if row.code == Signal.TURN_OPEN]
    assert opened == closed == [turn for turn, _ in ended]
    assert evidence == set(opened)
    return ended


@pytest.mark.feature("F-106", "drains", "no_loss")
def test_sigterm_lets_turns_finish_and_another_process_goes_on(
    serving: ModuleType, serve: Callable[..., Any], rspp: Run, package: Path
) -> None:
    """Under load: some answer, one has just asked, one says nothing. All go on with a server that is there already."""
    first = serve("--grace", "20")
    second = serve()

    async def main() -> None:
        talking = [
            await Conversation.open(first.socket_url, first.token(session_id=f"s-{index}")) for index in range(4)
        ]
        seen: list[list[dict[str, Any]]] = [[] for _ in talking]
        for conversation, came in zip(talking[:3], seen, strict=False):
            await conversation.text(QUESTION)
            await serving.until(conversation, came, signal="playback_started")
        first.process.send_signal(signal.SIGTERM)
        for _ in range(100):
            if (await asyncio.to_thread(first.ask, "/readyz"))[0] == 503:
                break
            await asyncio.sleep(0.02)
        status, body = await asyncio.to_thread(first.ask, "/v1/sessions", {})
        assert (status, body["code"]) == (503, "draining")
        assert (await asyncio.to_thread(first.ask, "/healthz"))[0] == 200

        async def go_on(conversation: Conversation, came: list[dict[str, Any]]) -> None:
            conversation.url = second.socket_url  # as the same address would be answered by another process
            goodbye = await serving.until(conversation, came, type="goodbye")
            assert goodbye["code"] == wire.Close.DRAINING
            assert goodbye["resume"]["token"]
            await conversation.text("hello")
            await serving.until(conversation, came, type="audio")
            assert conversation.welcome["authority_epoch"] == 2
            assert conversation.resumed == 1
            await conversation.bye()

        async with asyncio.timeout(30):
            await asyncio.gather(*(go_on(*both) for both in zip(talking, seen, strict=True)))
        for came in seen[:3]:
            # The first answer was heard whole, by the first process; and none of it again by the second.
            at = came.index(of(came, "goodbye")[0])
            assert "".join(one["text"] for one in of(came[:at], "text")) == ANSWER
            assert "commit" in [one["signal"] for one in of(came[:at], "signal")]
            old = of(came[:at], "audio")[0]["turn_id"]
            assert old not in {one["turn_id"] for one in came[at:] if one["type"] in ("audio", "text")}
            numbers = [one["seq"] for one in came if "seq" in one]
            assert numbers == sorted(set(numbers))

    asyncio.run(main())
    first.ended()
    second.stop()
    for index in range(4):
        path = first.logs / f"s-{index}.rspplog"
        assert [outcome for _, outcome in turns(path)] == (["commit"] if index < 3 else []) + ["abort"]
        done = rspp("replay", path, "--package", package)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "identical" in done.stdout


@pytest.mark.feature("F-106", "no_loss")
@pytest.mark.parametrize("how", ["grace", "second SIGTERM"])
def test_what_is_cut_ends_with_its_terminal_and_evidence(
    serving: ModuleType, serve: Callable[..., Any], rspp: Run, package: Path, how: str
) -> None:
    server = serve("--grace", "0.3" if how == "grace" else "60")

    async def main() -> None:
        seen: list[dict[str, Any]] = []
        conversation = await Conversation.open(server.socket_url, server.token(session_id="s-cut"))
        await conversation.text(QUESTION)
        await serving.until(conversation, seen, signal="playback_started")
        begun_s = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        if how != "grace":
            await asyncio.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
        goodbye = await serving.until(conversation, seen, type="goodbye")
        assert goodbye["resume"] is not None
        assert "abort" in [one["signal"] for one in of(seen, "signal")]
        await asyncio.to_thread(server.ended)
        assert time.monotonic() - begun_s < 2.5
        conversation._token = ""  # nobody to go on with
        await conversation.bye()

    asyncio.run(main())
    path = server.logs / "s-cut.rspplog"
    assert turns(path) == [(1, "abort")]
    done = rspp("replay", path, "--package", package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout


@pytest.mark.feature("F-106", "no_loss")
def test_after_a_kill_the_client_goes_on_with_another_process(
    serving: ModuleType, serve: Callable[..., Any], rspp: Run, package: Path
) -> None:
    first, second = serve("--level", "L2"), serve("--level", "L2")
    seen: list[dict[str, Any]] = []

    async def main() -> int:
        conversation = await Conversation.open(first.socket_url, first.token(session_id="s-killed"))
        await conversation.text("hello")
        await serving.until(conversation, seen, type="audio")
        await conversation.control("cancel")
        await serving.until(conversation, seen, signal="close")
        await conversation.text(QUESTION)
        await serving.until(conversation, seen, signal="playback_started", turn_id="s-killed/2")
        await serving.until(conversation, seen, type="audio")
        conversation.url = second.socket_url
        first.kill()
        at = len(seen)
        await serving.until(conversation, seen, signal="abort", reason="authority_loss")
        await conversation.text("hello again")
        await serving.until(conversation, seen, type="audio", turn_id="s-killed/3")
        await conversation.bye()
        return at

    at = asyncio.run(main())
    second.stop()
    # What the first process had sent before it died may still arrive; the second sends nothing of that turn.
    gone = next(index for index, one in enumerate(seen) if one.get("reason") == "authority_loss")
    assert gone >= at
    assert {one["turn_id"] for one in seen[gone:] if one["type"] in ("audio", "text")} == {"s-killed/3"}
    moments = [one["pts_ms"] for one in of(seen, "audio")]
    assert moments == sorted(set(moments)), "nothing is heard twice"
    path = first.logs / "s-killed.rspplog"
    assert turns(path)[1] == (2, "abort")
    assert [turn for turn, _ in turns(path)] == [1, 2, 3]
    done = rspp("replay", path, "--package", package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "0.0.0.0", "--dev"), "--dev gives tokens to whoever asks: it serves this machine only"),
        ((), "nobody could come in: give --signing-key FILE or --trust FILE"),
        (("--dev", "--origin", "app.example"), "--origin is a site like https://app.example"),
        (("--dev", "--level", "L9"), "--level is one of L0, L1, L2"),
        (("--dev", "--host", "203.0.113.9"), "it serves this machine only"),
        (("--trust", "none.pem"), "none.pem"),
    ],
)
def test_a_server_that_cannot_be_started_says_so_in_one_line(
    rspp: Run, package: Path, options: tuple[str, ...], message: str
) -> None:
    done = rspp("serve", package, "--port", "0", *options)
    assert done.returncode != 0
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(rspp: Run, package: Path, server: Any) -> None:
    done = rspp("serve", package, "--dev", "--port", str(server.port))
    assert done.returncode != 0
    assert f"127.0.0.1:{server.port} cannot be listened to" in done.stderr
