"""The driver against scripted providers, in virtual time, on the pure twin."""

from __future__ import annotations

import asyncio
import itertools
import threading
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Signal
from rspp_runtime.providers.contract import Cancelled, Invocation, Outcome, ProviderError
from rspp_runtime.session.virtual import run

MS = 1_000_000


async def _ask(s: ModuleType, ears: Any, frames: int = 20) -> None:
    await s.hush(ears, 3)
    await s.talk(ears, frames)
    await s.hush(ears, 2)


def _asks_once(s: ModuleType) -> Any:
    async def user(ears: Any, _: Any) -> None:
        await _ask(s, ears)
        await s.quiet(ears)

    return user


def _asks_twice(s: ModuleType) -> Any:
    async def user(ears: Any, _: Any) -> None:
        await _ask(s, ears)
        await s.quiet(ears)
        await _ask(s, ears)
        await s.quiet(ears)

    return user


def test_a_turn_from_speech_to_silence(scripted: ModuleType) -> None:
    _driver, watch, party = run(scripted.converse(scripted.Party(_asks_once(scripted))), virtual=True)
    decided = [Signal(o.code) for o in watch.signals()]
    assert decided == [
        Signal.CONNECTED, Signal.HEARD, Signal.TURN_OPEN_PROPOSED, Signal.TURN_OPEN, Signal.OUTPUT_ACCEPTED,
        Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.COMMIT, Signal.CLOSE, Signal.ENDED,
    ]  # fmt: skip
    shown = b"".join(payload for _, port, payload in party.sent if port == "text")
    assert shown == b"It is four o'clock. Good bye."
    completed = watch.signals(Signal.PLAYBACK_COMPLETED)[0]
    assert (completed.x, completed.y) == (6, len(shown))


def test_audio_is_paced_at_most_the_lead_ahead(scripted: ModuleType) -> None:
    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted))), virtual=True)
    sends = [o for o in watch.outputs if o.op == Op.SEND and o.port == 0]
    assert len(sends) == 72  # 7 pieces between spaces of 10 frames, and one after each sentence
    assert all(o.x - o.t_ns <= 200 * MS for o in sends)
    assert [b.x - a.x for a, b in itertools.pairwise(sends)] == [20 * MS] * (len(sends) - 1)


def test_every_invocation_ends_exactly_once(scripted: ModuleType) -> None:
    _, watch, _ = run(scripted.converse(scripted.Party(_asks_twice(scripted))), virtual=True)
    invoked = [o.invocation for o in watch.outputs if o.op == Op.INVOKE]
    done = [e.invocation for _, e, result in watch.inputs if e.op == In.DONE and result == Result.ACCEPTED]
    assert sorted(done) == sorted(invoked)
    assert len(invoked) == 7  # one vad, and for each turn stt, llm, voice


@pytest.mark.feature("F-033", "silence")
def test_talking_over_the_answer_stops_it(scripted: ModuleType) -> None:
    async def user(ears: Any, party: Any) -> None:
        await _ask(scripted, ears)
        await scripted.hush(ears, 25)
        await scripted.talk(ears, 10)
        party.heard_until = ears.clock.now_ns()
        await scripted.quiet(ears)

    answer = scripted.answer("One two three four five six seven eight. Nine ten.")
    _, watch, party = run(scripted.converse(scripted.Party(user), llm=answer), virtual=True)
    cut = watch.signals(Signal.PLAYBACK_CANCELLED)[0]
    assert 0 < cut.x < 8
    abort = watch.signals(Signal.ABORT)[0]
    assert abort.cause == Cause.CANCELLED
    assert party.flushes == [abort.t_ns]
    assert not [o for o in watch.outputs if o.op == Op.SEND and o.turn == 1 and o.t_ns > abort.t_ns]
    assert [o.turn for o in watch.signals(Signal.COMMIT)] == [2]  # and the interruption is answered


