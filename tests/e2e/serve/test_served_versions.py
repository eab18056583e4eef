"""A rolling update from version 1 of a pipeline to version 2 and back, behind one address: all conversations go on."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import assistant
from loading import module_of
from rspp.client import Conversation, Refused
from rspp_runtime.evidence.entries import Follows
from rspp_runtime.evidence.log import read

CALLERS, TURNS = 6, 3
rolling = module_of("rspp_served_rolling", Path(__file__).with_name("test_served_rolling.py"))


@pytest.fixture(scope="session")
def second_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The voice assistant after a release: another version, and a change of what it is."""
    folder = tmp_path_factory.mktemp("release") / "pipelines"
    shutil.copytree(assistant.SOURCE.parent, folder)
    source = folder / assistant.SOURCE.name
    text = (
        source.read_text()
        .replace('version "1.0.0"', 'version "2.0.0"')
        .replace("min_silence = 300ms", "min_silence = 320ms")
    )
    source.write_text(text)
    return assistant.built(tmp_path_factory.mktemp("generated2"), source)


@dataclass
class Caller:
    """Asks one question after the other, whatever server answers."""

    number: int
    answers: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    welcomes: list[dict[str, Any]] = field(default_factory=list)
    resumed: int = 0

    async def talk(self, going: Conversation, turns: int, answered: asyncio.Semaphore) -> None:
        for _ in range(turns):
            self.answers.append(await rolling.ask(going, self.seen))
            self.welcomes.append(going.welcome)
            answered.release()
        self.resumed = going.resumed


@pytest.mark.feature("F-106", "drains", "no_loss")
@pytest.mark.feature("NF-016", "policy", "no_silent_loss")
def test_two_versions_and_back(
    serving: ModuleType, serve: Callable[..., Any], second_version: Path, package: Path, tmp_path: Path
) -> None:
    """Callers ask without a pause while version 1 gives way to 2, and, when all have moved, 2 to 1 again."""
    first = serve("--level", "L1", "--grace", "20")
    second = serve("--level", "L1", "--grace", "20", package=second_version)
    third = serve("--level", "L1")

    async def update(address: Any, before: Any, after: Any, callers: list[Caller], talking: list[Conversation]) -> None:
        answered = asyncio.Semaphore(0)
        asking = [
            asyncio.create_task(one.talk(going, TURNS, answered)) for one, going in zip(callers, talking, strict=True)
        ]
        for _ in range(CALLERS):  # everybody was answered once, on the average
            await answered.acquire()
        address.port = after.port
        before.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*asking)
        for one, going in zip(callers, talking, strict=True):  # who had nothing more to ask moves, too
            one.answers.append(await rolling.ask(going, one.seen))
            one.welcomes.append(going.welcome)
            one.resumed = going.resumed

    async def main() -> list[Caller]:
        address = rolling.Address(first.port)
        callers = [Caller(number) for number in range(CALLERS)]
        async with asyncio.timeout(150), address.open() as port:
            talking = [
                await Conversation.open(
                    f"ws://127.0.0.1:{port}/v1/session", first.token(session_id=f"s-versions-{one.number}")
                )
                for one in callers
            ]
            await update(address, first, second, callers, talking)
            assert {one.welcomes[-1]["pipeline_version"] for one in callers} == {"2.0.0"}
            assert second.sample("rspp_connection_events_total", event="followed") == CALLERS
            await update(address, second, third, callers, talking)
            for going in talking:
                await going.bye()
        return callers

    callers = asyncio.run(main())
    assert third.sample("rspp_connection_events_total", event="followed") == CALLERS
    for one in callers:
        assert [answer.endswith("[commit]") for answer in one.answers] == [True] * (2 * TURNS + 2), one.answers
        assert all(answer.count("Hello") == 1 for answer in one.answers), one.answers
        assert one.seen == sorted(set(one.seen)), "something came twice"
        assert one.resumed == 2
        assert {welcome["session_id"] for welcome in one.welcomes} == {f"s-versions-{one.number}"}
        epochs = [welcome["authority_epoch"] for welcome in one.welcomes]
        assert (epochs, set(epochs)) == (sorted(epochs), {1, 2, 3})
        assert "moved" not in one.welcomes[0]
        moved = one.welcomes[-1]["moved"]
        assert moved["pipeline_version"] == "2.0.0"
        assert moved["messages"] >= 2 * (TURNS + 1), "what was said with versions 1 and 2 is known to 1 again"
        assert not any("conversation" in why for why in moved["stayed"])
    first.ended()
    second.ended()
    third.stop()

    logs = [first.logs / f"s-versions-0{record}.rspplog" for record in ("", "+2", "+3")]
    for log, built in zip(logs, (package, second_version, package), strict=True):
        command = [sys.executable, "-m", "rspp_runtime.cli", "replay", str(log), "--package", str(built)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    (follows,) = [row for row in read(logs[1]).entries if isinstance(row, Follows)]
    assert follows.template_hash == read(logs[0]).header.template_hash
    assert follows.template_hash != read(logs[1]).header.template_hash


@pytest.mark.feature("F-119", "tampered")
def test_only_who_comes_back_may_be_of_another_version(
    serving: ModuleType, serve: Callable[..., Any], second_version: Path
) -> None:
    """A token of version 1 begins nothing on version 2, forged ones nothing at all, and a tenant has only its own."""
    first = serve("--level", "L1")
    second = serve("--level", "L1", package=second_version)

    async def refused(token: str, **how: Any) -> str:
        with pytest.raises(Refused) as found:
            await Conversation.open(second.socket_url, token, **how)
        return found.value.code

    async def main() -> None:
        name = "s-left"
        going = await Conversation.open(first.socket_url, first.token(session_id=name))
        await rolling.ask(going, [])
        first.process.send_signal(signal.SIGTERM)
        async for message in going:
            if message["type"] == "goodbye":
                break
        token, received, sent = going.token, going.received, going.sent
        grown = {"resume": received, "sent": sent}
        assert await refused(first.token(session_id=name)) == "wrong_version"
        assert await refused(first.token(session_id=name), **grown) == "wrong_version"
        assert await refused(first.token(session_id="s-new", scopes={"talk", "resume"})) == "wrong_version"
        assert (
            await refused(first.token(session_id=name, pipeline="other", scopes={"talk", "resume"})) == "wrong_pipeline"
        )
        other = first.token(session_id=name, tenant="umbrella", scopes={"talk", "resume"})
        assert await refused(other, **grown) == "wrong_tenant"
        gone = first.token(session_id="s-never", scopes={"talk", "resume"})
        assert await refused(gone, **grown) == "gone"
        head, claims, signature = token.split(".")
        assert await refused(f"{head}.{claims}.{signature[::-1]}", **grown) in ("forged", "malformed")
        assert second.sample("rspp_sessions") == 0, "none of them got as far as a session"
        async with await Conversation.open(second.socket_url, token, **grown) as again:
            assert again.welcome["moved"]["messages"] == 2
            assert "Hello" in await rolling.ask(again, [])
        assert await refused(token, **grown) == "replayed"

    asyncio.run(main())
    first.ended()
    second.stop()
