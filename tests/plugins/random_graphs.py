"""Random graphs of bounded size: a hearing half, a directed acyclic turn, and what the language can set on them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from graph_kinds import MS
from graphs import Sketch, flag, handoff, retry, steps

durations = st.integers(1, 400).map(lambda ms: ms * MS)
CONDITIONS: tuple[dict[str, Any], ...] = (
    *({}, {"guard": flag("final")}, {"guard": flag("urgent")}),
    *({"otherwise": True}, {"otherwise": True}),
)


@st.composite
def conversations(draw: st.DrawFn, *, conditions: bool = True, nodes_max: int = 5) -> Sketch:
    """A pipeline for the latencies: every way in which a clock can start, a random turn, failures of failures, fillers.

    With `conditions` some flows are guarded, or taken otherwise. No fallback leads back to what it answers.
    """
    sketch = Sketch()
    parties = draw(st.sampled_from([("",), ("",), ("ana", "ben")]))
    for party in filter(None, parties):
        sketch.party(party)
    names = [f"n{at}" for at in range(draw(st.integers(1, nodes_max)))]
    failures = {name: _turn_node(draw, sketch, name) for name in names}
    sketch.node("voice", "tts", first_output_ns=draw(durations))
    heads = [head for party in parties for head in _ear(draw, sketch, party)]
    for at, name in enumerate(names):
        sources = draw(st.lists(st.sampled_from([*heads, *names[:at]]), min_size=1, max_size=3, unique=True))
        for source in sources:
            chosen = draw(st.sampled_from(CONDITIONS if conditions else CONDITIONS[:1]))
            sketch.flow(f"{source} -> {name}", **_settings(draw, False), **chosen)
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)):
        sketch.flow(f"{name} -> voice", handoff=handoff(draw(durations)))
    for party in parties:
        sketch.flow(f"voice -> {party}.audio" if party else "voice -> egress.audio")
    if parties == ("",) and draw(st.booleans()):
        sketch.flow(f"{draw(st.sampled_from(names))} -> egress.text")
    _fallbacks(draw, sketch, failures)
    return sketch.budget(turn_ns=draw(st.integers(1, 5000)) * MS)


def _ear(draw: st.DrawFn, sketch: Sketch, party: str) -> list[str]:
    """What begins a party's turns, one of every kind there is; the ports that its answer starts from."""
    kind = draw(st.sampled_from(["vad", "button", "endpointer", "aside", "keys", "text", "realtime"]))
    audio, prefix = (f"{party}.audio", f"{party}_") if party else ("ingress.audio", "")
    ears, stt = f"{prefix}ears", f"{prefix}stt"
    if kind in ("keys", "text"):
        port = audio.replace("audio", "dtmf" if kind == "keys" else "text")
        if kind == "text":
            return [port]
        sketch.node(f"{prefix}pin", "collect").flow(f"{port} -> {prefix}pin")
        return [f"{prefix}pin"]
    if kind == "realtime":
        sketch.node(f"{prefix}hears", "realtime", first_output_ns=draw(durations)).flow(f"{audio} -> {prefix}hears")
        if draw(st.booleans()):
            sketch.on(f"{party}.ingress.button_up" if party else "ingress.button_up", "end utterance")
        return [f"{prefix}hears.transcript"]
    sketch.node(ears, "vad").node(stt, "stt", first_output_ns=draw(durations))
    sketch.flow(f"{audio} -> {ears}", buffer_ns=draw(durations))
    source = audio if kind == "aside" else ears
    sketch.flow(f"{source} -> {stt}", buffer_ns=draw(durations), latency_ns=draw(durations))
    if kind == "button":
        sketch.on(f"{party}.ingress.button_up" if party else "ingress.button_up", "end utterance")
    elif kind == "endpointer":
        sketch.node(f"{prefix}pauses", "endpointer").flow(f"{stt}.partial -> {prefix}pauses")
        sketch.on(f"{prefix}pauses.speech_end", "end utterance")
    return [stt]


