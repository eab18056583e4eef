"""Each bound of an edge on its own, as written in a pipeline and executed by the twin; and who set it."""

from __future__ import annotations

from typing import Any

import pytest
from conversation import MS
from test_corpus_agreement import for_runtime

from pipelines import compile_text, value
from rspp_runtime.abi import Cause, Control, In, Inbound, Op, Output, Result, Signal
from rspp_runtime.reference import Session

EDGE = "ears.speech -> stt.audio"
PROFILE, USER = "execution_profile_default", "explicit_edge_config"
TEXT = """pipeline bounded {{
  node ears  : vad
  node voice : tts
  ingress.audio -> ears -> stt {{ {settings} }}
  stt -> llm -> voice -> egress.audio
  budget {{ turn = 3s }}
}}
"""


def frozen(settings: str) -> Any:
    return value(compile_text(TEXT.format(settings=settings), until="freeze"), "freeze")


def notices(settings: str, frames: int, after_ms: int) -> list[Output]:
    """What the edge sheds: so many frames at once, and one more after a while; nobody takes any."""
    plan = for_runtime(frozen(settings).layout.plan)
    session = Session(plan, "bounds", 1, [])
    ears = next(node.id for node in plan.nodes if node.name == "ears")
    edge = next(edge.id for edge in plan.edges if edge.name == EDGE)
    session.ingest(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1), 0)
    session.advance(0)
    session.ingest(Inbound(In.MEDIA, plan.ingress, 0, epoch=1, payload=bytes(640)), 0)
    session.advance(0)
    call = next(output.invocation for output in session.drain() if output.op == Op.INVOKE)
    for at_ms in (*[1] * frames, 1 + after_ms):
        event = Inbound(In.CHUNK, ears, 0, call, 1, payload=bytes(640))
        assert session.ingest(event, at_ms * MS) == Result.ACCEPTED
    told = [output for output in session.drain() if output.op == Op.DECISION and output.node == edge]
    found = [output for output in told if output.code == Signal.DROP_NOTICE]
    assert session.stats()[f"edge.{edge}.dropped"] == sum(notice.y - notice.x + 1 for notice in found)
    return found


@pytest.mark.feature("F-143", "bounds")
@pytest.mark.parametrize(
    ("settings", "frames", "after_ms", "causes"),
    [
        ("buffer = [3 items, 400ms, 64kB], latency = 400ms", 4, 0, {Cause.QUEUE_PRESSURE}),
        ("buffer = [60 items, 400ms, 2kB], latency = 400ms", 4, 0, {Cause.QUEUE_PRESSURE}),
        ("buffer = [60 items, 100ms, 64kB], latency = 400ms", 4, 101, {Cause.QUEUE_AGE}),
        ("buffer = [60 items, 400ms, 64kB], latency = 100ms", 4, 101, {Cause.QUEUE_AGE}),
        ("buffer = [60 items, 400ms, 64kB], latency = 400ms", 4, 101, set()),
    ],
    ids=["items", "bytes", "time", "latency", "none"],
)
def test_each_bound_on_its_own_sheds(settings: str, frames: int, after_ms: int, causes: set[Cause]) -> None:
    budget = settings + ", overflow = drop_oldest"
    assert {Cause(notice.cause) for notice in notices(budget, frames, after_ms)} == causes


@pytest.mark.feature("F-044", "drop_newest", "counted")
def test_the_newest_gives_way_where_a_line_says_so() -> None:
    """Of four frames, there is room for three."""
    (oldest,) = notices("buffer = [3 items, 400ms], overflow = drop_oldest", 3, 0)
    (newest,) = notices("buffer = [3 items, 400ms], overflow = drop_newest", 3, 0)
    assert (newest.x - oldest.x, newest.y - newest.x, newest.cause) == (3, 0, Cause.QUEUE_PRESSURE)


@pytest.mark.feature("F-143", "source")
def test_the_resolved_plan_says_who_set_each_bound() -> None:
    policy = frozen("buffer = [40 items, 150ms], overflow = drop_oldest").resolved_plan["edge_buffer_policies"][EDGE]
    assert policy["bound_sources"] == {
        "max_queue_items": USER,
        "max_queue_ms": USER,
        "max_queue_bytes": PROFILE,
        "max_latency_contribution_ms": PROFILE,
    }
    policy = frozen("latency = 90ms").resolved_plan["edge_buffer_policies"][EDGE]
    assert policy["max_queue_ms"] == 90
    assert policy["bound_sources"] == {
        "max_queue_items": PROFILE,
        "max_queue_ms": USER,
        "max_queue_bytes": PROFILE,
        "max_latency_contribution_ms": USER,
    }
