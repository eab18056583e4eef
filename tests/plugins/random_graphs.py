"""Random graphs of bounded size: a hearing half, a directed acyclic turn, and what the language can set on them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from graph_kinds import MS
from graphs import Sketch, flag, handoff, retry, steps

durations = st.integers(1, 400).map(lambda ms: ms * MS)


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


def _turn_node(draw: st.DrawFn, sketch: Sketch, name: str) -> None:
    kind = draw(st.sampled_from(["llm", "grpc", "python", "merge", "select"]))
    fields: dict[str, Any] = {}
    if kind in ("llm", "grpc"):
        fields["first_output_ns"] = draw(durations)
    elif kind in ("merge", "select") and draw(st.booleans()):
        fields["settings"] = {"within_ns": draw(durations)}
    elif kind == "python" and draw(st.booleans()):
        fields |= {"place": "loop", "first_output_ns": draw(durations)}
    sketch.node(name, kind, **fields)


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
