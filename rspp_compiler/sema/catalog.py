"""The kinds of node and the providers there are: ports, events and settings, to be read as tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Literal

from rspp_compiler.ir.spec import Execution, Scope

Type = Literal["duration", "bytes", "rate", "count", "number", "percent", "text", "symbol", "flag", "file", "secret"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that may be set. Its range is in base units: nanoseconds, bytes, hertz, percent."""

    name: str
    type: Type
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    or_file: bool = False  # a text that may also be given as file("…")

    @property
    def field(self) -> str:
        """Its name in the spec, with the unit: `min_silence` is `min_silence_ns`."""
        unit = {"duration": "_ns", "bytes": "_bytes", "rate": "_hz", "percent": "_percent"}.get(self.type, "")
        return self.name + unit


@dataclass(frozen=True, slots=True)
class Port:
    """One port. `item` names the largest item, in the profile's table `[item]`; audio items are one frame."""

    name: str
    type: Literal["audio", "text", "event", "any"]
    item: str
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of node."""

    name: str
    execution: Execution
    scope: Scope
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    events: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    has_provider: bool = False
    ends_utterance: str = ""  # event by which a detector ends the user's utterance
    later: frozenset[str] = frozenset()  # settings of the language that this compiler does not support yet


MS, S = 1_000_000, 1_000_000_000
COMMON_EVENTS = ("started", "done", "error", "timeout")
COMMON_LATER = frozenset({"scope", "cancel", "provider", "limit", "hooks", "tunable", "priority"})

AUDIO_IN = Port("audio", "audio", "frame", main=True)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="ingress",
            execution="boundary",
            scope="session",
            outputs=(
                Port("audio", "audio", "frame"),
                Port("text", "text", "utterance"),
                Port("dtmf", "event", "event"),
            ),
        ),
        Kind(
            name="egress",
            execution="boundary",
            scope="session",
            inputs=(Port("audio", "audio", "frame"), Port("text", "text", "text")),
        ),
        Kind(
            name="vad",
            execution="effect",
            scope="session",
            inputs=(AUDIO_IN,),
            outputs=(Port("speech", "audio", "frame", main=True),),
            events=("speech_start", "speech_end", "barge_in", "idle"),
            ends_utterance="speech_end",
            settings=(
                Setting("min_silence", "duration", 32 * MS, 5 * S),
                Setting("min_speech", "duration", 0, 2 * S),
                Setting("pre_roll", "duration", 0, 1 * S),
                Setting("threshold", "number", 0.05, 0.95),
                Setting("idle_after", "duration", 1 * S, 3600 * S),
            ),
            has_provider=True,
        ),
        Kind(
            name="stt",
            execution="effect",
            scope="session",
            inputs=(AUDIO_IN,),
            outputs=(
                Port("utterance", "text", "utterance", main=True),
                Port("partial", "text", "partial"),
                Port("final", "text", "utterance"),
            ),
            settings=(Setting("language", "text"),),
            has_provider=True,
            later=frozenset({"diarise"}),
        ),
        Kind(
            name="llm",
            execution="effect",
            scope="turn",
            inputs=(Port("prompt", "text", "utterance", main=True),),
            outputs=(Port("delta", "text", "delta", main=True), Port("final", "text", "text")),
            settings=(
                Setting("system", "text", or_file=True),
                Setting("temperature", "number", 0, 2),
                Setting("max_tokens", "count", 1, 100_000),
            ),
            has_provider=True,
            later=frozenset({"tools", "context", "calls"}),
        ),
        Kind(
            name="tts",
            execution="effect",
            scope="turn",
            inputs=(Port("text", "text", "text", main=True),),
            outputs=(Port("audio", "audio", "frame", main=True),),
            settings=(
                Setting("voice", "text"),
                Setting("rate", "count", 80, 450),  # words a minute
                Setting("pitch", "count", 0, 100),
                Setting("language", "text"),
            ),
            has_provider=True,
        ),
        Kind(
            name="say",
            execution="kernel",
            scope="turn",
            inputs=(Port("trigger", "any", "event", main=True),),
            outputs=(Port("text", "text", "segment", main=True),),
            settings=(Setting("text", "text", required=True),),
            later=frozenset({"interruptible"}),
        ),
        Kind(
            name="tap",
            execution="kernel",
            scope="session",
            inputs=(Port("in", "any", "text", main=True),),
        ),
        Kind(
            name="python",
            execution="effect",
            scope="turn",
            settings=(Setting("timeout", "duration", 1 * MS, 120 * S),),
        ),
    )
}

BOUNDARIES = ("ingress", "egress")
PREDECLARED = ("ingress", "egress", "session", "turn", "event")
RESERVED = (
    *("node", "party", "mode", "on", "profile", "meta", "budget", "record"),
    *("when", "otherwise", "and", "or", "not"),
)
NODE_KINDS = tuple(kind for kind in KINDS if kind not in BOUNDARIES)
KINDS_LATER = ("endpointer", "realtime", "play", "collect", "timer", "merge", "select", "redact", "grpc", "wasm")

# ---- edges, budgets, records, providers ----------------------------------------------------------------------------

EDGE_LATER = frozenset({"watermark", "flow", "lanes", "sync", "fairness", "coalesce"})
EDGE_KEYS = ("buffer", "overflow", "latency", "handoff", "commit_point")
STRATEGIES = ("block", "drop_oldest", "drop_newest", "latest_only")
STRATEGIES_LATER = ("coalesce", "sample", "merge")

PROVIDER_LATER = frozenset({"retry", "circuit", "cap", "pool"})
PROFILES = ("simple/v1",)
LEVELS = ("L0", "L1", "L2")

# ---- actions and events --------------------------------------------------------------------------------------------

ACTIONS = ("cancel turn", "end utterance", "end session", "degrade MODE")
ACTIONS_LATER = {
    "open": ("turn",),
    "cancel": ("session",),
    "abort": ("turn",),
    "enter": (),
    "pause": (),
    "resume": (),
    "call": (),
}
# Signals of CONTRACTS §3 that a pipeline may name one day, by subject.
EVENTS_LATER = {
    "session": ("connected", "reconnecting", "disconnected", "ended", "silence", "stall", "admit", "reject", "defer"),
    "turn": ("turn_open", "commit", "close", "abort", "budget_warning", "budget_exhausted", "degrade", "fallback"),
    "ingress": ("button_down", "button_up", "dtmf", "text", "audio"),
    "egress": ("output_accepted", "playback_started", "playback_completed", "playback_cancelled"),
}
NODE_EVENTS_LATER = (
    *("provider_error", "provider_switch", "circuit_event"),
    *("playback_started", "playback_completed", "playback_cancelled", "budget_warning", "fired"),
)

# ---- providers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Engine:
    """A provider by name. The local ones have their adapter in the runtime; others need one installed beside it."""

    name: str
    kind: str
    has_adapter: bool
    settings: tuple[Setting, ...] = ()
    any_settings: bool = False


_REMOTE = (Setting("model", "text"), Setting("api_key", "secret"), Setting("endpoint", "text"))

ENGINES: dict[tuple[str, str], Engine] = {
    (engine.kind, engine.name): engine
    for engine in (
        Engine("silero", "vad", True),
        Engine(
            "pocketsphinx",
            "stt",
            True,
            (Setting("script", "file"), Setting("sessions_max", "count", 1, 64)),
        ),
        Engine(
            "scripted",
            "llm",
            True,
            (
                Setting("script", "file"),
                Setting("words_per_second", "number", 0.5, 10_000),
                Setting("first_word", "duration", 0, 10 * S),
            ),
        ),
        Engine(
            "espeak",
            "tts",
            True,
            (Setting("voice", "text"), Setting("rate", "count", 80, 450), Setting("pitch", "count", 0, 100)),
        ),
        Engine("deepgram", "stt", False, (*_REMOTE, Setting("language", "text"))),
        Engine("assemblyai", "stt", False, (*_REMOTE, Setting("language", "text"))),
        Engine("openai", "llm", False, (*_REMOTE, Setting("temperature", "number", 0, 2))),
        Engine("anthropic", "llm", False, (*_REMOTE, Setting("temperature", "number", 0, 2))),
        Engine("cartesia", "tts", False, (*_REMOTE, Setting("voice", "text"))),
        Engine("elevenlabs", "tts", False, (*_REMOTE, Setting("voice", "text"))),
    )
}


def engine(kind: str, name: str) -> Engine | None:
    """The provider of that name: from the catalogue, or one that an installed package registers (see providers.md).

    The latter serves whichever kind it is used for, with any settings: its own factory checks them.
    """
    registered = any(name == point.name for point in entry_points(group="rspp.providers"))
    known = ENGINES.get((kind, name))
    if known is not None:
        return replace(known, has_adapter=True) if registered else known
    elsewhere = any(name == of for _, of in ENGINES)
    return Engine(name, kind, True, any_settings=True) if registered and not elsewhere else None


PROVIDER_KINDS = tuple(kind.name for kind in KINDS.values() if kind.has_provider)