def test_a_long_answer_waits_for_its_listener(scripted: ModuleType) -> None:
    """Full back-pressure: a voice that makes 20 s of speech in no time is suspended, and nothing is lost."""
    made: list[int] = []

    async def fast_voice(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for index in range(1000):
            made.append(index)
            await call.emit("audio", index.to_bytes(2, "little") * 320)

    async def user(ears: Any, party: Any) -> None:
        await _ask(scripted, ears)
        await scripted.hush(ears, 50)
        party.made_after_1s = len(made)
        await scripted.quiet(ears)

    _, watch, party = run(scripted.converse(scripted.Party(user), voice=fast_voice), virtual=True)
    assert party.made_after_1s < 1000 * MS / (20 * MS) + 100 + 15  # played, held by the edge, and the lead
    played = [int.from_bytes(payload[:2], "little") for _, port, payload in party.sent if port == "audio"]
    assert played == list(range(1000))
    assert watch.signals(Signal.FLOW_XOFF)
    assert len(watch.signals(Signal.FLOW_XOFF)) == len(watch.signals(Signal.FLOW_XON))


@pytest.mark.feature("F-037", "forced")
def test_a_provider_that_ignores_its_cancel_is_forced(scripted: ModuleType) -> None:
    stubborn: list[str] = []

    async def deaf(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        try:
            for index in range(200):
                await call.emit("audio", scripted.FRAME)
                stubborn.append(f"frame {index}")
        except Cancelled:
            await asyncio.sleep(3600)  # refuses to go

    async def user(ears: Any, _: Any) -> None:
        await _ask(scripted, ears)
        await scripted.hush(ears, 20)
        await _ask(scripted, ears)
        await scripted.quiet(ears)

    _, watch, _ = run(scripted.converse(scripted.Party(user), voice=deaf), virtual=True)
    cancel = next(o for o in watch.outputs if o.op == Op.CANCEL and o.node == scripted.VOICE)
    force = next(o for o in watch.outputs if o.op == Op.FORCE)
    assert force.invocation == cancel.invocation
    assert force.t_ns == cancel.x == cancel.t_ns + 75 * MS
    end = next(e for e in watch.ends if e.invocation == cancel.invocation)
    assert (end.outcome, end.end_ns) == (Outcome.CANCELLED, force.t_ns)


@pytest.mark.feature("F-175", "refused", "zero")
def test_not_even_one_that_swallows_everything_holds_the_session(scripted: ModuleType) -> None:
    """It catches the cancellation of its task too, and goes on emitting for ever without a pause."""

    async def undead(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        while not gone.is_set():
            try:
                await call.emit("audio", scripted.FRAME)
            except (Cancelled, asyncio.CancelledError):
                continue

    gone = asyncio.Event()

    async def whole() -> Any:
        outcome = await scripted.converse(scripted.Party(_interrupts(scripted)), voice=undead)
        gone.set()
        return outcome

    _, watch, _ = run(whole(), virtual=True)
    assert watch.signals(Signal.ENDED)
    assert len(watch.signals(Signal.LATE_AFTER_CANCEL)) > 10
    late = watch.signals(Signal.LATE_AFTER_CANCEL)[0]
    assert late.node == scripted.VOICE
    assert late.x == 640
    first_abort = watch.signals(Signal.ABORT)[0].t_ns
    assert all(o.turn != 1 for o in watch.outputs if o.op == Op.SEND and o.t_ns > first_abort)


def _interrupts(s: ModuleType) -> Any:
    async def user(ears: Any, _: Any) -> None:
        await _ask(s, ears)
        await s.hush(ears, 20)
        await s.talk(ears, 5)
        await s.hush(ears, 30)

    return user


def test_a_provider_that_raises_ends_its_turn_and_not_the_session(scripted: ModuleType) -> None:
    calls = 0

    async def moody(call: Invocation) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("no such model")
        await scripted.answer("Fine.")(call)

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_twice(scripted)), llm=moody), virtual=True)
    error = watch.signals(Signal.PROVIDER_ERROR)[0]
    assert (error.node, error.x) == (scripted.LLM, Outcome.INFRASTRUCTURE_FAILURE)
    assert [(o.turn, o.cause) for o in watch.signals(Signal.ABORT)] == [(1, Cause.PROVIDER_FAILURE)]
    assert [o.turn for o in watch.signals(Signal.COMMIT)] == [2]
    end = next(e for e in watch.ends if e.outcome == Outcome.INFRASTRUCTURE_FAILURE)
    assert end.reason == "KeyError: 'no such model'"


