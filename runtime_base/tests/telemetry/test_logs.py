"""Lines: the ids in them, what is never in them, and that nobody waits for whoever reads them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.session.observer import InvocationEnd
from rspp_runtime.telemetry import logs, redaction
from rspp_runtime.telemetry.lines import SessionLines
from rspp_runtime.telemetry.logs import bound, configure
from rspp_runtime.telemetry.redaction import Classed, hide

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJ0ZW5hbnRfaWQiOiJhY21lIn0.c2lnbmF0dXJl"
log = logging.getLogger("rspp.test")


class Read:
    """What was written so far."""

    def __init__(self, form: logs.Form = "json") -> None:
        self.stream = io.StringIO()
        self.sink = configure(form, stream=self.stream, common={"pipeline_version": "1.0.0"})

    def lines(self) -> list[Any]:
        self.sink.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging belongs to the tests."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    monkeypatch.setattr(redaction, "_secrets", set())
    yield
    for one in root.handlers:
        one.close()
    root.handlers, root.level = before, level
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).filters.clear()


@pytest.mark.feature("NF-008", "present")
def test_a_line_has_the_ids_of_the_task_that_it_was_written_in() -> None:
    read = Read()

    async def talk(session_id: str) -> None:
        with bound(session_id=session_id, tenant="acme"):
            await asyncio.sleep(0)
            log.info("heard %d frames", 3, extra={"turn_id": f"{session_id}/1"})

    async def both() -> None:
        await asyncio.gather(talk("s-1"), talk("s-2"))
        log.info("alone")

    asyncio.run(both())
    one, two, alone = read.lines()
    assert one == {
        "time": one["time"], "level": "info", "logger": "rspp.test", "message": "heard 3 frames",
        "pipeline_version": "1.0.0", "session_id": "s-1", "tenant": "acme", "turn_id": "s-1/1",
    }  # fmt: skip
    assert two["session_id"] == "s-2"
    assert "session_id" not in alone
    assert one["time"].endswith("Z")


def test_no_secret_is_in_a_line() -> None:
    hide("s3cret-of-the-provider")
    read = Read()
    log.info("key %s", "s3cret-of-the-provider")
    log.info("GET /v1/session Sec-WebSocket-Protocol: rspp.1.json, rspp.bearer.%s", TOKEN)
    log.info("Authorization: Bearer abc.def", extra={"reason": f"token {TOKEN}", "address": "https://u:pass@host/x"})
    log.info("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----")
    whole = json.dumps(read.lines())
    for word in ("s3cret-of-the-provider", TOKEN.split(".")[1], "abc.def", "pass", "MC4CAQ"):
        assert word not in whole
    assert whole.count("[secret]") == 6


def test_no_word_that_was_said_is_in_a_line() -> None:
    read = Read()
    log.info("said", extra={"text": "my number is 12345", "reason": Classed("PII", "12345"), "count": 3})
    log.info("final %s", Classed("text_raw", "my number is 12345"))
    log.info("label %s", Classed("metadata", "greeting"))
    try:
        int("my number is 12345")
    except ValueError:
        log.exception("failed")
    lines = read.lines()
    assert "12345" not in json.dumps(lines)
    assert lines[0]["text"] == "[18 characters]"
    assert lines[0]["reason"] == "[PII]"
    assert lines[0]["count"] == 3
    assert lines[1]["message"] == "final [18 characters]"
    assert lines[2]["message"] == "label greeting"
    assert lines[3]["error"]["type"] == "builtins.ValueError"
    assert lines[3]["error"]["frames"][-1].endswith("test_no_word_that_was_said_is_in_a_line")


def test_an_error_of_the_system_says_what_it_says() -> None:
    read = Read()
    try:
        os.stat("/nowhere")  # noqa: PTH116
    except OSError:
        log.exception("failed")
    assert "No such file" in read.lines()[0]["error"]["message"]


def test_an_access_log_has_no_query() -> None:
    read = Read()
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", f"/v1/session?token={TOKEN}&name=ana", "1.1", 200
    )
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5", "/rtvi?name=ana")
    lines = read.lines()
    assert lines[0]["message"] == '127.0.0.1:5 - "GET /v1/session HTTP/1.1" 200'
    assert lines[1]["message"] == '127.0.0.1:5 - "WebSocket /rtvi" [accepted]'


def test_text_is_for_terminals() -> None:
    read = Read("text")
    log.warning("held up\x1b[2J", extra={"session_id": "s-1"})
    read.sink.close()
    assert read.stream.getvalue()[13:] == "warning rspp.test: held up\\x1b[2J  session_id=s-1\n"


@pytest.mark.parametrize("form", ["json", "text"])
def test_it_logs_to_standard_error_alone(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    sink = configure(form)  # type: ignore[arg-type]
    log.warning("the disk is full")
    sink.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("the disk is full") == 1


def test_nobody_waits_for_whoever_reads() -> None:
    """A pipe that nobody empties: lines are dropped and counted, and said when somebody reads again."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w", buffering=1)
    sink = configure("json", stream=stream)
    sink._lines.maxsize = 100
    slowest_s = 0.0
    for number in range(3_000):
        start_s = time.perf_counter()
        log.info("line %d %s", number, "x" * 200)
        slowest_s = max(slowest_s, time.perf_counter() - start_s)
    assert slowest_s < 0.1
    assert sink.dropped > 1_000
    found: list[bytes] = []

    def drain() -> None:
        while part := os.read(reading, 65_536):
            found.append(part)

    reader = threading.Thread(target=drain)
    reader.start()
    time.sleep(0.1)
    log.info("at last")
    sink.close()
    stream.close()
    reader.join(5)
    os.close(reading)
    messages = [json.loads(line)["message"] for line in b"".join(found).splitlines()]
    assert messages[-1] == "at last"
    assert any(message.endswith("lines were dropped") for message in messages)


