"""The providers there are: what each can, and which settings it takes."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points

from rspp_compiler.sema.language.catalog import Engine, S, Setting

_REMOTE = (
    Setting("model", "text"),
    Setting("api_key", "secret"),
    Setting("endpoint", "text", about="another address than the vendor's"),
)
_LANGUAGE = Setting("language", "text")
_VOICE = Setting("voice", "text")
_TEMPERATURE = Setting("temperature", "number", 0, 2)
_HEARS = frozenset({"partials", "diarise", "language_detection"})
_THINKS = frozenset({"tools", "context"})

ENGINES: dict[tuple[str, str], Engine] = {
    (engine.kind, engine.name): engine
    for engine in (
        # Local engines: no network, no key.
        Engine(name="silero", kind="vad", has_adapter=True, local=True, features=frozenset({"echo_removal"})),
        Engine(
            name="webrtcvad",
            kind="vad",
            has_adapter=True,
            local=True,
            settings=(Setting("aggressiveness", "count", 0, 3),),
            features=frozenset({"echo_removal"}),
        ),
        Engine(
            name="pocketsphinx",
            kind="stt",
            has_adapter=True,
            local=True,
            settings=(Setting("script", "file"), Setting("sessions_max", "count", 1, 64)),
            features=frozenset({"partials"}),
            languages=("en",),
        ),
        Engine(
            name="scripted",
            kind="llm",
            has_adapter=True,
            local=True,
            settings=(
                Setting("script", "file"),
                Setting("words_per_second", "number", 0.5, 10_000),
                Setting("first_word", "duration", 0, 10 * S),
            ),
            features=_THINKS,
        ),
        Engine(
            name="espeak",
            kind="tts",
            has_adapter=True,
            local=True,
            settings=(_VOICE, Setting("rate", "count", 80, 450), Setting("pitch", "count", 0, 100)),
            features=frozenset({"word_times"}),
        ),
        Engine(
            name="whisper",
            kind="stt",
            local=True,
            settings=(Setting("model", "text"), _LANGUAGE),
            features=frozenset({"language_detection"}),
        ),
        Engine(
            name="llama_cpp",
            kind="llm",
            local=True,
            settings=(Setting("model", "text"), _TEMPERATURE),
            features=_THINKS,
        ),
        Engine(
            name="piper", kind="tts", local=True, settings=(Setting("model", "text"), _VOICE), rates_hz=(16_000, 22_050)
        ),
        Engine(name="webrtc", kind="vad", local=True, settings=(Setting("aggressiveness", "count", 0, 3),)),
        # Remote ones.
        Engine(
            name="deepgram",
            kind="stt",
            settings=(*_REMOTE, _LANGUAGE),
            features=_HEARS,
            rates_hz=(8_000, 16_000, 24_000, 48_000),
            encodings=("s16le", "mulaw", "opus"),
        ),
        Engine(
            name="assemblyai",
            kind="stt",
            settings=(*_REMOTE, _LANGUAGE),
            features=frozenset({"partials", "diarise"}),
            rates_hz=(8_000, 16_000),
            encodings=("s16le", "mulaw"),
        ),
        Engine(name="openai", kind="llm", settings=(*_REMOTE, _TEMPERATURE), features=_THINKS),
        Engine(name="anthropic", kind="llm", settings=(*_REMOTE, _TEMPERATURE), features=_THINKS),
        Engine(name="groq", kind="llm", settings=(*_REMOTE, _TEMPERATURE), features=_THINKS),
        Engine(
            name="cartesia",
            kind="tts",
            settings=(*_REMOTE, _VOICE),
            features=frozenset({"word_times"}),
            rates_hz=(8_000, 16_000, 22_050, 24_000, 44_100),
        ),
        Engine(
            name="elevenlabs",
            kind="tts",
            settings=(*_REMOTE, _VOICE),
            features=frozenset({"word_times"}),
            rates_hz=(16_000, 22_050, 24_000, 44_100),
            encodings=("s16le", "mulaw"),
        ),
        Engine(
            name="openai_realtime",
            kind="realtime",
            settings=(*_REMOTE, _VOICE),
            features=frozenset({"tools", "echo_removal", "transcript"}),
            rates_hz=(24_000,),
        ),
        Engine(
            name="gemini_live",
            kind="realtime",
            settings=(*_REMOTE, _VOICE),
            features=frozenset({"tools", "transcript"}),
            rates_hz=(16_000,),
        ),
    )
}


@cache
def _registered(_path: tuple[str, ...]) -> frozenset[str]:
    """Names that installed packages register; asked for again only when Python looks elsewhere for packages."""
    return frozenset(point.name for point in entry_points(group="rspp.providers"))


def engine(kind: str, name: str) -> Engine | None:
    """The provider of that name: from the table, or one that an installed package registers (see providers.md).

    The latter serves whichever kind it is used for, with any settings: its own factory checks them.
    """
    registered = name in _registered(tuple(sys.path))
    known = ENGINES.get((kind, name))
    if known is not None:
        return replace(known, has_adapter=True) if registered else known
    elsewhere = any(name == of for _, of in ENGINES)
    return Engine(name=name, kind=kind, has_adapter=True, any_settings=True) if registered and not elsewhere else None
