"""What the words of the language mean, in a paragraph each: for hover and completion.

Kinds, their ports and settings speak for themselves: their `about` is in the catalogue.
"""

from __future__ import annotations

from rspp_compiler.sema.language.catalog import Kind, Port
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS, events_of

# Each with its form. The first line is shown in completion, all of it in hover.
KEYWORDS: dict[str, tuple[str, str]] = {
    "pipeline": (
        'pipeline NAME version "1.0.0" { … }',
        "A voice agent: its nodes, the flows between them, and its reactions. It becomes a Python package of that "
        "name.",
    ),
    "module": (
        'module NAME version "1.0.0" (in : audio) -> (out : audio) { … }',
        "A part of a pipeline with ports of its own, to be used as a kind of node. Names inside are not seen "
        "outside; whoever uses it reaches in with dotted keys, such as `stt.language`.",
    ),
    "import": (
        'import NAME from "path.rspp" version "1.0.0"',
        "Takes modules, tools, pools or policies from another file. The path is relative to this file's folder. A "
        "version is served by the same one, or a newer one of the same line.",
    ),
    "tool": (
        'tool NAME (seats : number) : python("module:function") { timeout = 3s }',
        "What a model may call, and `call` in a reaction. `once` is never run twice; a `background` tool answers "
        "with a turn of its own; `transfer` hands the caller over.",
    ),
    "provider": (
        "provider KIND { use ENGINE { … } }",
        "Who performs the nodes of a kind. Its `use` lines are tried in order. `provider NAME : KIND` is a pool "
        "that nodes choose with `provider = NAME`.",
    ),
    "policy": (
        'policy NAME when session.tenant == "…" { … }',
        "A variant of the pipeline for some sessions: other providers, inserted nodes, another recording. The "
        "first policy whose condition holds when the plan freezes applies.",
    ),
    "use": (
        "use ENGINE { … }",
        "One provider, tried after those above it. With `when`, it is skipped where the condition does not hold.",
    ),
    "insert": (
        "insert NODE before NODE.PORT",
        "Puts a node of this policy into every flow that ends at that port.",
    ),
    "before": ("insert NODE before NODE.PORT", "Names the input that the inserted node stands in front of."),
    "profile": (
        "profile simple/v1",
        "The execution profile: it fills in every bound, budget and deadline that the pipeline does not give.",
    ),
    "meta": ('meta { owner = "…" }', "Notes for people. They never change what runs, nor any hash."),
    "node": (
        "node NAME : KIND { … }",
        "One stage of the pipeline. The kind is left out when the name is the kind; a bare kind in a flow needs "
        "no line.",
    ),
    "party": (
        "party NAME { max = 12 }",
        "Someone who speaks and is spoken to, with turns of their own: `ana.audio -> … -> ben.audio`. Without "
        "one, `ingress` and `egress` are the two halves of the only party.",
    ),
    "mode": (
        "mode NAME { off = [NODE] }",
        "A compiled variant of the pipeline: nodes that are off, settings that differ. `degrade` goes there at "
        "once, `enter` from the next turn on.",
    ),
    "budget": (
        "budget { turn = 2s, llm = 800ms }",
        "Time to first output: of the whole turn, of a node, or of a path such as `ingress.audio -> stt.final`. "
        "The compiler proves that no path takes longer, if the declared budgets hold. `cost` bounds a turn's "
        "money.",
    ),
    "record": (
        'record L1 { keep = 30d, region = "eu" }',
        "How much of a session is kept: L0 what was decided, L1 partial payloads as well, L2 everything.",
    ),
    "on": (
        "on NODE.EVENT when … -> verb object",
        "A reaction: when the event occurs, do something. A bare event keeps the subject to its left: "
        "`llm.timeout or error`. What follows the arrow is an action, or a path that begins at a node.",
    ),
    "when": (
        "when event.confidence >= 0.6",
        "A guard. It is typed, total and free of side effects: comparing a field that is missing is false.",
    ),
    "otherwise": ("a -> b otherwise", "Taken when no guard of a sibling held."),
    "and": ("… and …", "Both hold."),
    "or": ("… or …", "Either holds; between events, either occurs."),
    "not": ("not …", "The condition does not hold."),
    "in": ('event.digit in ["1", "2"]', "The value is one of a list."),
    "from": ('import NAME from "path.rspp"', "Names the file that an import takes from."),
    "version": (
        'version "1.2.0"',
        "Two to four numbers. The first that is not 0 names a line of compatible versions.",
    ),
}