def test_a_line_that_cannot_be_made_is_nobodys_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    read = Read()
    log.info("%d", "no number")
    log.info("next")
    assert [line["message"] for line in read.lines()] == ["next"]


def test_a_session_leaves_its_turns_in_the_log(scripted: ModuleType) -> None:
    read = Read()
    seen = SessionLines(scripted.plan(), session_id="s-1", tenant="acme", trace_id="ab" * 16)
    at = lambda code, t_ns=0, **other: Output(Op.DECISION, t_ns, 1, turn=1, code=code, **other)  # noqa: E731
    seen.on_step(0, -1, 0, [at(Signal.TURN_OPEN), at(Signal.PLAYBACK_STARTED, 20_000_000)])
    seen.on_invocation(InvocationEnd(3, 1, "m", 0, True, "", 0, 1, 2))
    seen.on_invocation(InvocationEnd(3, 1, "m", 1, True, "first_output", 0, -1, 5_000_000))
    seen.on_step(0, -1, 0, [at(Signal.COMMIT, 50_000_000)])
    seen.on_step(0, -1, 0, [at(Signal.TURN_OPEN), at(Signal.ABORT, cause=Cause.PROVIDER_FAILURE)])
    seen.on_over(10**9)
    began, failed, turn, aborted, over = read.lines()
    assert (began["message"], over["message"], over["count"]) == ("session began", "session is over", 2)
    assert (failed["level"], failed["node"], failed["outcome"]) == ("warning", "llm", "timeout")
    assert (turn["turn_id"], turn["terminal"], turn["playback_ms"], turn["duration_ms"]) == ("s-1/1", "commit", 20, 50)
    assert (aborted["level"], aborted["reason"], aborted["playback_ms"]) == ("warning", "provider_failure", None)
    assert {line["trace_id"] for line in (began, failed, turn, aborted, over)} == {"ab" * 16}
