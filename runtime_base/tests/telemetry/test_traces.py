"""Traces: the spans of a conversation, as a collector gets them; and what happens without one."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loading import module_of
from rspp_runtime.abi.codes import Cause, In, Op, Signal, Unit
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.observer import InvocationEnd
from rspp_runtime.session.virtual import run
from rspp_runtime.telemetry import traces
from rspp_runtime.telemetry.traces import SessionTrace, Tracing

collector = module_of("rspp_collector", Path(__file__).with_name("collector.py"))
attributes = collector.attributes
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def spans(scripted: ModuleType) -> list[Any]:
    """Those of a conversation of two turns, of which the user talked over the second, sent to a real receiver."""

    async def user(ears: Any, party: Any) -> None:
        await scripted.talk(ears, 20)
        await scripted.hush(ears, 60)
        await scripted.talk(ears, 10)
        await scripted.hush(ears, 20)
        await scripted.quiet(ears)

    with collector.collecting() as receiver:
        tracing = Tracing(scripted.plan(), receiver.address, models={"llm": "m-1"})
        seen = tracing.session("s-1", "acme", time.time_ns(), PARENT)
        works = {"ears": scripted.listen, "stt": scripted.recognise, "llm": scripted.answer(scripted.LONG),
                 "voice": scripted.speak}  # fmt: skip
        bound = {name: [(name, scripted.Fake("x", work))] for name, work in works.items()}

        async def call() -> None:
            clock = VirtualClock(asyncio.get_running_loop())
            package = scripted.package(tracing.plan)
            await converse(package, bound, scripted.Party(user), clock, Options(session_id="s-1"), [seen])

        run(call(), virtual=True)
        tracing.close(10)
        assert receiver.resources[0]["rspp.template_hash"] == "ab" * 32
        assert receiver.resources[0]["service.name"] == "scripted"
        return list(receiver.spans)


def named(spans: Sequence[Any], name: str) -> list[Any]:
    return sorted((span for span in spans if span.name == name), key=lambda span: span.start_time_unix_nano)


@pytest.mark.feature("F-070", "spans")
def test_a_session_has_a_span_for_each_turn_and_call(spans: list[Any]) -> None:
    assert len(named(spans, "rspp.session")) == 1
    assert len(named(spans, "rspp.turn")) == 2
    assert len(named(spans, "chat m-1")) == 2
    assert len(named(spans, "tts voice")) == 2
    assert len(named(spans, "stt stt")) == 2
    assert len(named(spans, "vad ears")) == 1
    assert len({span.span_id for span in spans}) == len(spans)
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in spans)


@pytest.mark.feature("F-070", "links")
@pytest.mark.feature("NF-008", "consistent")
def test_every_span_says_whose_it_is(spans: list[Any]) -> None:
    session = named(spans, "rspp.session")[0]
    assert {span.trace_id.hex() for span in spans} == {PARENT.split("-")[1]}
    assert session.parent_span_id.hex() == PARENT.split("-")[2]
    for span in spans:
        found = attributes(span)
        assert (found["rspp.session_id"], found["rspp.tenant"], found["rspp.pipeline_version"]) == (
            "s-1",
            "acme",
            "1.0.0",
        )
        assert found["rspp.template_hash"] == "ab" * 32
    turns = named(spans, "rspp.turn")
    assert [attributes(turn)["rspp.turn_id"] for turn in turns] == ["s-1/1", "s-1/2"]
    for name in ("chat m-1", "tts voice"):
        for call, turn in zip(named(spans, name), turns, strict=True):
            assert call.parent_span_id == turn.span_id
            assert attributes(call)["rspp.turn_id"] == attributes(turn)["rspp.turn_id"]
            assert attributes(call)["rspp.turn.plan_hash"] == attributes(turn)["rspp.turn.plan_hash"]
            assert len(attributes(turn)["rspp.turn.plan_hash"]) == 64
    assert {span.parent_span_id for span in (*turns, *named(spans, "stt stt"))} == {session.span_id}
    for turn, asked in zip(turns, named(spans, "stt stt"), strict=True):
        assert [link.span_id for link in turn.links] == [asked.span_id]


def test_a_turn_says_how_it_went(spans: list[Any]) -> None:
    first, second = named(spans, "rspp.turn")
    one, two = attributes(first), attributes(second)
    assert (one["rspp.turn.status"], one["rspp.turn.reason"]) == ("cancelled", "cancelled")
    assert (two["rspp.turn.status"], two["rspp.turn.reason"], two["rspp.turn.origin"]) == (
        "committed",
        "completed",
        "speech",
    )
    assert 0 <= one["rspp.turn.words_heard"] < two["rspp.turn.words_heard"]
    told = [event.name for event in first.events]
    assert told[0] == "turn_open"
    assert {"playback_started", "barge_in", "cancel", "playback_cancelled"} <= set(told)
    fence = next(event for event in first.events if event.name == "cancel")
    assert attributes(fence)["cause"] == "barge_in"
    assert {span.status.code for span in (first, second)} == {Status.STATUS_CODE_UNSET}


def test_a_call_of_a_model_goes_by_the_conventions(spans: list[Any]) -> None:
    found = attributes(named(spans, "chat m-1")[1])
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.request.model"] == "m-1"
    assert found["gen_ai.provider.name"] == "llm"
    assert found["gen_ai.output.type"] == "text"
    assert found["gen_ai.conversation.id"] == "s-1"
    assert 0 < found["gen_ai.response.time_to_first_chunk"] < 1
    assert found["rspp.outcome"] == "success"
    assert named(spans, "chat m-1")[1].kind == Span.SPAN_KIND_CLIENT
    assert attributes(named(spans, "tts voice")[0])["gen_ai.output.type"] == "speech"


def test_no_span_has_a_word_that_was_said(spans: list[Any]) -> None:
    whole = " ".join(str(span) for span in spans)
    assert not [word for word in ("frames", "seventeen", "eleven", "thirty") if word in whole]


# ---- what goes wrong


class Kept:
    """An exporter that keeps."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def export(self, spans: Sequence[Any]) -> Any:
        self.spans += spans

    def shutdown(self) -> None: ...


