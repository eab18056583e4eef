"""Keys over a real driver: which key ends a number decides, and nothing else: a log without content has no other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import In, Op, Origin, Result, Signal
from rspp_runtime.abi.plan import Edge, Event, Keys, Node, Overflow, Plan, Pool, Port
from rspp_runtime.evidence.entries import Input, Out
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.replay import replay
from rspp_runtime.reference import Session
from rspp_runtime.session.clock import VirtualClock, sleep_until
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.virtual import run

PIN, EVENT = 7, 1024
SECRET = b"4711"


def keyed(scripted: ModuleType) -> Plan:
    """The scripted pipeline, which can be keyed too: `ingress.dtmf -> pin -> llm`, a reaction names the key."""
    plan: Plan = scripted.plan()
    nodes = [*plan.nodes, Node(
        id=PIN, name="pin", kind="collect", execution="kernel", scope="session", line=9,
        inputs=(Port("keys", "event", EVENT),), outputs=(Port("text", "text", 64),), edges_in=(8,),
        keys=Keys(64, ord("#"), 2_000 * scripted.MS, True),
    )]  # fmt: skip
    nodes[0] = replace(nodes[0], outputs=(*nodes[0].outputs, Port("dtmf", "event", EVENT)))
    llm = nodes[scripted.LLM]
    nodes[scripted.LLM] = replace(llm, edges_in=(*llm.edges_in, 7))
    rest: dict[str, Any] = {"line": 9, "target_port": 0, "items_max": 8, "overflow": (Overflow("drop_oldest"),)}
    edges = (
        Edge(id=7, name="pin -> llm", source=PIN, source_port=0, target=scripted.LLM, scope="turn", pool=1,
             bytes_max=16_384, **rest),
        Edge(id=8, name="ingress.dtmf -> pin", source=0, source_port=2, target=PIN, scope="session", pool=2,
             bytes_max=8_192, **rest),
    )  # fmt: skip
    return replace(
        plan, nodes=tuple(nodes), edges=(*plan.edges, *edges), pools=(*plan.pools, Pool("keys", EVENT, 16)),
        turn_edges=plan.turn_edges | 1 << 7, events=(*plan.events, Event(3, "ingress.dtmf", 0, 2)),
    )  # fmt: skip


def recorded(scripted: ModuleType, plan: Plan, level: str, path: Path) -> list[int]:
    """A call in which a number is keyed, one of its keys twice under one sequence; what each key was answered."""
    answers: list[int] = []

    async def user(ears: Any, _: Any) -> None:
        for sequence, key in enumerate((SECRET[:1], SECRET[1:2], SECRET[1:2], SECRET[2:3], SECRET[3:], b"#")):
            now = ears.clock.now_ns()
            answers.append(await ears.media("dtmf", key, now, sequence=sequence - (sequence >= 2)))
            await sleep_until(ears.clock, now + 100 * scripted.MS)
        await scripted.quiet(ears)

    async def whole() -> None:
        works = {"ears": scripted.listen, "stt": scripted.recognise, "llm": scripted.answer("Thank you."),
                 "voice": scripted.speak}  # fmt: skip
        providers = {node: [(node, scripted.Fake("x", work))] for node, work in works.items()}
        options = Options(level=level, log=path, session_id="test")
        clock = VirtualClock(asyncio.get_running_loop())
        await converse(scripted.package(plan), providers, scripted.Party(user), clock, options)

    run(whole(), virtual=True)
    return answers


@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_a_keyed_turn_replays_at_every_level(scripted: ModuleType, tmp_path: Path, level: str) -> None:
    plan, path = keyed(scripted), tmp_path / "keys.log"
    answers = recorded(scripted, plan, level, path)
    assert answers == [Result.ACCEPTED] * 2 + [Result.REFUSED] + [Result.ACCEPTED] * 3
    log = read(path)
    out = [row for row in log.entries if isinstance(row, Out)]
    opened = [row for row in out if (row.op, row.code) == (Op.DECISION, Signal.TURN_OPEN_PROPOSED)]
    assert [row.x for row in opened] == [Origin.DTMF]
    report = replay(log, plan, lambda session_id, epoch, handlers: Session(plan, session_id, epoch, handlers))
    assert report.identical
    fed = [row.payload for row in out if row.op == Op.FEED and row.node == scripted.LLM]
    assert fed == [SECRET if level != "L0" else None]


def test_a_log_without_content_has_no_key_but_the_one_that_ends(scripted: ModuleType, tmp_path: Path) -> None:
    plan, path = keyed(scripted), tmp_path / "keys.log"
    recorded(scripted, plan, "L0", path)
    keys = [row for row in read(path).entries if isinstance(row, Input) and row.op == In.MEDIA and row.port == 2]
    assert [(row.a, row.b, row.payload) for row in keys] == [(0, 0, None)] * 5 + [(ord("#"), 0, None)]