def _fallbacks(draw: st.DrawFn, sketch: Sketch, failures: dict[str, tuple[str, ...]]) -> None:
    """Fallbacks that say something, that ask a spare, that go on behind what failed; and what is said meanwhile."""
    sketch.node("sorry", "say").node("spare", "grpc", first_output_ns=draw(durations))
    names, asks = list(failures), False
    for at, (name, events) in enumerate(failures.items()):
        event = draw(st.sampled_from([*events, ""]))
        way = draw(st.sampled_from(["sorry -> voice", "spare -> voice", "spare -> sorry -> voice", *names[at + 1 :]]))
        if event:
            sketch.on(f"{name}.{event}", way)
            asks = asks or "spare" in way
    if asks and draw(st.booleans()):
        sketch.on("spare.timeout", "sorry -> voice", coalesce_ns=draw(durations))
    if draw(st.booleans()):
        sketch.node("hello", "say").on("session.connected", "hello -> voice")
    if draw(st.booleans()):
        name = draw(st.sampled_from(names))
        sketch.node("model", "llm", first_output_ns=draw(durations), tools=("book",)).tool("book")
        sketch.flow(f"{name} -> model -> voice").node("moment", "say").on("book.started", "moment -> voice")


@st.composite
def sketches(draw: st.DrawFn, *, nodes_max: int = 8, guards: bool = True, failures: bool = True) -> Sketch:
    """A pipeline from ingress to egress whose turn is a random DAG of custom nodes, models and merges.

    Every node of the turn is reached and reaches the egress. With `guards` some flows carry a condition, with
    `failures` some nodes have a fallback and providers retry.
    """
    sketch = Sketch()
    sketch.node("ears", "vad", first_output_ns=draw(durations))
    sketch.node("stt", first_output_ns=draw(durations))
    _hearing(draw, sketch)
    behind = [draw(st.integers(-1, at - 1)) for at in range(draw(st.integers(1, nodes_max)))]
    names = [f"n{at}" for at in range(len(behind))]
    for name in names:
        _turn_node(draw, sketch, name)
    sketch.node("voice", "tts", first_output_ns=draw(durations))
    for at, name in enumerate(names):
        more = set(draw(st.lists(st.integers(-1, at - 1), max_size=2)))
        for source in sorted({behind[at]} | more):
            sketch.flow(f"{names[source] if source >= 0 else 'stt'} -> {name}", **_settings(draw, guards))
    heads = [name for at, name in enumerate(names) if at not in behind]
    for head in heads:
        sketch.flow(f"{head} -> voice", handoff=handoff(draw(durations)))
    sketch.flow("voice -> egress.audio")
    if draw(st.booleans()):
        sketch.flow(f"{draw(st.sampled_from(names))} -> egress.text")
    if failures:
        _failures(draw, sketch, names)
    return sketch.budget(turn_ns=draw(st.integers(1, 5000)) * MS)


def _hearing(draw: st.DrawFn, sketch: Sketch) -> None:
    """Where the clock starts: at the detector, or at the ingress where a button ends the utterance."""
    if draw(st.booleans()):
        sketch.flow("ingress.audio -> ears")
    else:
        sketch.flow("ingress.audio -> ears", buffer_ns=draw(durations)).on("ingress.button_up", "end utterance")
    sketch.flow("ears -> stt", buffer_ns=draw(durations))


def _turn_node(draw: st.DrawFn, sketch: Sketch, name: str) -> tuple[str, ...]:
    """Declares a node; gives the events by which it can fail, or warn that it may."""
    kind = draw(st.sampled_from(["llm", "grpc", "python", "merge", "select"]))
    fields: dict[str, Any] = {}
    if kind in ("llm", "grpc"):
        fields["first_output_ns"] = draw(durations)
    elif kind in ("merge", "select") and draw(st.booleans()):
        fields["settings"] = {"within_ns": draw(durations), "by": draw(st.sampled_from(["first", "highest"]))}
    elif kind == "python" and draw(st.booleans()):
        fields |= {"place": "loop", "first_output_ns": draw(durations)}
    sketch.node(name, kind, **fields)
    if "first_output_ns" in fields:
        return ("timeout", "error", "budget_warning")
    return ("error",) if kind == "python" else ()


def _settings(draw: st.DrawFn, guards: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        fields["coalesce_ns"] = draw(durations)
    if guards and draw(st.integers(0, 2)) == 0:
        fields["guard"] = flag()
    if draw(st.integers(0, 3)) == 0:
        fields |= {"overflow": steps("latest_only"), "buffer_items": draw(st.integers(1, 64))}
    return fields


def _failures(draw: st.DrawFn, sketch: Sketch, names: list[str]) -> None:
    sketch.node("sorry", "say")
    for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True)):
        sketch.on(f"{name}.timeout or {name}.error", "sorry -> voice")
    if draw(st.booleans()):
        times, backoff = draw(st.integers(0, 2)), draw(st.integers(0, 50)) * MS
        sketch.provider("llm", *"abc"[: draw(st.integers(1, 3))], retry=retry(times, backoff))
