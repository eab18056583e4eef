"""LiveKit Agents: a session with fakes for recogniser, model and voice, and audio in memory. No server, no room.

`config` is `lean` (no preemptive generation, no text transforms) or `default`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from importlib import metadata
from typing import Any

os.environ.setdefault("LIVEKIT_URL", "")
os.environ["OTEL_SDK_DISABLED"] = "true"
logging.disable(logging.CRITICAL)

from livekit.agents import Agent, AgentSession, llm, stt, tts  # noqa: E402 - it reads the environment when imported
from livekit.agents.language import LanguageCode  # noqa: E402
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN  # noqa: E402
from livekit.agents.voice import io  # noqa: E402

from speed.clocks import FRAME, TOKENS, now_ns, run_loop  # noqa: E402

WAIT_S = 10.0  # nothing here takes that long
HELD_S = 0.3  # what a held output takes to play
CLOSING_S = 0.02  # what a session waits for a transcript when it closes; the default is two seconds


def version() -> str:
    return f"livekit-agents {metadata.version('livekit-agents')}"


class Recogniser(stt.STT):
    def __init__(self) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=True, interim_results=True, offline_recognize=False)
        )
        self.open: Hearing | None = None

    async def _recognize_impl(self, buffer: Any, **_: Any) -> Any:
        raise RuntimeError("this recogniser only streams")

    def stream(self, *, language: Any = NOT_GIVEN, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS) -> Hearing:
        self.open = Hearing(stt=self, conn_options=conn_options)
        return self.open

    def say(self, kind: stt.SpeechEventType, text: str | None = None) -> None:
        said = [] if text is None else [stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0)]
        assert self.open is not None
        self.open._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=said))


class Hearing(stt.RecognizeStream):
    async def _run(self) -> None:
        async for _ in self._input_ch:
            pass


class Model(llm.LLM):
    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any = None, **_: Any) -> Thinking:
        options = conn_options or DEFAULT_API_CONNECT_OPTIONS
        return Thinking(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=options)


class Thinking(llm.LLMStream):
    async def _run(self) -> None:
        request = uuid.uuid4().hex
        for token in TOKENS:
            delta = llm.ChoiceDelta(role="assistant", content=token)
            self._event_ch.send_nowait(llm.ChatChunk(id=request, delta=delta))


class Voice(tts.TTS):
    """`frames` of audio for each text."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=16_000, num_channels=1)
        self.frames = 2

    def synthesize(self, text: str, **_: Any) -> Any:
        raise RuntimeError("this voice only streams")

    def stream(self, *, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS) -> Speaking:
        return Speaking(tts=self, conn_options=conn_options)


class Speaking(tts.SynthesizeStream):
    async def _run(self, output: Any) -> None:
        output.initialize(
            request_id=uuid.uuid4().hex,
            sample_rate=16_000,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=20,
            stream=True,
        )
        begun = False
        async for text in self._input_ch:
            if isinstance(text, self._FlushSentinel):
                if begun:
                    output.flush()
                continue
            if not begun:
                begun = True
                output.start_segment(segment_id=uuid.uuid4().hex)
                self._mark_started()
            for _ in range(self._tts.frames):
                output.push(FRAME)
        if begun:
            output.end_segment()


class Microphone(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="memory")
        self._silence: asyncio.Queue[Any] = asyncio.Queue()

    async def __anext__(self) -> Any:
        return await self._silence.get()


class Loudspeaker(io.AudioOutput):
    """While it `holds`, a frame takes a millisecond, and playback goes on after the last one."""

    def __init__(self) -> None:
        super().__init__(
            label="memory", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=16_000
        )  # fmt: skip
        self.holds = False
        self.reset()

    def reset(self) -> None:
        self.first, self.cleared = asyncio.Event(), asyncio.Event()
        self.first_ns = self.last_ns = self.cleared_ns = 0
        self.played_s = 0.0
        self._ending: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: Any) -> None:
        await super().capture_frame(frame)
        self.last_ns = now_ns()
        if not self.first_ns:
            self.first_ns = self.last_ns
            self.first.set()
            self.on_playback_started(created_at=time.time())
        self.played_s += frame.duration
        if self.holds:
            await asyncio.sleep(0.001)

    def flush(self) -> None:
        super().flush()
        if self._pending_playback_count:
            loop = asyncio.get_running_loop()
            self._ending = loop.call_later(HELD_S if self.holds else 0, self._finished, False)

    def clear_buffer(self) -> None:
        if not self.cleared_ns:
            self.cleared_ns = now_ns()
        self.cleared.set()
        if self._ending is not None:
            self._ending.cancel()
        super().flush()
        self._finished(True)

    def _finished(self, interrupted: bool) -> None:
        if self._pending_playback_count:
            self.on_playback_finished(playback_position=self.played_s, interrupted=interrupted)


