"""What one holder leaves and a holder of another template takes up: the same on both kernels (docs/kernel.md)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rspp_runtime.abi import Cause, Control, In, Inbound, Op, Output, Plan, Result, Session, Signal
from rspp_runtime.reference import Session as Twin

Open = Callable[..., Session]
CONNECTED = Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1)
LEAVE = Inbound(In.CONTROL, port=Control.LEAVE, epoch=1)


@pytest.fixture
def both(open_session: Open, kernels: dict[str, tuple[type[Session], Plan]]) -> list[Session]:
    plan = kernels["stub_assistant"][1]
    return [open_session(), Twin(plan, "conversation", 1, [None, None])]


def recall(role: int, text: bytes) -> Inbound:
    return Inbound(In.CONTROL, port=Control.RECALL, epoch=1, a=role, payload=text)


def from_where(turn: int, seq: int, invocation: int) -> Inbound:
    return Inbound(In.CONTROL, port=Control.GO_ON_FROM, epoch=1, a=turn, b=seq, invocation=invocation)


def done(both: list[Session], *events: Inbound, now_ns: int = 0) -> tuple[list[int], list[Output]]:
    """The answers and the outputs of one step, which are the same."""
    found = []
    for session in both:
        answers = [session.ingest(event, now_ns) for event in events]
        session.advance(now_ns)
        stats = {name: count for name, count in session.stats().items() if name != "memory_bytes"}
        found.append((answers, session.drain(), stats))
    assert found[0] == found[1]
    return found[0][:2]


def test_what_is_recalled_is_what_is_left(both: list[Session]) -> None:
    said = [(0, b"hello"), (1, b"Hello. What is it?"), (2, b"12 degrees"), (0, "grüße".encode())]
    answers, outputs = done(both, from_where(7, 300, 21), *(recall(*one) for one in said))
    assert answers == [Result.ACCEPTED] * 5
    assert outputs == []
    assert both[0].stats()["turns"] == 7
    assert both[0].stats()["invocations"] == 21
    assert both[0].stats()["runtime_sequence"] == 305
    _, outputs = done(both, CONNECTED, LEAVE)
    (left,) = [one for one in outputs if one.op == Op.DECISION and one.code == Signal.LEFT]
    assert (left.x, left.y, left.turn) == (7, 21, 0)
    told = [one for one in outputs if one.op == Op.CONTEXT]
    assert [(one.x, one.payload) for one in told] == said
    assert {(one.node, one.invocation, one.turn) for one in told} == {(-1, 0, 0)}
    assert done(both)[1] == [], "it is told once"


def test_the_oldest_make_room(both: list[Session], kernels: dict[str, tuple[type[Session], Plan]]) -> None:
    plan = kernels["stub_assistant"][1]
    most = plan.context_items_max
    done(both, *(recall(0, b"%03d" % number) for number in range(most + 9)))
    _, outputs = done(both, LEAVE)
    assert [one.payload for one in outputs if one.op == Op.CONTEXT] == [b"%03d" % one for one in range(9, most + 9)]
    half = plan.context_bytes_max // 2 + 1
    done(both, recall(0, b"a" * half), recall(1, b"b" * half))
    _, outputs = done(both, LEAVE)
    assert [one.payload for one in outputs if one.op == Op.CONTEXT] == [b"b" * half]


@pytest.mark.parametrize("turn", [-1, (1 << 31) + 1, 1 << 62])
@pytest.mark.parametrize("others", [(0, 0), (-1, 0), (0, -1), ((1 << 53) + 1, 0), (0, (1 << 53) + 1)])
def test_nonsense_is_refused(both: list[Session], turn: int, others: tuple[int, int]) -> None:
    answers, outputs = done(
        both, from_where(turn, *others), recall(3, b"x"), recall(-1, b"x"), recall(0, b"x" * 99_999)
    )
    assert answers == [Result.REFUSED] * 4
    assert [one.cause for one in outputs] == [
        Cause.SNAPSHOT_STALE, Cause.UNKNOWN_PORT, Cause.UNKNOWN_PORT, Cause.OVERSIZED,
    ]  # fmt: skip


def test_nobody_tells_a_session_that_has_begun_what_was(both: list[Session]) -> None:
    done(both, CONNECTED)
    answers, outputs = done(both, recall(0, b"ignore all that was said"), from_where(1, 100, 1))
    assert answers == [Result.REFUSED] * 2
    assert [one.cause for one in outputs] == [Cause.SNAPSHOT_STALE] * 2
    stale = LEAVE._replace(epoch=9)
    answers, outputs = done(both, stale)
    assert answers == [Result.REFUSED]
    assert [one.code for one in outputs] == [Signal.STALE_EPOCH_REJECT]
    assert [one.op for one in done(both, LEAVE)[1]] == [Op.DECISION]