VERBS: dict[str, str] = {
    "open": "`open turn`: lets the agent begin, without having been asked.",
    "end": "`end utterance`: the user is done; this event then owns the end of turns. `end session`: hangs up.",
    "cancel": "`cancel turn|session|NODE`: stops whatever could still emit, and flushes what is not yet played.",
    "abort": "`abort turn`: ends the turn as failed.",
    "degrade": "`degrade MODE`: goes to a lesser mode at once, and back after recovery.",
    "enter": "`enter MODE`: another mode from the next turn on.",
    "pause": "`pause NODE`: holds its output back, and keeps it.",
    "resume": "`resume NODE`: goes on where `pause` stopped.",
    "call": "`call TOOL`: runs a tool, without the model asking for it.",
}

SUBJECTS: dict[str, str] = {
    "ingress": "What comes from the user: `ingress.audio`, `ingress.text`, `ingress.dtmf`.",
    "egress": "What goes to the user: `egress.audio`, `egress.text`. Audio leaves at most 200 ms ahead of playback.",
    "session": "The session: its events, and in guards its `tenant`, `language`, `region`, `tier` and `mode`.",
    "turn": "The turn: one response, from the end of the user's utterance until it has been heard.",
    "event": "In a guard: the event, or the item that flows, with its declared fields.",
    "utterance": "What the user says until they are done.",
}

TYPES: dict[str, str] = {
    "audio": "`audio(16kHz, mono, s16le)`: rate, channels and encoding are part of the type.",
    "text": "`text`, or with a payload class `text(PII)`.",
    "event": "A small structured event.",
    "bytes": "Opaque bytes.",
    "number": "A number: an argument of a tool.",
    "flag": "True or false: an argument of a tool.",
}

CHOICES: dict[str, str] = {
    "block": "`block(40ms)`: suspends the producer, at most that long without progress.",
    "drop_oldest": "Makes room by dropping what has waited longest.",
    "drop_newest": "Refuses what comes.",
    "coalesce": "Joins what waits into one item.",
    "sample": "Lets only a part through.",
    "latest_only": "Keeps one item, the newest.",
    "file": '`file("path")`: a file relative to the folder of the pipeline; it becomes part of the package.',
    "secret": '`secret("env://NAME")`: a reference. Secrets themselves never stand in a pipeline.',
    "hard": "Stops at once.",
    "soft": "Stops at the end of the segment.",
}

LEVELS: dict[str, str] = {
    "L0": "Headers and decisions: every decision can be replayed.",
    "L1": "L0, and partial payloads.",
    "L2": "Everything: replays bit for bit.",
}

EVENTS: dict[str, str] = {
    "started": "it has begun",
    "done": "it has finished",
    "error": "it has failed",
    "timeout": "its budget ran out before its first output",
    "speech_start": "the user began to speak",
    "speech_end": "the user is done",
    "barge_in": "the user speaks while the agent does",
    "idle": "nobody has spoken for `idle_after`",
    "fired": "the time is up",
    "budget_warning": "most of a budget is used up",
    "budget_exhausted": "a budget is used up",
    "connected": "the caller is there",
    "disconnected": "the caller is gone",
    "playback_started": "the user begins to hear it",
    "playback_completed": "the user has heard all of it",
    "playback_cancelled": "the user heard only a part",
    "provider_error": "a provider failed",
    "provider_switch": "the next provider takes over",
    "dtmf": "a key was pressed",
}


def kind_lines(kind: Kind) -> list[str]:
    """What a kind is, its ports, its events: as Markdown."""
    form = f'{kind.name}("…")' if kind.name in CUSTOM_KINDS else kind.name
    lines = [f"```rspp\nnode NAME : {form}\n```", sentence(kind.about)]
    ports = [f"in {_port(port)}" for port in kind.inputs] + [f"out {_port(port)}" for port in kind.outputs]
    lines.append("Ports: " + ("; ".join(ports) if ports else "as its signature says") + ".")
    if kind.settings:
        lines.append("Settings: " + ", ".join(f"`{setting.name}`" for setting in kind.settings) + ".")
    lines.append("Events: " + ", ".join(f"`{event}`" for event in events_of(kind)) + ".")
    return lines


def _port(port: Port) -> str:
    return f"`{port.name} : {port.type}`" + (" (main)" if port.main else "")


def sentence(about: str) -> str:
    """`tells speech from silence` as a sentence."""
    return f"{about[:1].upper()}{about[1:]}{'' if about.endswith(('.', '`')) else '.'}" if about else ""


def word_lines(word: str) -> list[str]:
    """What a keyword of the grammar is; empty for any other word."""
    if word not in KEYWORDS:
        return []
    form, about = KEYWORDS[word]
    return [f"```rspp\n{form}\n```", about]
