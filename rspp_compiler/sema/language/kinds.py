"""Every kind of node: its ports, events and settings. `docs/language.md` prints this table."""

from __future__ import annotations

from rspp_compiler.sema.language.catalog import (
    CANCEL,
    CLASSES,
    INTERRUPTIBLE,
    MS,
    TIMEOUT,
    WORK,
    H,
    Kind,
    Port,
    S,
    Setting,
)

AUDIO_IN = Port("audio", "audio", "frame", main=True)
COMMON_EVENTS = ("started", "done", "error", "timeout", "budget_warning", "budget_exhausted", "cancel", "fallback")
PROVIDER_EVENTS = ("provider_error", "provider_switch", "circuit_event")
PLAYBACK_EVENTS = ("playback_started", "playback_completed", "playback_cancelled")
DETECTED = ("speech_start", "speech_end", "barge_in", "idle")

_SILENCE = (
    Setting("min_silence", "duration", 32 * MS, 5 * S, about="silence that ends an utterance"),
    Setting("min_speech", "duration", 0, 2 * S, about="speech that begins one"),
    Setting("idle_after", "duration", 1 * S, 1 * H, about="silence after which `idle` occurs, again and again"),
)
_CLASS = Setting("class", "symbol", choices=CLASSES, about="payload class of what it emits")
_LANGUAGE = Setting(
    "language", "text", variables=True, about="a BCP 47 tag such as `en-US`; `auto` lets the recogniser detect it"
)
_MODEL = (
    Setting("system", "text", or_file=True, variables=True, about="what the model is told before the conversation"),
    Setting("temperature", "number", 0, 2),
    Setting("max_tokens", "count", 1, 100_000, noun="tokens", about="of one answer"),
    Setting("max_calls", "count", 1, 64, about="tool calls of one turn, at most"),
    Setting("tools", "names", about="tools that the model may call"),
)
_VOICE = (
    Setting("voice", "text", variables=True),
    Setting("rate", "count", 80, 450, about="words a minute"),
    Setting("pitch", "count", 0, 100),
    Setting("language", "text", variables=True, about="a BCP 47 tag such as `en-US`"),
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="ingress",
            about="what comes from the user",
            execution="boundary",
            scope="session",
            outputs=(
                Port("audio", "audio", "frame"),
                Port("text", "text", "utterance"),
                Port("dtmf", "event", "event"),
            ),
            events=("dtmf", "button_down", "button_up"),
            opens_turn=("text",),
        ),
        Kind(
            name="egress",
            about="what goes to the user",
            execution="boundary",
            scope="session",
            inputs=(Port("audio", "audio", "frame"), Port("text", "text", "text"), Port("ambient", "audio", "frame")),
            events=("output_accepted", *PLAYBACK_EVENTS),
        ),
        Kind(
            name="vad",
            about="tells speech from silence, and lets only speech through",
            execution="effect",
            scope="session",
            inputs=(AUDIO_IN,),
            outputs=(Port("speech", "audio", "frame", main=True),),
            events=DETECTED,
            ends_utterance="speech_end",
            filters=True,
            settings=(
                *_SILENCE,
                Setting("pre_roll", "duration", 0, 1 * S, about="heard before speech began"),
                Setting("threshold", "number", 0.05, 0.95, about="probability of speech"),
            ),
            has_provider=True,
        ),
        Kind(
            name="endpointer",
            about="decides from what has been recognised so far whether the user is done",
            execution="kernel",
            scope="session",
            inputs=(Port("text", "text", "partial", main=True),),
            events=("speech_end",),
            ends_utterance="speech_end",
            filters=True,
            settings=(
                Setting("min", "duration", 32 * MS, 5 * S, about="wait at least this long after a sentence that ends"),
                Setting("max", "duration", 100 * MS, 30 * S, about="wait at most this long"),
            ),
        ),
        Kind(
            name="stt",
            about="speech to text: one text for each utterance",
            execution="effect",
            scope="session",
            inputs=(AUDIO_IN,),
            outputs=(
                Port("utterance", "text", "utterance", main=True),
                Port("partial", "text", "partial"),
                Port("final", "text", "utterance"),
            ),
            opens_turn=("utterance",),
            filters=True,
            settings=(_LANGUAGE, Setting("diarise", "flag", about="tell speakers apart"), _CLASS),
            has_provider=True,
        ),
        Kind(
            name="llm",
            about="a language model: a prompt, and words as they come",
            execution="effect",
            scope="turn",
            inputs=(Port("prompt", "text", "utterance", main=True), Port("context", "text", "text")),
            outputs=(Port("delta", "text", "delta", main=True), Port("final", "text", "text")),
            settings=_MODEL,
            has_provider=True,
        ),
        Kind(
            name="tts",
            about="text to speech",
            execution="effect",
            scope="turn",
            inputs=(Port("text", "text", "text", main=True),),
            outputs=(Port("audio", "audio", "frame", main=True),),
            events=PLAYBACK_EVENTS,
            settings=_VOICE,
            has_provider=True,
        ),
        Kind(
            name="realtime",
            about="a speech-to-speech model: hears, decides when it is its turn, and speaks",
            execution="effect",
            scope="session",
            inputs=(AUDIO_IN, Port("prompt", "text", "utterance")),
            outputs=(Port("audio", "audio", "frame", main=True), Port("transcript", "text", "partial")),
            events=(*DETECTED, *PLAYBACK_EVENTS),
            ends_utterance="speech_end",
            opens_turn=("audio", "transcript"),
            filters=True,
            settings=(*_MODEL, Setting("voice", "text", variables=True), _LANGUAGE, *_SILENCE, _CLASS),
            has_provider=True,
        ),
        Kind(
            name="say",
            about="says a fixed text when a reaction triggers it",
            execution="kernel",
            scope="turn",
            inputs=(Port("trigger", "any", "event", main=True),),
            outputs=(Port("text", "text", "segment", main=True),),
            events=PLAYBACK_EVENTS,
            settings=(Setting("text", "text", required=True, variables=True), INTERRUPTIBLE),
            is_triggered=True,
        ),
        Kind(
            name="play",
            about="plays a sound file when a reaction triggers it",
            execution="kernel",
            scope="turn",
            inputs=(Port("trigger", "any", "event", main=True),),
            outputs=(Port("audio", "audio", "frame", main=True),),
            events=PLAYBACK_EVENTS,
            settings=(
                Setting("file", "file", required=True),
                Setting("loop", "flag", about="again from the start until it is cancelled"),
                Setting("volume", "gain", -60, 12, about="louder or softer than the file"),
                INTERRUPTIBLE,
            ),
            is_triggered=True,
        ),
        Kind(
            name="collect",
            about="gathers keys into one text",
            execution="kernel",
            scope="session",
            inputs=(Port("dtmf", "event", "event", main=True),),
            outputs=(Port("text", "text", "utterance", main=True),),
            opens_turn=("text",),
            filters=True,
            settings=(
                Setting("digits", "count", 1, 64, about="this many, and it is done"),
                Setting("until", "text", about="the key that ends it"),
                Setting("timeout", "duration", 100 * MS, 120 * S, about="from one key to the next"),
                _CLASS,
            ),
        ),
        Kind(
            name="timer",
            about="an event after a time, once or again and again",
            execution="kernel",
            scope="session",
            events=("fired",),
            settings=(
                Setting("after", "duration", 1 * MS, 24 * H, about="once, this long after it starts"),
                Setting("every", "duration", 10 * MS, 24 * H, about="again and again"),
            ),
        ),
        Kind(
            name="merge",
            about="joins flows into one, in an order that is the same in every replay",
            execution="kernel",
            scope=None,
            inputs=(Port("in", "any", "text", main=True, many=True),),
            outputs=(Port("out", "any", "text", main=True),),
            settings=(
                Setting("order", "symbol", choices=("timestamp", "priority", "round_robin")),
                Setting("within", "duration", 1 * MS, 60 * S, about="waits this long for an earlier item"),
                Setting("priority", "names", about="sources, the first goes first"),
            ),
        ),
        Kind(
            name="select",
            about="lets one of several candidates through",
            execution="kernel",
            scope=None,
            inputs=(Port("in", "any", "text", main=True, many=True),),
            outputs=(Port("out", "any", "text", main=True),),
            filters=True,
            settings=(
                Setting("by", "symbol", choices=("first", "highest")),
                Setting("field", "symbol", choices=("confidence", "length", "words"), about="what `highest` compares"),
                Setting("within", "duration", 1 * MS, 60 * S, about="waits this long for the others"),
            ),
        ),
        Kind(
            name="label",
            about="lets items through with a number on them, by which flows behind it can choose",
            execution="kernel",
            scope=None,
            inputs=(Port("in", "any", "text", main=True),),
            outputs=(Port("out", "any", "text", main=True),),
            settings=(Setting("value", "count", 0, 65535, required=True, about="`event.label` of what has passed it"),),
        ),
        Kind(
            name="redact",
            about="takes data of a class out of a text",
            execution="kernel",
            scope=None,
            inputs=(Port("text", "text", "text", main=True),),
            outputs=(Port("text", "text", "text", main=True),),
            settings=(
                Setting("classes", "symbols", choices=("PII", "PHI"), required=True),
                Setting("action", "symbol", choices=("mask", "hash", "drop", "tokenize")),
            ),
        ),
        Kind(
            name="tap",
            about="shows what flows by, or what a node failed with, to whoever watches",
            execution="kernel",
            scope=None,
            inputs=(Port("in", "any", "text", main=True),),
        ),
        Kind(
            name="python",
            about='your own node: `: python("module:Callable")`',
            execution="effect",
            scope=None,
            has_signature=True,
            settings=(
                TIMEOUT,
                Setting(
                    "place",
                    "symbol",
                    choices=("kernel", "loop", "thread", "process"),
                    about="where it runs: between two steps, as a task, in a thread, in a process",
                ),
            ),
        ),
        Kind(
            name="grpc",
            about='a node behind gRPC: `: grpc("unix:///run/x.sock")`',
            execution="effect",
            scope=None,
            has_signature=True,
            settings=(TIMEOUT,),
        ),
        Kind(
            name="wasm",
            about='a node in a sandbox: `: wasm("gate.wasm")`',
            execution="kernel",
            scope=None,
            has_signature=True,
        ),
        # What the compiler inserts, never the user:
        Kind(name="resample", about="changes rate or channels", execution="kernel", scope=None),
        Kind(name="decode", about="changes the encoding", execution="kernel", scope=None),
    )
}

INSERTED = ("resample", "decode")
BOUNDARIES = ("ingress", "egress")
NODE_KINDS = tuple(kind for kind in KINDS if kind not in (*BOUNDARIES, *INSERTED))
CUSTOM_KINDS = tuple(kind.name for kind in KINDS.values() if kind.has_signature)
PROVIDER_KINDS = tuple(kind.name for kind in KINDS.values() if kind.has_provider)

# Settings that every node takes; `work` and the rest of these have no place in the spec's `settings`.
EVERY_NODE: tuple[Setting, ...] = (
    Setting("scope", "symbol", choices=("session", "turn", "party"), about="how long one instance lives"),
    CANCEL,
    WORK,
    Setting("provider", "name", about="the pool that performs it"),
)
BLOCKS = ("limit", "hooks", "state", "tunable")


def events_of(kind: Kind) -> tuple[str, ...]:
    """Every event of a node of this kind."""
    if kind.is_boundary:
        return kind.events
    return (*kind.events, *COMMON_EVENTS, *(PROVIDER_EVENTS if kind.has_provider else ()))
