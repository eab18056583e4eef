"""The session as Python sees it: bad arguments are refused, memory is never at risk."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rspp_runtime.abi import Control, Emission, In, Inbound, Item, Op, Output, Plan, Result, Session, Signal

Open = Callable[..., Session]
CONNECTED = Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1)


def test_outputs_are_the_tuples_of_the_abi(open_session: Open) -> None:
    session = open_session()
    assert session.ingest(CONNECTED, 5) == Result.ACCEPTED
    session.advance(5)
    first = session.drain()[0]
    assert type(first) is Output
    assert first == Output(Op.DECISION, 5, 2, code=Signal.CONNECTED)
    assert session.drain() == []


@pytest.mark.parametrize(
    "event", [None, (), (1, 2), [5] * 11, CONNECTED[:-1], (*CONNECTED[:-1], "text"), (*CONNECTED[:-1], None)]
)
def test_what_is_no_input_raises_type_error(open_session: Open, event: Any) -> None:
    session = open_session()
    with pytest.raises(TypeError):
        session.ingest(event, 0)
    assert session.stats()["runtime_sequence"] == 0


@pytest.mark.parametrize("field", Inbound._fields[:-1])
def test_numbers_beyond_64_bits_raise(open_session: Open, field: str) -> None:
    with pytest.raises(OverflowError):
        open_session().ingest(CONNECTED._replace(**{field: 2**63}), 0)
    with pytest.raises(TypeError):
        open_session().ingest(CONNECTED._replace(**{field: "1"}), 0)


@pytest.mark.parametrize("op", [-(2**63), -1, 0, 1, 2, 3, 4, 5, 6, 2**40])
@pytest.mark.parametrize("number", [-(2**63), -1, 0, 3, 63, 64, 2**31, 2**63 - 1])
def test_no_number_leads_outside_the_block(open_session: Open, op: int, number: int) -> None:
    session = open_session()
    session.ingest(CONNECTED, 0)
    session.advance(0)
    for payload in (b"", b"x" * 100_000):
        session.ingest(Inbound(op, number, number, number, 1, number, number, number, number, number, payload), 1)
        session.ingest(Inbound(op, 1, 0, 1, 1, number, number, number, number, number, payload), 1)
        session.advance(1)
    session.drain()
    session.stats()


def test_the_clock_never_goes_back(open_session: Open) -> None:
    session = open_session()
    session.advance(10)
    for call in (lambda: session.advance(9), lambda: session.ingest(CONNECTED, 9)):
        with pytest.raises(ValueError, match="9 is before 10"):
            call()
    assert session.advance(10) == -1


def test_close_is_idempotent_and_final(open_session: Open) -> None:
    session = open_session()
    session.close()
    session.close()
    for call in (lambda: session.ingest(CONNECTED, 0), lambda: session.advance(0), session.drain, session.stats):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_another_plan_and_a_long_session_id_are_refused(kernels: dict[str, tuple[Any, Plan]]) -> None:
    factory, plan = kernels["stub_assistant"]
    with pytest.raises(ValueError, match="plan"):
        factory(dataclasses.replace(plan, template_hash="c" * 64), "x", 1, [])
    with pytest.raises(ValueError, match="64 bytes"):
        factory(plan, "x" * 65, 1, [])
    factory(plan, "ü" * 32, 1, [])


def test_plan_hash_is_that_of_the_contract(open_session: Open) -> None:
    session = open_session()
    session.ingest(CONNECTED, 0)
    session.advance(0)
    opened = [output for output in session.drain() if output.code == Signal.TURN_OPEN]
    text = b"rspp.plan.v1\0" + b"a" * 64 + b'{"authority_epoch":1,"mode":"full","turn_id":"conversation/1"}'
    assert [output.payload for output in opened] == [hashlib.sha256(text).digest()]


def audio(session: Session, now: int) -> int:
    return session.ingest(Inbound(In.MEDIA, node=0, port=0, epoch=1, payload=bytes(320)), now)


def test_a_python_node_gets_an_item_and_gives_emissions(open_session: Open) -> None:
    seen: list[Item] = []

    def gate(item: Item) -> Sequence[Emission]:
        seen.append(item)
        return [Emission(0, item.payload[:10])]

    session = open_session("stub_workshop", (gate, gate))
    session.ingest(CONNECTED, 0)
    session.advance(0)
    audio(session, 3)
    session.advance(3)
    assert seen == [Item(port=0, turn=0, seq=3, media_ns=0, flags=0, a=0, b=0, payload=bytes(320))]
    assert [output.payload for output in session.drain() if output.op == Op.FEED] == [bytes(10)]


def test_what_a_handler_raises_comes_out_of_advance_and_the_session_goes_on(open_session: Open) -> None:
    def gate(item: Item) -> Sequence[Emission]:
        raise LookupError("no such thing")

    session = open_session("stub_workshop", (gate, gate))
    session.ingest(CONNECTED, 0)
    session.advance(0)
    audio(session, 0)
    with pytest.raises(LookupError, match="no such thing"):
        session.advance(0)
    assert session.advance(1) >= -1


def test_calls_do_not_nest(open_session: Open) -> None:
    def gate(item: Item) -> Sequence[Emission]:
        session.drain()
        return []

    session = open_session("stub_workshop", (gate, gate))
    session.ingest(CONNECTED, 0)
    session.advance(0)
    audio(session, 0)
    with pytest.raises(RuntimeError, match="do not nest"):
        session.advance(0)
