"""No step of a session makes more control outputs than the compiler counted: the twin, under random schedules."""

from __future__ import annotations

import random
from typing import Any

import pytest

from good_corpus import GOOD
from pipelines import SHOP, compile_file, compile_text, shipped, value
from rspp_runtime.abi import Control, Emission, In, Inbound, Op
from rspp_runtime.abi.plan import Plan
from rspp_runtime.reference.session import Session

MS = 1_000_000

# Many reactions to one failure, a hand-off and a flow that sheds: much can happen at once.
BUSY = SHOP.replace(
    "  on tts.error               -> degrade text_only\n",
    """  node oops : say { text = "Oops. That did not work." }
  on llm.error -> oops -> tts
  on llm.error -> degrade text_only
  on tts.error or timeout -> degrade text_only
  on stt.error -> oops -> tts
  on stt.error or timeout -> sorry -> tts
  on ears.speech_start -> cancel turn
  budget { turn = 3s }
""",
).replace("llm -> polish", "llm -> polish { buffer = [2 items, 5ms], overflow = [block(1ms), drop_oldest] }\n  polish")


# Every node has somebody who takes over, and the model's providers are left alone when they fail.
NIGHT = (GOOD / "night_desk.rspp").read_text(encoding="utf-8")


# What is lost on one flow is lost on another, and marked on a third.
LIPS = (
    (GOOD / "lip_sync.rspp")
    .read_text(encoding="utf-8")
    .replace(
        "atomic_drop, group = sync_id, scope = plan_wide",
        ("atomic_drop, group = sync_id, scope = plan_wide }, buffer = 2 items, overflow = [block(1ms), drop_oldest"),
    )
    .replace("drop_oldest }", "drop_oldest]")
)


class Counted(Session):
    """A twin that remembers how many control outputs each step made."""

    most = 0

    def _step(self) -> bool:
        before = len(self._s.control_out)
        went_on = super()._step()
        self.most = max(self.most, len(self._s.control_out) - before)
        return went_on

    def ingest(self, event: Inbound, now_ns: int) -> int:
        before = len(self._s.control_out)
        answer = super().ingest(event, now_ns)
        self.most = max(self.most, len(self._s.control_out) - before)
        return answer


def runtime_plan(text: str | None) -> Plan:
    """The plan as the package carries it: its `plan.py`, executed."""
    result = compile_file(shipped("voice_assistant"), "render") if text is None else compile_text(text, "render")
    files = value(result, "render")
    names: dict[str, Any] = {}
    exec(compile(files.text(f"src/{files.name}/plan.py"), "plan.py", "exec"), names)
    plan: Plan = names["PLAN"]
    return plan


def _polish(item: Any) -> list[Emission] | None:
    return [Emission(0, item.payload, 0, item.a, item.b)] if len(item.payload) % 5 else None


def _event(plan: Plan, calls: list[tuple[int, int]], draw: random.Random) -> Inbound:
    """Something that could come in next, mostly plausible."""
    kind = draw.randrange(20)
    if kind == 0:
        return Inbound(In.CONTROL, port=draw.choice([Control.CONNECTED] * 8 + list(Control)), epoch=1, node=-1, a=1)
    if kind < 3 and plan.ingress >= 0:
        return Inbound(In.MEDIA, plan.ingress, 1, epoch=1, b=2, payload=b"hello there")
    if kind < 6 or not calls:
        return Inbound(In.MEDIA, plan.ingress, 0, epoch=1, payload=bytes(640))
    node, call = draw.choice(calls)
    if kind < 8:
        return Inbound(In.DONE, node, invocation=call, epoch=1, a=draw.choice([0, 0, 1, 4]), b=draw.randrange(2))
    if kind < 10:
        return Inbound(In.CREDIT, node, invocation=call, epoch=1, a=draw.randint(1, 8))
    port = draw.randrange(len(plan.nodes[node].outputs))
    size = 0 if plan.nodes[node].outputs[port].type == "event" else draw.randint(1, 500)
    return Inbound(In.CHUNK, node, port, call, 1, a=draw.choice([0, size]), b=3, payload=bytes(size))


@pytest.mark.parametrize(
    "text", [None, SHOP, BUSY, NIGHT, LIPS], ids=["voice_assistant", "shop", "busy", "night_desk", "lips"]
)
def test_no_step_makes_more_than_was_counted(text: str | None) -> None:
    plan = runtime_plan(text)
    most = 0
    for seed in range(40):
        draw = random.Random(seed)
        session = Counted(plan, f"s{seed}", 1, [_polish] * sum(node.handler >= 0 for node in plan.nodes))
        session.ingest(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1), 0)
        calls: list[tuple[int, int]] = []
        now = 0
        for _ in range(250):
            now += draw.choice([0, 0, MS, 20 * MS, 200 * MS, 900 * MS])
            session.ingest(_event(plan, calls, draw), now)
            if draw.random() < 0.7:
                session.advance(now)
            if draw.random() < 0.5:
                for output in session.drain():
                    if output.op == Op.INVOKE:
                        calls = [*calls[-7:], (output.node, output.invocation)]
                    if output.op == Op.APPEND:
                        answer = draw.choice([Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED])
                        session.ingest(Inbound(In.CONTROL, port=answer, epoch=1, a=output.turn), now)
        assert session.most <= plan.control_step_max, f"seed {seed}: {session.most} of {plan.control_step_max}"
        most = max(most, session.most)
    assert most >= 6, "the schedules never made anything happen at once"
