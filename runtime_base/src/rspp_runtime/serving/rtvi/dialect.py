"""The dialect RTVI (docs/rtvi.md): the words of `serving.dialect`, as public clients know them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container
from typing import Any

from rspp_runtime import __version__
from rspp_runtime.abi.codes import Cause, Origin, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Node
from rspp_runtime.audio.format import PACKET_MS_MAX, Format, FormatError
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.serving.dialect import (
    NOTHING,
    Audio,
    DialectError,
    Hello,
    Message,
    Messages,
    Several,
    Sounds,
    Typed,
    Welcome,
    Word,
)
from rspp_runtime.serving.packed import Writer
from rspp_runtime.serving.rtvi import frames, framing, requests
from rspp_runtime.serving.rtvi.captions import Captions, Piece
from rspp_runtime.serving.rtvi.requests import INTERRUPT, LEGACY_MAJOR, SPOKEN, Version
from rspp_runtime.session.observer import InvocationEnd

RECORDS_HZ = 16_000  # what a client sends that says nothing else
PLAYS_HZ = 24_000  # what a client plays, whatever a frame says
HEARD_MAX = 16  # utterances that one turn answers

TOLD: frozenset[int] = frozenset(
    {
        Signal.HEARD, Signal.TURN_OPEN_PROPOSED, Signal.REJECT, Signal.DEFER, Signal.COMMIT, Signal.ABORT,
        Signal.BARGE_IN, Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED,
        Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED,
    }
)  # fmt: skip
_FAILURES = {
    Cause.RECORDING_EVIDENCE_UNAVAILABLE,
    Cause.NODE_TIMEOUT_OR_FAILURE,
    Cause.PROVIDER_FAILURE,
    Cause.BUDGET_EXHAUSTED,
}
_MEASURED = {"stt", "llm", "tts"}

Fields = dict[str, Any]


class Rtvi:
    """One connection's dialect. `wall` says what time it is, in ISO 8601; `plays_hz` what the client's player has."""

    __slots__ = (
        "_asked", "_binary", "_captions", "_heard", "_input_end_ns", "_interrupted", "_out", "_plays_hz", "_ready_id",
        "_records", "_said", "_sequence", "_speaking", "_takes_audio", "_version", "_wall", "_warning",
    )  # fmt: skip

    numbered = False
    writer: Writer | None = None
    told: Container[int] = TOLD
    watches = True
    pings = False

    def __init__(self, wall: Callable[[], str], plays_hz: int = PLAYS_HZ) -> None:
        self._wall = wall
        self._plays_hz = plays_hz
        self._binary = True
        self._version: Version | None = None  # once the client has said that it is ready
        self._ready_id = self._warning = ""
        self._asked = ""  # the message that is being taken
        self._records = Format("pcm16", RECORDS_HZ)
        self._takes_audio = True
        self._sequence = 0
        self._captions = Captions()
        self._heard: deque[str] = deque(maxlen=HEARD_MAX)  # what the user said, since a model was asked
        self._said = (0, "")  # a turn, and what it has written
        self._speaking = False  # the user
        self._interrupted = 0  # the turn of which that was told
        self._input_end_ns = -1

    # ---- from the client

    def receive(self, message: Message) -> Word | None:
        self._asked = ""
        said = framing.read(message)
        if isinstance(said, frames.Audio):
            return self._sound([said])
        if self._version is None:
            self._binary = not isinstance(message, str)
        if isinstance(said, frames.Interruption):
            return INTERRUPT
        if isinstance(said, frames.Typed):
            self._must_be_ready()
            return self._utterance(requests.typed(said.text))
        kind, data = said["type"], said.get("data")
        self._asked = framing.clean(said.get("id"))
        if kind in framing.AUDIO_TYPES:
            return self._sound(framing.raw_audio(data if isinstance(data, dict) else {}))
        if kind == "client-ready":
            return self._ready(data if isinstance(data, dict) else {})
        self._must_be_ready()
        return self._utterance(requests.read(kind, data))

    def _utterance(self, word: Word) -> Word:
        if isinstance(word, Several):
            self._heard.extend(one.text for one in word.words if isinstance(one, Typed))
        return word

    def _must_be_ready(self) -> None:
        if self._version is None:
            raise DialectError("no_hello", "`client-ready` comes first", "type")

    def _ready(self, data: framing.Fields) -> Word:
        if self._version is not None:
            raise DialectError("second_hello", "`client-ready` is said once in a connection", "type")
        self._ready_id = self._asked
        self._version, self._warning = requests.version_of(data)
        return Hello(
            audio_in=self._records,
            audio_out=Format("pcm16", self._plays_hz),
            echo_cancelled=True,  # the public clients record with the browser's or the telephone's
            client=requests.client_of(data)[:100],
        )

    def _sound(self, packets: list[frames.Audio]) -> Word | None:
        """Packets as the client cut them; nothing before it is welcome, and where nobody listens."""
        if self._version is None or not self._takes_audio:
            return None
        words: list[Word] = []
        for payload, rate_hz, channels in packets:
            if (rate_hz, channels) != (self._records.rate_hz, self._records.channels):
                words.append(Sounds(self._new_format(rate_hz, channels)))
            sample = 2 * channels
            piece = rate_hz * PACKET_MS_MAX // 1000 * sample
            for at in range(0, len(payload), piece):
                self._sequence += 1
                words.append(Audio(self._sequence, None, payload[at : at + piece]))
        if not words:
            return None
        return words[0] if len(words) == 1 else Several(tuple(words))

    def _new_format(self, rate_hz: int, channels: int) -> Format:
        given = {"rate_hz": rate_hz, "channels": channels}
        try:
            self._records = Format.parse(given, "audio")
        except FormatError as error:
            raise DialectError("schema_validation_error", str(error), "audio") from None
        return self._records

    # ---- to the client

    def _say(self, kind: str, data: Fields | None = None, answers: str = "") -> Message:
        fields: Fields = {"type": kind}
        if answers:
            fields["id"] = answers
        if data is not None:
            fields["data"] = data
        return framing.write(fields, binary=self._binary)

    @property
    def _legacy(self) -> bool:
        return self._version is not None and self._version.major == LEGACY_MAJOR

    def welcome(self, welcome: Welcome) -> Messages:
        self._takes_audio = welcome.audio_in is not None
        about = {
            "library": "rspp-runtime",
            "library_version": __version__,
            "session_id": welcome.session_id,
            "pipeline": welcome.pipeline,
            "pipeline_version": welcome.pipeline_version,
        }
        capabilities = {
            "audio_in": welcome.audio_in is not None,
            "audio_out": welcome.audio_out is not None,
            "video_in": False,
            "screen_in": False,
            "video_out": False,
            "metrics": True,
        }
        ready = {"version": str(self._version or SPOKEN), "about": about, "capabilities": capabilities}
        said: Messages = (self._say("bot-ready", ready, self._ready_id),)
        if self._warning:
            said += (self._say("error-response", {"error": self._warning}, self._ready_id),)
        return said

    def audio(self, sequence: int, turn: int, pts_ms: int, packet: bytes) -> Messages:
        return (framing.write_audio(packet, self._plays_hz, binary=self._binary),)

    def text(self, sequence: int, turn: int, text: str) -> Messages:
        of, before = self._said
        self._said = (turn, before + text if of == turn else text)
        return (self._say("bot-llm-text", {"text": text}),)

    def transcript(self, sequence: int, text: str, *, final: bool) -> Messages:
        data = {"text": text, "user_id": "", "timestamp": self._wall(), "final": final}
        if final and text:
            self._heard.append(text)
        said: Messages = (self._say("user-transcription", data),)
        if self._version is not None and self._version >= (2, 2, 0):
            said += (self._say("user-input", {**data, "input_type": "transcription"}),)
        return said

    def decision(self, sequence: int, output: Output) -> Messages:
        return _DECIDED[output.code](self, output)

    def voiced(self, sequence: int, turn: int, text: str) -> Messages:
        return self._shown(self._captions.voiced(turn, text))

    def began(self, sequence: int, turn: int, node: Node, invocation: int) -> Messages:
        if node.kind == "llm":
            heard = " ".join(self._heard)
            self._heard.clear()
            asked = (self._say("user-llm-text", {"text": heard}),) if heard else NOTHING
            return (*asked, self._say("bot-llm-started"))
        if node.kind == "tts":
            return (self._say("bot-tts-started"),)
        if node.tool is not None:
            name = {"function_name": node.name}
            return (
                self._say("llm-function-call-started", name),
                self._say("llm-function-call-in-progress", {**name, "tool_call_id": str(invocation)}),
            )
        return NOTHING

    def ended(self, sequence: int, node: Node, end: InvocationEnd) -> Messages:
        if node.tool is not None:
            data = {
                "function_name": node.name,
                "tool_call_id": str(end.invocation),
                "cancelled": end.outcome == Outcome.CANCELLED,
            }
            return (self._say("llm-function-call-stopped", data),)
        if node.kind not in _MEASURED:
            return NOTHING
        metrics: Fields = {"processing": [_metric(node.name, end.end_ns - end.start_ns, end.provider)]}
        if end.first_ns >= 0:
            metrics["ttfb"] = [_metric(node.name, end.first_ns - end.start_ns, end.provider)]
        measured = self._say("metrics", metrics)
        if node.kind == "stt":
            return (measured,)
        return (self._say(f"bot-{node.kind}-stopped"), measured)

    def flush(self, sequence: int, turn: int) -> Messages:
        return NOTHING  # the client plays what it has, at most the lead; why not `InterruptionFrame`: decision 0055

    def ack(self, received: int) -> Messages:
        return NOTHING

    def token(self, sequence: int, token: str, within_ms: int) -> Messages:
        return NOTHING

    def pong(self, t: int | None) -> Messages:
        return NOTHING

    def error(self, error: DialectError) -> Messages:
        if error.code == "too_early":
            return NOTHING  # the microphone is open before `bot-ready`
        if self._asked and not error.close and error.code != "rate":
            return (self._say("error-response", {"error": framing.clean(error.reason, 200)}, self._asked),)
        return (self._say("error", {"error": framing.clean(error.reason, 200), "fatal": bool(error.close)}),)

    def goodbye(self, code: int, reason: str, resume_token: str, within_ms: int, after_ms: int) -> Messages:
        return NOTHING if code == 1000 else (self._say("error", {"error": reason, "fatal": True}),)

    # ---- decisions

    def _user_started(self, output: Output) -> Messages:
        if self._speaking:
            return NOTHING
        self._speaking = True
        return (self._say("user-started-speaking"),)

    def _user_stopped(self) -> Messages:
        if not self._speaking:
            return NOTHING
        self._speaking = False
        return (self._say("user-stopped-speaking"),)

    def _proposed(self, output: Output) -> Messages:
        self._input_end_ns = output.t_ns
        return self._user_stopped() if output.x == Origin.SPEECH else NOTHING

    def _not_opened(self, output: Output) -> Messages:
        """A turn that waits for its moment (`TURN_ACTIVE`) is no trouble; one that is refused is."""
        if output.cause in (Cause.TURN_ACTIVE, Cause.DUPLICATE):
            return NOTHING
        said = self._user_stopped() if output.code == Signal.REJECT else NOTHING
        return (*said, self._failed("no turn is opened", output.cause))

    def _closed(self, output: Output) -> Messages:
        said = self._unvoiced(output.turn)
        if output.code == Signal.ABORT and output.cause in _FAILURES:
            said += (self._failed("the turn ended", output.cause),)
        return said

    def _failed(self, what: str, cause: int) -> Message:
        return self._say("error", {"error": f"{what}: {Cause(cause).name.lower()}", "fatal": False})

    def _unvoiced(self, turn: int) -> Messages:
        """What a turn wrote and no voice has said is shown whole."""
        of, text = self._said
        self._said = (0, "")
        if of != turn or not text.strip() or (self._captions.turn == turn and not self._captions.is_empty):
            return NOTHING
        data: Fields = {"text": text.strip(), "aggregated_by": "sentence"}
        data |= {"spoken": False} if self._legacy else {"will_be_spoken": False, "spoken_status": "new"}
        return (self._say("bot-output", data),)

    def _interrupt(self, output: Output) -> Messages:
        if output.turn and output.turn == self._interrupted:
            return NOTHING
        self._interrupted = output.turn
        return (self._say("bot-interrupted"),)

    def _started(self, output: Output) -> Messages:
        said: Messages = (self._say("bot-started-speaking"),)
        if self._input_end_ns >= 0:
            took_ns, self._input_end_ns = output.t_ns - self._input_end_ns, -1
            said += (self._say("metrics", {"ttfb": [_metric("turn", took_ns)]}),)
        return said + self._shown(self._captions.started(output.turn))

    def _completed(self, output: Output) -> Messages:
        return (*self._progress(output.y), self._say("bot-stopped-speaking"))

    def _cancelled(self, output: Output) -> Messages:
        return (*self._progress(output.y), *self._interrupt(output), self._say("bot-stopped-speaking"))

    def _resumed(self, output: Output) -> Messages:
        return (self._say("bot-started-speaking"),)

    # ---- captions

    def _shown(self, pieces: list[Piece]) -> Messages:
        said: Messages = NOTHING
        for piece in pieces:
            said += (
                self._say("bot-output", self._output(piece, "new")),
                self._say("bot-tts-text", {"text": piece.text}),
                self._say("bot-transcription", {"text": piece.text}),
            )
        return said

    def _progress(self, heard: int) -> Messages:
        """How much was heard, in the end: of what was cut off, the words until then."""
        return tuple(
            self._say("bot-output", self._output(piece, "completed" if piece.is_whole else "in-progress"))
            for piece in self._captions.heard(heard)
        )

    def _output(self, piece: Piece, status: str) -> Fields:
        data: Fields = {"text": piece.text, "aggregated_by": "sentence", "segment_id": piece.number}
        spoken = piece.spoken
        if self._legacy:
            return {**data, "text": spoken or piece.text, "spoken": bool(spoken)}
        progress = {"accumulated_text": spoken, "remaining_text": piece.text[len(spoken) :]}
        return {**data, "will_be_spoken": True, "spoken_status": status, "spoken_progress": progress}


_DECIDED: dict[int, Callable[[Rtvi, Output], Messages]] = {
    Signal.HEARD: Rtvi._user_started,
    Signal.TURN_OPEN_PROPOSED: Rtvi._proposed,
    Signal.REJECT: Rtvi._not_opened,
    Signal.DEFER: Rtvi._not_opened,
    Signal.COMMIT: Rtvi._closed,
    Signal.ABORT: Rtvi._closed,
    Signal.BARGE_IN: Rtvi._interrupt,
    Signal.PLAYBACK_STARTED: Rtvi._started,
    Signal.PLAYBACK_COMPLETED: Rtvi._completed,
    Signal.PLAYBACK_CANCELLED: Rtvi._cancelled,
    Signal.PLAYBACK_PAUSED: Rtvi._completed,
    Signal.PLAYBACK_RESUMED: Rtvi._resumed,
}


def _metric(processor: str, took_ns: int, model: str = "") -> Fields:
    metric: Fields = {"processor": processor, "value": round(took_ns / 1e9, 6)}
    return {**metric, "model": model} if model else metric
