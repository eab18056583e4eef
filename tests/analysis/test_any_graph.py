"""Cancel, ends, determinism, classes and cost on graphs of any kind: they come to an end, and say the same twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Sketch, candidate
from random_graphs import sketches
from rspp_compiler.analysis.data.classes import classes
from rspp_compiler.analysis.data.cost import cost
from rspp_compiler.analysis.safety.cancel import cancel
from rspp_compiler.analysis.safety.determinism import determinism
from rspp_compiler.analysis.safety.ends import ends
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import OverrideSpec, PriceSpec
from rspp_compiler.source import Span

SPAN = Span("sketch.rspp", 0, 0, 1, 1, 1, 1)
ANALYSES: tuple[Callable[[Graph, Context], Any], ...] = (cancel, ends, determinism, classes, cost)


@st.composite
def any_graph(draw: st.DrawFn) -> Sketch:
    """A random pipeline with personal data, prices, tools, a mode, reactions of every verb."""
    sketch = draw(sketches(nodes_max=6))
    names = [node for node in sketch._nodes if node not in ("ingress", "egress")]
    sketch.node("stt", settings={"class": draw(st.sampled_from(["text_raw", "PII", "PHI"]))})
    price = PriceSpec(span=SPAN, call_microusd=draw(st.integers(0, 5)), ktoken_out_microusd=draw(st.integers(0, 5)))
    sketch.provider("llm", candidate("openai", price=price), "anthropic").budget(cost_microusd=draw(st.integers(0, 9)))
    sketch.tool("book", once=True).tool("desk", "transfer").tool("watch", background=True)
    sketch.node("music", "play", settings={"loop": draw(st.booleans()), "interruptible": draw(st.booleans())})
    change = OverrideSpec(span=SPAN, node=draw(st.sampled_from(names)), field="provider", value="llm")
    sketch.mode("less", draw(st.sampled_from(names)), overrides=(change,))
    verbs = ["abort turn", "cancel turn", "degrade less", "enter less", "call desk", "call book", "end session"]
    verbs += [f"{verb} {draw(st.sampled_from(names))}" for verb in ("pause", "resume", "cancel")]
    verbs += ["music -> egress.audio", "sorry -> voice", draw(st.sampled_from(names))]
    subjects = [*names, "book", "desk", "turn", "session"]
    for _ in range(draw(st.integers(0, 5))):
        event = draw(st.sampled_from(["error", "timeout", "started", "abort", "connected", "idle"]))
        sketch.node("sorry", "say").on(f"{draw(st.sampled_from(subjects))}.{event}", draw(st.sampled_from(verbs)))
    return sketch


@pytest.mark.parametrize("analysis", ANALYSES)
@settings(max_examples=20)
@given(any_graph())
def test_any_graph(analysis: Callable[[Graph, Context], Any], sketch: Sketch) -> None:
    graph, ctx, again = sketch.graph(), sketch.context(), sketch.context()
    found = to_json(analysis(graph, ctx))
    assert to_json(analysis(graph, again)) == found
    assert ctx.sink.diagnostics == again.sink.diagnostics
    texts = {name: source.text for name, source in ctx.sources.items()}
    for one in ctx.sink.diagnostics:
        assert one.fix is not None, one.message
        assert one.help
        assert apply_all(texts, [one.fix])[0] != texts