@pytest.mark.feature("F-160", "outcome")
def test_an_outcome_of_a_provider_error_is_passed_on(scripted: ModuleType) -> None:
    async def busy(call: Invocation) -> None:
        raise ProviderError(Outcome.OVERLOAD, "429", retryable=True)

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted)), llm=busy), virtual=True)
    assert watch.signals(Signal.PROVIDER_ERROR)[0].x == Outcome.OVERLOAD
    done = next(e for _, e, _ in watch.inputs if e.op == In.DONE and e.node == scripted.LLM)
    assert (done.a, done.b) == (Outcome.OVERLOAD, 1)


@pytest.mark.parametrize(
    ("port", "payload", "said"),
    [
        ("sound", b"", "no output 'sound'"),
        ("audio", b"\0" * 641, "641 bytes are not an audio frame"),
        ("audio", b"\0" * 1000, "1000 bytes"),
        ("audio", b"", "0 bytes"),
    ],
)
def test_malformed_output_fails_its_provider(scripted: ModuleType, port: str, payload: bytes, said: str) -> None:
    async def wrong(call: Invocation) -> None:
        await call.emit(port, payload)

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted)), voice=wrong), virtual=True)
    end = next(e for e in watch.ends if e.node == scripted.VOICE)
    assert end.outcome == Outcome.INFRASTRUCTURE_FAILURE
    assert said in end.reason
    assert watch.signals(Signal.ABORT)[0].cause == Cause.PROVIDER_FAILURE


def test_an_oversized_text_is_refused_by_the_kernel_and_fails_its_provider(scripted: ModuleType) -> None:
    async def long_winded(call: Invocation) -> None:
        await call.emit("delta", b"x" * 5000)

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted)), llm=long_winded), virtual=True)
    assert watch.signals(Signal.REJECT)[0].cause == Cause.OVERSIZED
    assert "the kernel refused 5000 bytes" in next(e for e in watch.ends if e.node == scripted.LLM).reason


def test_a_flood_of_revisions_neither_stops_time_nor_grows(scripted: ModuleType) -> None:
    """A recogniser that never waits for anything while it revises: others run, and only the newest is kept."""

    async def babbling(call: Invocation) -> None:
        async for _ in call.inputs():
            break
        for index in range(5000):
            await call.emit("partial", f"revision {index}".encode())
        async for _ in call.inputs():
            pass
        await call.emit("final", b"hello", final=True)

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted)), stt=babbling), virtual=True)
    assert sum(e.op == In.CHUNK and e.payload.startswith(b"revision") for _, e, _ in watch.inputs) == 5000
    assert watch.signals(Signal.COMMIT)


def test_a_turn_whose_evidence_cannot_be_kept_aborts(scripted: ModuleType) -> None:
    def full_disk(turn: int) -> bool:
        raise OSError(28, "No space left on device")

    party = scripted.Party(_asks_once(scripted))
    _, watch, _ = run(scripted.converse(party, append=full_disk), virtual=True)
    assert [o.cause for o in watch.signals(Signal.ABORT)] == [Cause.RECORDING_EVIDENCE_UNAVAILABLE]
    assert not watch.signals(Signal.COMMIT)


def test_a_request_of_another_thread_goes_before_what_was_not_performed_yet(scripted: ModuleType) -> None:
    """A sink that takes its time: behind the one item that it is at, nothing more of the cancelled turn comes."""
    drivers: list[Any] = []

    class Busy(scripted.Party):  # type: ignore[misc, name-defined]
        count = 0

        def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
            super().send(port, turn, payload, play_at_ns)
            self.count += port == "audio"
            if port == "audio" and self.count == 2:  # of those that came in one step
                thread = threading.Thread(target=drivers[0].request, args=(Control.CANCEL_TURN,))
                thread.start()
                thread.join()

        async def run(self, ears: Any) -> None:
            drivers.append(ears)
            await super().run(ears)

    party = Busy(_asks_once(scripted))
    _, watch, _ = run(scripted.converse(party), virtual=True)
    decided = [o.code for o in watch.signals(Signal.CANCEL, Signal.ABORT, Signal.COMMIT)]
    assert decided == [Signal.CANCEL, Signal.ABORT]
    drained = [o for o in watch.outputs if o.op == Op.SEND and o.port == 0]
    assert len(drained) > party.count == 2  # the others had been given, and were taken back
    assert party.flushes == [watch.signals(Signal.ABORT)[0].t_ns]


