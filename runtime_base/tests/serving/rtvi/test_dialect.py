"""What RTVI's clients say and are told, without a session."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.abi.codes import Cause, Control, Origin, Signal
from rspp_runtime.audio.format import Format
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.serving.dialect import Audio, Bye, DialectError, Hello, Key, Several, Sounds, Told, Typed
from rspp_runtime.serving.rtvi import frames
from rspp_runtime.serving.rtvi.dialect import TOLD, Rtvi
from rspp_runtime.session.observer import InvocationEnd
from rtvi_words import NOON, decided, read, ready, said, types, welcome

FRAMINGS = pytest.mark.parametrize("binary", [True, False], ids=["protobuf", "json"])
INTERRUPT = Told(0, Control.CANCEL_TURN)


# ---- who comes


@FRAMINGS
def test_a_client_that_is_ready_is_answered_in_its_framing(binary: bool) -> None:
    dialect, told, word = ready("2.1.0", binary=binary)
    assert isinstance(word, Hello)
    assert (word.audio_in, word.audio_out) == (Format("pcm16", 16_000), Format("pcm16", 24_000))
    assert not word.reports
    assert [(one["type"], one["id"]) for one in told] == [("bot-ready", "r1")]
    assert told[0]["data"]["version"] == "2.1.0"
    assert told[0]["data"]["capabilities"]["audio_in"] is True
    assert "secret" not in json.dumps(told), "these clients cannot come back: they get no token to do so"
    assert all(isinstance(one, bytes) is binary for one in dialect.text(1, 1, "Hello."))


@pytest.mark.parametrize(
    ("given", "spoken", "warned"),
    [
        ({"version": "2.2.0"}, "2.2.0", False),
        ({"version": "2.9.1"}, "2.2.0", False),  # of later: the newest that is spoken here
        ({"version": "1.4.0"}, "1.4.0", False),  # of before: its own
        ({"version": "2.1.0-beta.1"}, "2.1.0", False),
        ({"version": "3.0.0"}, "2.2.0", True),
        ({"version": "two"}, "1.0.0", True),
        ({}, "1.0.0", True),
        (None, "1.0.0", True),
    ],
)
def test_versions_meet(given: Any, spoken: str, warned: bool) -> None:
    dialect = Rtvi(lambda: NOON)
    dialect.receive(said("client-ready", given, number="r1"))
    dialect.receive(frames.audio(bytes(640), 16_000))  # what comes meanwhile does not take its number away
    told = read(dialect.welcome(welcome()))
    assert told[0]["data"]["version"] == spoken
    assert [(one["type"], one["id"]) for one in told[1:]] == [("error-response", "r1")] * warned


def test_before_it_is_ready_nothing_is_taken() -> None:
    dialect = Rtvi(lambda: NOON)
    assert dialect.receive(frames.audio(bytes(640), 16_000)) is None
    with pytest.raises(DialectError, match="client-ready"):
        dialect.receive(said("send-text", {"content": "hello"}))
    dialect.receive(said("client-ready", {"version": "2.1.0"}))
    with pytest.raises(DialectError, match="once"):
        dialect.receive(said("client-ready", {"version": "2.1.0"}))


def test_a_microphone_that_is_open_too_early_is_no_mistake() -> None:
    dialect = Rtvi(lambda: NOON)
    dialect.receive(said("client-ready", {"version": "2.1.0"}))
    assert dialect.error(DialectError("too_early", "not taken: wait for `welcome`")) == ()


# ---- what it says


def test_audio_is_taken_at_the_rate_that_its_frames_declare() -> None:
    dialect, _, _ = ready()
    assert dialect.receive(frames.audio(b"\1\0" * 256, 16_000)) == Audio(1, None, b"\1\0" * 256)
    word = dialect.receive(frames.audio(b"\2\0\3\0" * 480, 48_000, 2))
    assert word == Several((Sounds(Format("pcm16", 48_000, 2)), Audio(2, None, b"\2\0\3\0" * 480)))
    assert dialect.receive(frames.audio(bytes(4), 48_000, 2)) == Audio(3, None, bytes(4))
    with pytest.raises(DialectError, match="rate_hz"):
        dialect.receive(frames.audio(bytes(640), 22_050))


def test_long_packets_are_cut_and_empty_ones_are_nothing() -> None:
    dialect, _, _ = ready()
    word = dialect.receive(frames.audio(bytes(8192), 16_000))  # 256 ms, as the client's recorder cuts them if not told
    assert isinstance(word, Several)
    assert [len(one.payload) for one in word.words if isinstance(one, Audio)] == [3840, 3840, 512]
    assert [one.sequence for one in word.words if isinstance(one, Audio)] == [1, 2, 3]
    assert dialect.receive(frames.audio(b"", 16_000)) is None


def test_audio_in_json_is_base64() -> None:
    dialect, _, _ = ready(binary=False)
    one = base64.b64encode(bytes(640)).decode()
    data = {"base64Audio": one, "sampleRate": 16_000, "numChannels": 1}
    assert dialect.receive(said("raw-audio", data, binary=False)) == Audio(1, None, bytes(640))
    batch = {"base64AudioBatch": [one, one], "sampleRate": 16_000, "numChannels": 1}
    assert dialect.receive(said("raw-audio-batch", batch, binary=False)) == Several(
        (Audio(2, None, bytes(640)), Audio(3, None, bytes(640)))
    )
    for wrong in ({}, data | {"base64Audio": "*"}, data | {"sampleRate": "16000"}, batch | {"base64AudioBatch": [1]}):
        with pytest.raises(DialectError):
            dialect.receive(said("raw-audio", wrong, binary=False))


def test_a_pipeline_without_ears_is_not_told_of_each_frame() -> None:
    dialect, told, _ = ready(audio_in=None)
    assert told[0]["data"]["capabilities"]["audio_in"] is False
    assert dialect.receive(frames.audio(bytes(640), 16_000)) is None


@pytest.mark.parametrize(
    ("kind", "data", "word"),
    [
        ("send-text", {"content": " hello "}, Several((INTERRUPT, Typed(0, "hello")))),
        ("send-text", {"content": "hi", "options": {"run_immediately": True}}, Several((INTERRUPT, Typed(0, "hi")))),
        ("append-to-context", {"role": "user", "content": "hi"}, Several((INTERRUPT, Typed(0, "hi")))),
        ("dtmf", {"buttons": ["1", "#"]}, Several((Key(0, "1"), Key(0, "#")))),
        ("dtmf", {"button": "0"}, Several((Key(0, "0"),))),  # before 2.1.0
        ("disconnect-bot", {}, Bye("disconnect-bot")),
        ("disconnect-bot", None, Bye("disconnect-bot")),
    ],
)
@FRAMINGS
def test_requests(kind: str, data: Any, word: object, binary: bool) -> None:
    dialect, _, _ = ready(binary=binary)
    assert dialect.receive(said(kind, data, binary=binary)) == word


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("send-text", {}),
        ("send-text", {"content": " "}),
        ("send-text", {"content": ["a"]}),
        ("send-text", {"content": "x" * 4097}),
        ("send-text", {"content": "hello", "options": {"run_immediately": False}}),
        ("send-text", {"content": "hello", "options": {"audio_response": False}}),
        ("append-to-context", {"role": "assistant", "content": "hello"}),
        ("dtmf", {"buttons": []}),
        ("dtmf", {"buttons": ["12"]}),
        ("dtmf", {"buttons": ["1"] * 33}),
        ("client-message", {"t": "weather", "d": {}}),
        ("send-file", {"content": "look", "file": {}}),
        ("llm-function-call-result", {"function_name": "f"}),
        ("ui-snapshot", {"tree": {}}),
        ("of-tomorrow", 7),
    ],
)
def test_what_there_is_no_word_for_is_answered_by_an_error_of_its_number(kind: str, data: Any) -> None:
    dialect, _, _ = ready()
    with pytest.raises(DialectError) as refused:
        dialect.receive(said(kind, data, number="n7"))
    assert not refused.value.close
    [told] = read(dialect.error(refused.value))
    assert (told["type"], told["id"]) == ("error-response", "n7")
    assert told["data"]["error"] == refused.value.reason


def test_what_is_no_message_is_an_error_without_a_number() -> None:
    dialect, _, _ = ready()
    for wrong in (b"\xff", b"", "", "[]", '{"type": "send-text"}', '{"label": "rtvi-ai", "type": 1}', "[" * 10_000):
        with pytest.raises(DialectError) as refused:
            dialect.receive(wrong)
        [told] = read(dialect.error(refused.value))
        assert (told["type"], told["data"]["fatal"]) == ("error", False)


def test_half_a_letter_is_said_again_as_a_question_mark() -> None:
    dialect, _, _ = ready()
    text = '{"label": "rtvi-ai", "type": "client-message", "id": "\\ud800", "data": {"t": "\\udfff"}}'
    with pytest.raises(DialectError) as refused:
        dialect.receive(text)
    [told] = read(dialect.error(refused.value))
    assert told["id"] == "?"
    assert dialect.receive('{"label": "rtvi-ai", "type": "send-text", "data": {"content": "\\ud800"}}') == Several(
        (INTERRUPT, Typed(0, "?"))
    )
    assert read(dialect.began(1, 1, node("llm"), 9))[0]["data"] == {"text": "?"}


def test_an_interruption_frame_stops_the_turn() -> None:
    dialect, _, _ = ready()
    assert dialect.receive(frames.interruption()) == INTERRUPT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KINDS = [
    "client-ready", "send-text", "append-to-context", "dtmf", "disconnect-bot", "client-message", "raw-audio",
    "raw-audio-batch", "send-file", "metrics", "",
]  # fmt: skip
NAMES = [
    "version", "about", "content", "options", "buttons", "button", "role", "run_immediately", "base64Audio",
    "base64AudioBatch", "sampleRate", "numChannels", "t", "d",
]  # fmt: skip


@given(
    st.sampled_from(KINDS), json_values | st.dictionaries(st.sampled_from(NAMES), json_values), json_values,
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_rubbish_never_does_more_than_be_refused(kind: str, data: Any, number: Any, binary: bool, late: bool) -> None:
    dialect = ready()[0] if late else Rtvi(lambda: NOON)
    text = json.dumps({"label": "rtvi-ai", "type": kind, "id": number, "data": data})
    try:
        dialect.receive(frames.message(text) if binary else text)
    except DialectError as refused:
        read(dialect.error(refused))


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_so_does_what_is_not_even_that(message: bytes | str) -> None:
    dialect = ready()[0]
    try:
        dialect.receive(message)
    except DialectError as refused:
        read(dialect.error(refused))


# ---- what it is told


def test_what_the_user_says_is_told_while_it_is_said() -> None:
    dialect, _, _ = ready("2.1.0")
    assert types(dialect.decision(1, decided(Signal.HEARD, 0))) == ["user-started-speaking"]
    assert types(dialect.decision(2, decided(Signal.HEARD, 0))) == [], "told once"
    [partial] = read(dialect.transcript(3, "what is", final=False))
    assert partial == {
        "type": "user-transcription",
        "data": {"text": "what is", "user_id": "", "timestamp": NOON, "final": False},
    }
    proposed = decided(Signal.TURN_OPEN_PROPOSED, 0, x=Origin.SPEECH)
    assert types(dialect.decision(4, proposed)) == ["user-stopped-speaking"]
    assert types(dialect.decision(5, proposed)) == []
    assert read(dialect.transcript(6, "what is it", final=True))[0]["data"]["final"] is True


def test_a_client_of_now_has_input_of_the_user_too() -> None:
    dialect, _, _ = ready("2.2.0")
    _, told = read(dialect.transcript(1, "hello", final=True))
    assert (told["type"], told["data"]["input_type"]) == ("user-input", "transcription")


def node(kind: str, name: str = "n", *, tool: bool = False) -> Any:
    return SimpleNamespace(kind=kind, name=name, tool=object() if tool else None)


def end(outcome: int = Outcome.SUCCESS, first_ms: int = 120) -> InvocationEnd:
    first_ns = first_ms * 1_000_000 if first_ms >= 0 else -1
    return InvocationEnd(1, 9, "scripted", outcome, False, "", 0, first_ns, 400_000_000)


def test_a_model_at_work() -> None:
    dialect, _, _ = ready()
    dialect.transcript(1, "what time is it", final=True)
    dialect.receive(said("send-text", {"content": "in Oslo"}))
    asked, started = read(dialect.began(2, 1, node("llm"), 9))
    assert asked == {"type": "user-llm-text", "data": {"text": "what time is it in Oslo"}}
    assert started == {"type": "bot-llm-started"}
    assert types(dialect.began(3, 1, node("llm"), 10)) == ["bot-llm-started"], "asked again, after a tool"
    stopped, metrics = read(dialect.ended(4, node("llm", "thinker"), end()))
    assert stopped == {"type": "bot-llm-stopped"}
    assert metrics["data"] == {
        "processing": [{"processor": "thinker", "value": 0.4, "model": "scripted"}],
        "ttfb": [{"processor": "thinker", "value": 0.12, "model": "scripted"}],
    }
    assert types(dialect.ended(5, node("stt"), end(first_ms=-1))) == ["metrics"]
    assert types(dialect.ended(6, node("vad"), end())) == []


def test_a_tool_at_work_is_named_and_its_arguments_are_not() -> None:
    dialect, _, _ = ready()
    started, progress = read(dialect.began(1, 1, node("tool", "find", tool=True), 9))
    assert started == {"type": "llm-function-call-started", "data": {"function_name": "find"}}
    assert progress["data"] == {"function_name": "find", "tool_call_id": "9"}
    [stopped] = read(dialect.ended(2, node("tool", "find", tool=True), end(Outcome.CANCELLED)))
    assert stopped["data"] == {"function_name": "find", "tool_call_id": "9", "cancelled": True}


def outputs(messages: Any) -> list[dict[str, Any]]:
    return [one["data"] for one in read(messages) if isinstance(one, dict) and one["type"] == "bot-output"]


def test_what_is_said_aloud_is_shown_when_it_is_heard() -> None:
    dialect, _, _ = ready("2.1.0")
    assert outputs(dialect.voiced(1, 1, "Grüß dich. ")) == [], "nobody has heard it yet"
    started = dialect.decision(2, decided(Signal.PLAYBACK_STARTED))
    assert types(started) == ["bot-started-speaking", "bot-output", "bot-tts-text", "bot-transcription"]
    first = {"text": "Grüß dich. ", "aggregated_by": "sentence", "segment_id": 1, "will_be_spoken": True}
    assert outputs(started) == [
        first | {"spoken_status": "new", "spoken_progress": {"accumulated_text": "", "remaining_text": "Grüß dich. "}}
    ]
    assert outputs(dialect.voiced(3, 1, "Wie geht’s?"))[0]["segment_id"] == 2, "it is playing: shown at once"
    size = len("Grüß dich. Wie geht’s?".encode())
    completed = dialect.decision(4, decided(Signal.PLAYBACK_COMPLETED, x=4, y=size))
    assert [one["spoken_status"] for one in outputs(completed)] == ["completed", "completed"]
    assert types(completed)[-1] == "bot-stopped-speaking"


def test_of_what_was_cut_off_the_words_until_then_are_shown() -> None:
    dialect, _, _ = ready("2.1.0")
    dialect.decision(1, decided(Signal.PLAYBACK_STARTED))
    dialect.voiced(2, 1, "Größe ist relativ. ")
    dialect.voiced(3, 1, "Immer.")
    assert types(dialect.decision(4, decided(Signal.BARGE_IN))) == ["bot-interrupted"]
    cut = dialect.decision(5, decided(Signal.PLAYBACK_CANCELLED, x=1, y=len("Größe".encode())))
    assert types(cut) == ["bot-output", "bot-stopped-speaking"], "that it was interrupted was told"
    assert outputs(cut)[0] == {
        "text": "Größe ist relativ. ", "aggregated_by": "sentence", "segment_id": 1, "will_be_spoken": True,
        "spoken_status": "in-progress",
        "spoken_progress": {"accumulated_text": "Größe", "remaining_text": " ist relativ. "},
    }  # fmt: skip
    later = dialect.decision(6, decided(Signal.PLAYBACK_CANCELLED, turn=2))
    assert types(later) == ["bot-interrupted", "bot-stopped-speaking"], "cut off by somebody else"


def test_a_letter_that_was_half_heard_was_not() -> None:
    dialect, _, _ = ready("2.1.0")
    dialect.decision(1, decided(Signal.PLAYBACK_STARTED))
    dialect.voiced(2, 1, "aß")
    [shown] = outputs(dialect.decision(3, decided(Signal.PLAYBACK_CANCELLED, y=2)))
    assert shown["spoken_progress"] == {"accumulated_text": "a", "remaining_text": "ß"}


def test_a_client_of_before_has_what_is_said_in_its_own_form() -> None:
    dialect, _, _ = ready("1.4.0")
    dialect.decision(1, decided(Signal.PLAYBACK_STARTED))
    assert outputs(dialect.voiced(2, 1, "One. "))[0]["spoken"] is False
    [heard] = outputs(dialect.decision(3, decided(Signal.PLAYBACK_CANCELLED, y=3)))
    assert heard == {"text": "One", "aggregated_by": "sentence", "segment_id": 1, "spoken": True}


def test_what_no_voice_says_is_shown_whole() -> None:
    dialect, _, _ = ready("2.1.0")
    assert types(dialect.text(1, 1, "Four ")) == ["bot-llm-text"]
    dialect.text(2, 1, "o’clock.")
    assert outputs(dialect.decision(3, decided(Signal.COMMIT))) == [
        {"text": "Four o’clock.", "aggregated_by": "sentence", "will_be_spoken": False, "spoken_status": "new"}
    ]
    dialect.text(4, 2, "Five.")
    dialect.voiced(5, 2, "Five.")
    dialect.text(6, 2, " And six.")  # which is not said aloud before the turn is over
    assert outputs(dialect.decision(7, decided(Signal.COMMIT, turn=2))) == []


@pytest.mark.parametrize("version", ["2.2.0", "2.1.0", "1.4.0"])
def test_the_frame_that_makes_a_player_deaf_is_not_sent(version: str) -> None:
    dialect, _, _ = ready(version)
    assert dialect.flush(1, 1) == ()


@FRAMINGS
def test_audio_is_said_at_the_rate_of_the_clients_player(binary: bool) -> None:
    dialect, _, _ = ready(binary=binary)
    [told] = read(dialect.audio(1, 1, 0, b"\1\0" * 480))
    if binary:
        assert told == frames.Audio(b"\1\0" * 480, 24_000, 1)
    else:
        assert told["type"] == "bot-tts-audio"
        assert base64.b64decode(told["data"]["audio"]) == b"\1\0" * 480
        assert (told["data"]["sample_rate"], told["data"]["num_channels"]) == (24_000, 1)


def test_time_to_the_first_word_is_a_metric() -> None:
    dialect, _, _ = ready()
    dialect.decision(1, decided(Signal.TURN_OPEN_PROPOSED, 0, t_ms=1000, x=Origin.SPEECH))
    metrics = read(dialect.decision(2, decided(Signal.PLAYBACK_STARTED, t_ms=1730)))[1]
    assert metrics == {"type": "metrics", "data": {"ttfb": [{"processor": "turn", "value": 0.73}]}}


@pytest.mark.parametrize(
    ("signal", "cause", "told"),
    [
        (Signal.ABORT, Cause.PROVIDER_FAILURE, ["error"]),
        (Signal.ABORT, Cause.BUDGET_EXHAUSTED, ["error"]),
        (Signal.ABORT, Cause.CANCELLED, []),
        (Signal.COMMIT, Cause.NONE, []),
        (Signal.DEFER, Cause.TURN_ACTIVE, []),  # it waits for its moment
        (Signal.REJECT, Cause.SNAPSHOT_MISSING, ["error"]),
    ],
)
def test_what_went_wrong_is_said_and_is_not_the_end(signal: Signal, cause: Cause, told: list[str]) -> None:
    dialect, _, _ = ready()
    found = read(dialect.decision(1, decided(signal, cause=cause)))
    assert [one["type"] for one in found] == told
    assert not any(one["data"]["fatal"] for one in found)


def test_a_pause_is_a_pause() -> None:
    dialect, _, _ = ready()
    dialect.decision(1, decided(Signal.PLAYBACK_STARTED))
    assert types(dialect.decision(2, decided(Signal.PLAYBACK_PAUSED))) == ["bot-stopped-speaking"]
    assert types(dialect.decision(3, decided(Signal.PLAYBACK_RESUMED))) == ["bot-started-speaking"]


def test_the_end_is_told_only_where_it_is_a_surprise() -> None:
    dialect, _, _ = ready()
    assert dialect.goodbye(1000, "done", "", 0, 0) == ()
    [told] = read(dialect.goodbye(1001, "this server stops", "secret", 1, 1))
    assert told == {"type": "error", "data": {"error": "this server stops", "fatal": True}}


def test_every_decision_that_it_wants_has_a_word() -> None:
    dialect, _, _ = ready()
    for signal in TOLD:
        dialect.decision(1, decided(Signal(signal)))
