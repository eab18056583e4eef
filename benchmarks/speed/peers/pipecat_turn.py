"""A turn in Pipecat: its own service base classes and context aggregators, with fakes that take no time in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TextAggregationMode, TTSService
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies
from pipecat.utils.time import time_now_iso8601

from speed.clocks import FRAME, TOKENS, now_ns, run_loop

WAIT_S = 10.0  # nothing here takes that long


class Recogniser(STTService):
    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model="fake", language=None), ttfs_p99_latency=0.0)

    async def run_stt(self, audio: bytes) -> AsyncIterator[Frame | None]:
        yield None

    async def begin(self) -> None:
        """The user starts to speak."""
        await self.push_frame(ProposedUserStartedSpeakingFrame())

    async def final(self, text: str) -> None:
        """The user has stopped, and this is what was said."""
        await self.push_frame(TranscriptionFrame(text, "user", time_now_iso8601()))
        await self.push_frame(ProposedUserStoppedSpeakingFrame())


class Model(LLMService):
    def __init__(self) -> None:
        unset = dict.fromkeys(
            (
                "system_instruction", "temperature", "max_tokens", "top_p", "top_k", "frequency_penalty",
                "presence_penalty", "seed", "user_turn_completion_config",
            )
        )  # fmt: skip
        super().__init__(settings=LLMSettings(model="fake", filter_incomplete_user_turns=False, **unset))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for token in TOKENS:
            await self._push_llm_text(token)
        await self.push_frame(LLMFullResponseEndFrame())


class Voice(TTSService):
    """`frames` of audio for each text."""

    def __init__(self, mode: TextAggregationMode) -> None:
        super().__init__(
            text_aggregation_mode=mode,
            push_start_frame=True,
            push_stop_frames=True,
            stop_frame_timeout_s=0.3,
            sample_rate=16_000,
            settings=TTSSettings(model="fake", voice="fake", language=None),
        )
        self.frames = 2

    def can_generate_metrics(self) -> bool:
        return False

    async def run_tts(self, text: str, context_id: str) -> AsyncIterator[Frame]:
        for _ in range(self.frames):
            yield TTSAudioRawFrame(FRAME, 16_000, 1, context_id=context_id)


class Output(FrameProcessor):
    """Where the transport would be. While it `holds`, a frame takes a millisecond and a backlog forms before it."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self.reset()

    def reset(self) -> None:
        self.first, self.interrupted = asyncio.Event(), asyncio.Event()
        self.first_ns = self.last_ns = self.interrupted_ns = 0
        self.frames = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.last_ns = now_ns()
            if not self.frames:
                self.first_ns = self.last_ns
                self.first.set()
            self.frames += 1
            if self.holds:
                await asyncio.sleep(0.001)
        elif isinstance(frame, InterruptionFrame):
            self.interrupted_ns = now_ns()
            self.interrupted.set()
        await self.push_frame(frame, direction)


def turn(command: dict[str, Any]) -> dict[str, Any]:
    """Transcript to first audio, and an interruption while the answer plays; `by` is `token` or `sentence`."""
    from speed.peers.pipecat import start

    trials = command["trials"]

    async def main() -> dict[str, Any]:
        by = TextAggregationMode.TOKEN if command.get("by", "token") == "token" else TextAggregationMode.SENTENCE
        user, assistant = LLMContextAggregatorPair(
            LLMContext(), user_params=LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies())
        )
        ears, voice, out = Recogniser(), Voice(by), Output()
        worker, running = await start([ears, user, Model(), voice, out, assistant], command["config"])
        await asyncio.sleep(0.3)
        first_ns: list[int] = []
        interruption_ns: list[int] = []
        for trial in range(trials + 1):  # the first one warms up
            await ears.begin()
            await asyncio.sleep(0.01)
            out.reset()
            began_ns = now_ns()
            await ears.final("what is the weather")
            await asyncio.wait_for(out.first.wait(), WAIT_S)
            if trial:
                first_ns.append(out.first_ns - began_ns)
            await asyncio.sleep(0.04)
        out.holds, voice.frames = True, 40
        for trial in range(trials + 1):
            await ears.begin()
            await asyncio.sleep(0.03)
            out.reset()
            await ears.final("tell me a story")
            await asyncio.wait_for(out.first.wait(), WAIT_S)
            await asyncio.sleep(0.02)
            began_ns = now_ns()
            await ears.begin()
            await asyncio.wait_for(out.interrupted.wait(), WAIT_S)
            await asyncio.sleep(0.03)
            if trial:
                interruption_ns.append(max(out.interrupted_ns, out.last_ns) - began_ns)
        await worker.cancel()
        await running
        return {"first_ns": first_ns, "interruption_ns": interruption_ns}

    return run_loop(main(), command.get("loop", "asyncio"))