def test_evidence_that_never_comes_aborts_at_its_deadline(scripted: ModuleType) -> None:
    def never(turn: int) -> asyncio.Future[bool]:
        return asyncio.get_running_loop().create_future()

    _, watch, _ = run(scripted.converse(scripted.Party(_asks_once(scripted)), append=never), virtual=True)
    asked = next(o for o in watch.outputs if o.op == Op.APPEND)
    abort = watch.signals(Signal.ABORT)[0]
    assert abort.cause == Cause.RECORDING_EVIDENCE_UNAVAILABLE
    assert abort.t_ns == asked.t_ns + 500 * MS


def test_the_model_is_told_what_was_heard_and_not_what_was_said(scripted: ModuleType) -> None:
    contexts: list[list[tuple[str, str]]] = []

    async def remembers(call: Invocation) -> None:
        contexts.append([tuple(message) for message in call.messages])
        await scripted.answer("One two three four five six seven eight nine ten.")(call)

    async def user(ears: Any, _: Any) -> None:
        await _ask(scripted, ears)
        await scripted.hush(ears, 25)
        await scripted.talk(ears, 5)
        await scripted.quiet(ears)

    _, watch, _ = run(scripted.converse(scripted.Party(user), llm=remembers), virtual=True)
    heard = watch.signals(Signal.PLAYBACK_CANCELLED)[0].x
    assert contexts[0] == []
    (user_role, asked), (assistant_role, said) = contexts[1]
    assert (user_role, asked, assistant_role) == ("user", "20 frames", "assistant")
    assert 0 < len(said.split()) == heard < 10


def test_typed_text_is_an_utterance(scripted: ModuleType) -> None:
    async def user(ears: Any, _: Any) -> None:
        assert await ears.media("text", b"What time is it?", 0) == Result.ACCEPTED
        await scripted.quiet(ears)

    _, watch, _ = run(scripted.converse(scripted.Party(user)), virtual=True)
    fed = next(o for o in watch.outputs if o.op == Op.FEED and o.node == scripted.LLM)
    assert fed.payload == b"What time is it?"
    assert watch.signals(Signal.COMMIT)


def test_a_missing_provider_is_named(scripted: ModuleType) -> None:
    async def user(ears: Any, _: Any) -> None: ...

    with pytest.raises(ValueError, match="no provider is bound to node voice"):
        run(_without_voice(scripted, user), virtual=True)


async def _without_voice(s: ModuleType, user: Any) -> None:
    from rspp_runtime.reference import Session
    from rspp_runtime.session.clock import MonotonicClock
    from rspp_runtime.session.driver import Driver

    plan = s.plan()
    fake = s.Fake("x", s.listen)
    Driver(
        Session(plan, "t", 1, []), plan, clock=MonotonicClock(), epoch=1, transport=s.Party(user),
        providers={name: [(name, fake)] for name in ("ears", "stt", "llm")}, append=lambda turn: True,
    )  # fmt: skip


def test_the_same_in_real_time(scripted: ModuleType) -> None:
    """The loop is the only difference."""

    async def user(ears: Any, _: Any) -> None:
        await _ask(scripted, ears, frames=5)
        await scripted.quiet(ears, quiet_ns=100 * MS)

    from rspp_runtime.session import clock

    class Real(clock.MonotonicClock):
        def __init__(self, _: Any) -> None:
            super().__init__()

    original = scripted.VirtualClock
    scripted.VirtualClock = Real
    try:
        quick = scripted.answer("Yes.", 0.0)
        _, watch, _ = run(scripted.converse(scripted.Party(user), llm=quick), virtual=False)
    finally:
        scripted.VirtualClock = original
    assert watch.signals(Signal.COMMIT)
    opened = watch.signals(Signal.TURN_OPEN)[0].t_ns
    assert 150 * MS < opened < 2000 * MS