async def open_session(config: str, **options: Any) -> tuple[AgentSession, Recogniser, Voice, Loudspeaker]:
    """A running session whose turns end when the recogniser says so."""
    ears, voice, out = Recogniser(), Voice(), Loudspeaker()
    turns: dict[str, Any] = {
        "turn_detection": "stt",
        "endpointing": {"min_delay": 0.0, "max_delay": 0.0},
        "interruption": {
            "min_duration": 0.0,
            "resume_false_interruption": False,
            "false_interruption_timeout": None,
        },
    }
    if config == "lean":
        turns["preemptive_generation"] = {"enabled": False}
        options["tts_text_transforms"] = None
    session: AgentSession = AgentSession(
        stt=ears,
        llm=Model(),
        tts=voice,
        vad=None,
        turn_handling=turns,
        aec_warmup_duration=None,
        user_away_timeout=None,
        **options,
    )
    session.input.audio, session.output.audio = Microphone(), out
    await session.start(Agent(instructions="x"), record=False)
    return session, ears, voice, out


def turn(command: dict[str, Any]) -> dict[str, Any]:
    """Transcript to first audio, and an interruption while the answer plays."""
    trials, event = command["trials"], stt.SpeechEventType

    async def main() -> dict[str, Any]:
        session, ears, voice, out = await open_session(command["config"])
        while ears.open is None:
            await asyncio.sleep(0.01)
        first_ns: list[int] = []
        interruption_ns: list[int] = []
        for trial in range(trials + 1):  # the first one warms up
            out.reset()
            ears.say(event.START_OF_SPEECH)
            await asyncio.sleep(0.01)
            began_ns = now_ns()
            ears.say(event.FINAL_TRANSCRIPT, "what is the weather")
            ears.say(event.END_OF_SPEECH)
            await asyncio.wait_for(out.first.wait(), WAIT_S)
            if trial:
                first_ns.append(out.first_ns - began_ns)
            await asyncio.sleep(0.08)
        out.holds, voice.frames = True, 40
        for trial in range(trials + 1):
            out.reset()
            ears.say(event.START_OF_SPEECH)
            await asyncio.sleep(0.03)
            ears.say(event.FINAL_TRANSCRIPT, "tell me a story")
            ears.say(event.END_OF_SPEECH)
            await asyncio.wait_for(out.first.wait(), WAIT_S)
            await asyncio.sleep(0.02)
            began_ns = now_ns()
            ears.say(event.START_OF_SPEECH)
            ears.say(event.INTERIM_TRANSCRIPT, "stop please")
            await asyncio.wait_for(out.cleared.wait(), WAIT_S)
            await asyncio.sleep(0.05)
            if trial:
                interruption_ns.append(max(out.cleared_ns, out.last_ns) - began_ns)
            ears.say(event.END_OF_SPEECH)
            await asyncio.sleep(0.05)
        await session.aclose()
        return {"first_ns": first_ns, "interruption_ns": interruption_ns}

    return run_loop(main(), command.get("loop", "asyncio"))


def opening(command: dict[str, Any]) -> dict[str, Any]:
    """A session that has started."""

    async def main() -> dict[str, Any]:
        up_ns = []
        for _ in range(command["trials"]):
            began_ns = now_ns()
            session, *_ = await open_session("lean", session_close_transcript_timeout=CLOSING_S)
            up_ns.append(now_ns() - began_ns)
            await session.aclose()
        return {"up_ns": up_ns}

    return run_loop(main())


CASES = {"turn": turn, "opening": opening}
