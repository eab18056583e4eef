"""Caps over a real driver: what is used is stamped, the kernel holds it, OR-02 has it, a replay decides it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import In, Signal, Unit
from rspp_runtime.abi.plan import Meter, Plan, Price
from rspp_runtime.evidence import facts
from rspp_runtime.evidence.entries import Evidence, Input, Out
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.replay import replay
from rspp_runtime.reference import Session

Record = Callable[..., Path]


def capped(scripted: ModuleType, node: str, **caps: Any) -> Plan:
    """The scripted pipeline, one node of which is capped."""
    plan: Plan = scripted.plan()
    nodes = tuple(replace(one, meter=0) if one.name == node else one for one in plan.nodes)
    return replace(plan, nodes=nodes, meters=(Meter(0, node, **caps),))


def usage(path: Path, node: str) -> list[dict[str, int]]:
    """Of each invocation of the node in the first turn."""
    records = {entry.turn: entry.or02 for entry in read(path).entries if isinstance(entry, Evidence)}
    assert missing_fields(records[1]) == []
    return [call["usage"] for call in records[1]["provider_invocations"] if call["node_id"] == node]


@pytest.mark.feature("F-058", "capped", "event")
@pytest.mark.feature("NF-017", "auditable")
def test_an_answer_is_cut_where_the_tokens_end(scripted: ModuleType, record: Record) -> None:
    """Each word is two tokens, by four characters: of ten words, five are said."""
    plan = capped(scripted, "llm", tokens_out=10)
    path = record("L2", plan, llm=scripted.answer("alpha bravo delta gamma omega sigma kappa theta"))
    turn = facts.read(plan, read(path).entries).turns[0]
    assert turn.said.split() == [b"alpha", b"bravo", b"delta", b"gamma", b"omega"]
    assert usage(path, "llm") == [{"tokens_out": 10}]
    told = [row for row in read(path).entries if isinstance(row, Out) and row.code == Signal.BUDGET_EXHAUSTED]
    assert told[0].x == Unit.TOKENS_OUT


def test_a_replay_decides_it_again(scripted: ModuleType, record: Record) -> None:
    plan = capped(scripted, "llm", tokens_out=6, cost_microusd=1_000, prices=(Price(call=1, ktoken_out=9_000),))
    path = record("L2", plan)
    stamped = [row for row in read(path).entries if isinstance(row, Input) and row.op == In.USAGE]
    assert stamped
    report = replay(read(path), plan, lambda session_id, epoch, handlers: Session(plan, session_id, epoch, handlers))
    assert report.differences == []


def test_a_provider_may_count_tokens_itself(scripted: ModuleType, record: Record) -> None:
    class Counting:
        modality = "llm"
        counts_tokens = True

        async def prepare(self) -> None: ...

        async def invoke(self, call: Any) -> None:
            async for _ in call.inputs():
                await call.used(tokens_in=7)
                for word in (b"One. ", b"Two. ", b"Three. "):
                    await call.used(tokens_out=4)
                    await call.emit("delta", word)

        async def close(self) -> None: ...

    plan = capped(scripted, "llm", tokens_in=7, tokens_out=8)
    path = record("L2", plan, llm=Counting())
    assert usage(path, "llm") == [{"tokens_in": 7, "tokens_out": 8}]
    said = [row.payload for row in read(path).entries if isinstance(row, Input) and row.op == In.CHUNK and row.payload]
    assert b"Two. " in said
    assert b"Three. " not in said


def test_a_voice_is_counted_by_characters_and_by_time(scripted: ModuleType, record: Record) -> None:
    plan = capped(scripted, "voice", chars=1_000, audio_ns=60_000_000_000)
    path = record("L2", plan, llm=scripted.answer("Grüße. Yes."))
    found = usage(path, "voice")[0]
    assert found["chars"] == len("Grüße. Yes.")
    assert found["audio_ns"] % 20_000_000 == 0
    assert found["audio_ns"] > 0