def decide(seen: SessionTrace, code: Signal, turn: int = 1, at_ns: int = 0, **other: Any) -> None:
    seen.on_step(at_ns, -1, at_ns + 1_000_000, [Output(Op.DECISION, at_ns, 1, turn=turn, code=code, **other)])


def test_what_failed_is_an_error(scripted: ModuleType) -> None:
    kept = Kept()
    tracing = Tracing(scripted.plan(), exporter=kept)  # type: ignore[arg-type]
    seen = tracing.session("s-1", "acme", time.time_ns(), "no traceparent")
    decide(seen, Signal.TURN_OPEN, payload=bytes(32))
    seen.on_step(0, -1, 0, [Output(Op.INVOKE, 0, 1, node=3, turn=1, invocation=7)])
    seen.on_input(Inbound(In.USAGE, 3, Unit.TOKENS_OUT, 7, a=5), 0, 0)
    seen.on_input(Inbound(In.USAGE, 3, Unit.TOKENS_OUT, 7, a=6), 0, 0)
    seen.on_input(Inbound(In.USAGE, 3, Unit.TOKENS_OUT, 99, a=6), 0, 0)
    seen.on_invocation(InvocationEnd(3, 7, "llm", 1, True, "slow", 0, -1, 10**9))
    decide(seen, Signal.BUDGET_EXHAUSTED, y=3)
    decide(seen, Signal.ABORT, cause=Cause.PROVIDER_FAILURE)
    decide(seen, Signal.CLOSE)
    seen.on_over(2 * 10**9)
    tracing.close(10)
    call, turn, session = kept.spans
    assert (call.status.status_code.name, call.attributes["error.type"]) == ("ERROR", "timeout")
    assert call.attributes["gen_ai.usage.output_tokens"] == 11
    assert (turn.status.status_code.name, turn.attributes["error.type"]) == ("ERROR", "provider_failure")
    assert turn.attributes["rspp.turn.status"] == "aborted"
    assert session.parent is None
    assert session.end_time - session.start_time == 2 * 10**9


def test_a_session_that_breaks_off_leaves_no_span_open(scripted: ModuleType) -> None:
    kept = Kept()
    tracing = Tracing(scripted.plan(), exporter=kept)  # type: ignore[arg-type]
    seen = tracing.session("s-1", "acme", time.time_ns(), "")
    decide(seen, Signal.TURN_OPEN, payload=bytes(32))
    seen.on_step(0, -1, 0, [Output(Op.INVOKE, 0, 1, node=3, turn=1, invocation=7)])
    seen.on_over(10**9)
    tracing.close(10)
    assert len(kept.spans) == 3
    seen.on_invocation(InvocationEnd(3, 7, "llm", 1, True, "slow", 0, -1, 10**9))  # nothing happens


def test_session_time_that_began_elsewhere_is_where_the_wall_clock_says(scripted: ModuleType) -> None:
    kept = Kept()
    tracing = Tracing(scripted.plan(), exporter=kept)  # type: ignore[arg-type]
    seen = tracing.session("s-1", "acme", time.time_ns(), "")
    hours_ns = 3 * 3_600 * 10**9
    decide(seen, Signal.TURN_OPEN, at_ns=hours_ns, payload=bytes(32))
    decide(seen, Signal.CLOSE, at_ns=hours_ns + 10**9)
    tracing.close(10)
    assert abs(kept.spans[0].end_time - time.time_ns()) < 5 * 10**9


@pytest.mark.parametrize("how", ["nobody", "silent", "broken"])
def test_a_collector_that_is_away_blocks_nobody_and_nothing_grows(
    scripted: ModuleType, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, it takes the connection and never answers, or it answers 503."""
    before = set(threading.enumerate())  # engines of other tests
    monkeypatch.setattr(traces, "SPANS_MAX", 600)
    monkeypatch.setattr(traces, "BATCH_MAX", 100)
    with socket.create_server(("127.0.0.1", 0)) as listening, collector.collecting() as receiver:
        receiver.status = 503
        address = {
            "silent": f"http://127.0.0.1:{listening.getsockname()[1]}", "broken": receiver.address,
            "nobody": "http://127.0.0.1:9",
        }[how]  # fmt: skip
        tracing = Tracing(scripted.plan(), address)
        slowest_s = 0.0
        for number in range(1_500):
            start_s = time.perf_counter()
            tracing.session(f"s-{number}", "acme", time.time_ns(), "").on_over(10**9)
            slowest_s = max(slowest_s, time.perf_counter() - start_s)
        queue = tracing._provider._active_span_processor._span_processors[0]._batch_processor._queue  # type: ignore[attr-defined]
        assert len(queue) <= 600
        assert slowest_s < 2.0, "an export may take 5 s"
        start_s = time.perf_counter()
        tracing.close(0.3)
        assert time.perf_counter() - start_s < 1.0
    assert [thread.name for thread in threading.enumerate() if not thread.daemon and thread not in before] == []
