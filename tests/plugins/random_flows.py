"""Random pipelines of audio that goes by one clock: frames that do not go into each other, ways that part and join."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from graph_kinds import MS
from graphs import NOWHERE, Sketch, steps
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import LimitSpec

frames = st.sampled_from((10, 20, 30, 40))
AUDIO = 1 << 20  # bytes: never the bound that is reached first


def with_rooms(graph: Graph, rooms: dict[str, int]) -> Graph:
    """The graph with other sizes of buffers, in items, by the id of the edge."""
    edges = tuple(
        replace(edge, spec=edge.spec.model_copy(update={"buffer_items": rooms.get(edge.id, edge.spec.buffer_items)}))
        for edge in graph.edges
    )
    return replace(graph, edges=edges)


@st.composite
def flows(
    draw: st.DrawFn,
    *,
    nodes_max: int = 4,
    room_max: int = 4,
    one_length: bool = False,
    works: bool = False,
    filters: bool = False,
) -> Sketch:
    """Up to `nodes_max` custom nodes and joins behind an ingress; every end is tapped, every flow blocks.

    With `one_length` all frames last 20 ms; with `works` every node works on its items, some on several at once; with
    `filters` some let only speech through.
    """
    sketch = Sketch()
    length = 20 if one_length else draw(frames)
    sketch.node("ingress", outputs=f"audio: audio/{length}ms")
    ports = {"ingress.audio": length}  # outputs that carry each moment of audio once
    ends = {"ingress.audio"}

    def flow(source: str, target: str) -> None:
        ends.discard(source)
        items = draw(st.integers(1, room_max))
        sketch.flow(
            f"{source} -> {target}", buffer_items=items, buffer_bytes=AUDIO, buffer_ns=0, overflow=steps("block")
        )

    for at in range(draw(st.integers(1, nodes_max))):
        name = f"n{at}"
        sources = draw(st.lists(st.sampled_from(sorted(ports)), min_size=1, max_size=2, unique=True))
        if len(sources) == 1:
            taken, given = (20, 20) if one_length else (draw(frames), draw(frames))
            kind, more = ("vad", {}) if filters and draw(st.booleans()) else _custom(draw, works)
            sketch.node(name, kind, inputs=f"a: audio/{taken}ms", outputs=f"b: audio/{given}ms", **more)
            flow(sources[0], f"{name}.a")
            ports[f"{name}.b"] = given
            ends.add(f"{name}.b")
        else:
            once = _join(draw, sketch, name, [ports[source] for source in sources], works)
            for source in sources:
                flow(source, f"{name}.in")
            if once:
                ports[f"{name}.out"] = once
            ends.add(f"{name}.out")
    for at, end in enumerate(sorted(ends)):
        sketch.node(f"end{at}", "tap", work_ns=draw(st.integers(1, 30)) * MS if works else 0)
        flow(end, f"end{at}")
    return sketch


def _custom(draw: st.DrawFn, works: bool) -> tuple[str, dict[str, Any]]:
    """A node of the kernel, or one that waits and may work on several items at once."""
    more: dict[str, Any] = {"work_ns": draw(st.integers(1, 30)) * MS} if works else {}
    if draw(st.booleans()):
        return "python", more
    if draw(st.booleans()):
        more["limit"] = LimitSpec(span=NOWHERE, concurrency=draw(st.integers(1, 3)))
    return "grpc", more


def _join(draw: st.DrawFn, sketch: Sketch, name: str, lengths: list[int], works: bool) -> int:
    """A node that waits for both its flows. The length of what it hands on, if that is each moment of audio once."""
    alike = len(set(lengths)) == 1
    rules = {"merge": ({"order": "timestamp"}, {"order": "round_robin"}), "select": ({"by": "highest"},)}
    kind = draw(st.sampled_from(("merge", "select"))) if alike else "merge"
    settings = draw(st.sampled_from(rules[kind] if alike else rules[kind][:1]))
    ports = {"inputs": f"in: audio/{lengths[0]}ms", "outputs": f"out: audio/{lengths[0]}ms"}
    work = draw(st.integers(1, 30)) * MS if works else 0
    sketch.node(name, kind, settings=settings, work_ns=work, **ports)
    return lengths[0] if kind == "select" else 0
