"""Voice activity with the detector of WebRTC (modality vad; extra `webrtcvad`). Ports and times: `listening`.

A few microseconds a frame and no model: for small machines, and for a thousand sessions on a large one. It goes by the
energy of six bands, so that music, a door and a keyboard are speech to it as well: `silero` knows better.

Settings: those of `silero`, and `aggressiveness` (0 to 3, default 2): how sure it has to be.

Our own voice is taken out first, as for `silero`. A block's score is the share of its 10 ms frames that are speech.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import webrtcvad

from rspp_runtime.providers.contract import Invocation
from rspp_runtime.providers.listening import SAMPLE_RATE_HZ, Settings, listen
from rspp_runtime.providers.options import Options

FRAME_BYTES = SAMPLE_RATE_HZ // 100 * 2


class WebrtcVad:
    """Detects speech; each invocation has a detector of its own, since it adapts to the noise that it hears."""

    modality = "vad"

    def __init__(self, settings: Settings, aggressiveness: int) -> None:
        self._settings = settings
        self._aggressiveness = aggressiveness

    async def prepare(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to release: detectors belong to invocations."""

    async def invoke(self, call: Invocation) -> None:
        detector = webrtcvad.Vad(self._aggressiveness)
        rest = b""

        def score(block: Any) -> float:
            nonlocal rest
            pcm = rest + block.astype("<i2").tobytes()
            frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]
            rest = pcm[len(frames) * FRAME_BYTES :]
            return float(sum(detector.is_speech(frame, SAMPLE_RATE_HZ) for frame in frames) / len(frames))

        await listen(call, self._settings, score)


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> WebrtcVad:
    """Makes the provider. Raises `ProviderError` for a bad setting."""
    read = Options("webrtcvad", "vad", options, own=("aggressiveness",))
    return WebrtcVad(Settings.read(read), read.integer("aggressiveness", 2, 0, 3))
