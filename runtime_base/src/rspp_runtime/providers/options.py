"""Reads a provider's settings, with errors that name the setting, what is wrong, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from rspp_runtime.providers.contract import Outcome, ProviderError

# Settings of the node kinds themselves (LANGUAGE: nodes). They reach every provider of the modality, whether or not
# the engine can make use of them.
NODE_SETTINGS: dict[str, tuple[str, ...]] = {
    "vad": ("min_silence_ns", "min_speech_ns", "pre_roll_ns", "idle_after_ns", "threshold"),
    "stt": ("language",),
    "llm": ("system", "temperature", "tools", "language", "max_tokens"),
    "tts": ("voice", "rate", "language", "pitch"),
}


def bad_setting(provider: str, message: str) -> ProviderError:
    """The one form of a settings error: not retryable, because the same settings fail again."""
    return ProviderError(Outcome.INFRASTRUCTURE_FAILURE, f"provider {provider!r}: {message}")


def suggest(word: str, known: Sequence[str]) -> str:
    """ " (did you mean 'x'?)" when a known name is near, else nothing."""
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


class Options:
    """Typed, checked access to one provider's settings. Every getter raises `ProviderError` for a bad value."""

    def __init__(self, provider: str, modality: str, values: Mapping[str, Any], own: Sequence[str] = ()) -> None:
        self.provider = provider
        self._values = values
        known = sorted({*NODE_SETTINGS[modality], *own})
        for key in sorted(values):
            if key not in known:
                raise bad_setting(
                    provider, f"unknown setting {key!r}{suggest(key, known)}; it knows {', '.join(known)}"
                )

    def integer(self, key: str, default: int, low: int, high: int, unit: str = "") -> int:
        """A whole number within [low, high]. Floats with no fraction are taken, since the spec may carry them."""
        value = self._values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise bad_setting(self.provider, f"{key} must be a whole number{unit}, not {value!r}")
        if not low <= value <= high:
            raise bad_setting(self.provider, f"{key} must be {low} to {high}{unit}, not {value}")
        return int(value)

    def duration_ns(self, key: str, default: int, low: int, high: int) -> int:
        """A duration in nanoseconds; `key` ends in `_ns`."""
        return self.integer(key, default, low, high, " ns")

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise bad_setting(self.provider, f"{key} must be a number, not {value!r}")
        if not low <= value <= high:
            raise bad_setting(self.provider, f"{key} must be {low:g} to {high:g}, not {value:g}")
        return float(value)

    def text(self, key: str, default: str) -> str:
        value = self._values.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise bad_setting(self.provider, f"{key} must be text, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; absent means none."""
        value = self._values.get(key)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            raise bad_setting(self.provider, f"{key} must be a list of texts, not {value!r}")
        return tuple(value)

    def resource(self, key: str, resources: Mapping[str, bytes]) -> tuple[str, bytes] | None:
        """The path and the bytes that a `file(...)` setting names; None when the setting is absent."""
        path = self.text(key, "")
        if not path:
            return None
        if path not in resources:
            known = ", ".join(sorted(resources)) or "no file"
            raise bad_setting(self.provider, f"{key} names {path!r}, but the package carries {known}")
        return path, resources[path]
