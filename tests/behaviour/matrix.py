"""Every state of a session and its turn × every input: what the stub assistant answers and decides.

Each pair runs on both kernels at once, in the simulator's machine, so that all invariants are checked on the way.
`python tests/behaviour/matrix.py --write` puts the table into `docs/simulation.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from conversation import (  # noqa: E402
    EARS,
    IDLE,
    INGRESS,
    LLM,
    SPEECH_END,
    SPEECH_START,
    STT,
    TEXT,
    VOICE,
    Conversation,
)
from kernels import compiled, plan_of  # noqa: E402

from rspp_runtime.abi import Cause, Control, In, Inbound, Op, Output, Result, Signal  # noqa: E402
from rspp_runtime.reference import Session as Pure  # noqa: E402
from rspp_runtime.simulation.machine import Machine  # noqa: E402
from rspp_runtime.simulation.tables import tables  # noqa: E402

NAME = "stub_assistant"
PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
BEGIN, END = "<!-- matrix: written by tests/behaviour/matrix.py -->", "<!-- end of matrix -->"


class Checked:
    """Both kernels behind the protocol of one session."""

    def __init__(self) -> None:
        plan = plan_of(NAME)
        factories = (compiled(NAME), Pure)
        self.machine = Machine(
            plan, tables(plan), lambda name, epoch, _: [make(plan, name, epoch, [None, None]) for make in factories], 0
        )

    def ingest(self, event: Inbound, now_ns: int) -> int:
        self.machine.now = now_ns
        return self.machine.ingest(event)

    def advance(self, now_ns: int) -> int:
        self.machine.now = now_ns
        return self.machine.advance()

    def drain(self) -> list[Output]:
        return self.machine.drain()


def created() -> Conversation:
    return Conversation(Checked())  # type: ignore[arg-type]


def idle() -> Conversation:
    talk = created()
    talk.control(Control.SNAPSHOT, a=2)  # the greeting is refused
    talk.control(Control.CONNECTED)
    talk.control(Control.SNAPSHOT, a=0)
    return _listening(talk)


def closed() -> Conversation:
    return _listening(created().connect())


def opening() -> Conversation:
    """The outputs are full of refusals just when a turn was proposed: the step stops in between."""
    talk = closed()
    plan = plan_of(NAME)
    for _ in range(plan.control_out_max - plan.control_step_max):
        talk.offer(In.CONTROL, port=99)
    assert talk.offer(In.CONTROL, port=Control.END_UTTERANCE) == Result.ACCEPTED
    talk.step()
    return talk


def waiting() -> Conversation:
    talk = closed().hear()
    talk.fall_silent()
    return talk


def thinking() -> Conversation:
    return closed().ask()


def speaking() -> Conversation:
    talk = closed().ask().think(b"It is forty-two. ")
    talk.chunk(VOICE, 0, bytes(640), a=8, b=2)
    talk.step()
    return talk


def recording() -> Conversation:
    talk = closed().ask().think(b"Yes. ").speak(1, 5, 1)
    talk.step(talk.now + 20)
    return talk


def degraded() -> Conversation:
    talk = closed()
    talk.control(Control.DISCONNECTED)
    return talk


def ended() -> Conversation:
    talk = closed()
    talk.control(Control.ENDED)
    return talk


STATES: dict[str, Callable[[], Conversation]] = {
    "Created": created,
    "Idle": idle,
    "Opening": opening,
    "Active: waits for the recogniser": waiting,
    "Active: the model thinks": thinking,
    "Active: the voice speaks": speaking,
    "Active: evidence is asked for": recording,
    "Closed": closed,
    "Closed, disconnected": degraded,
    "Ended": ended,
}


def _listening(talk: Conversation) -> Conversation:
    """A frame has reached the detector: it has an invocation."""
    talk.frame()
    talk.step()
    talk.credit(EARS)
    talk.step()
    return talk


def _live(talk: Conversation, node: int) -> int:
    """The invocation that a node has, or the last that it had, or one that never was."""
    return next((o.invocation for o in reversed(talk.outputs) if o.op == Op.INVOKE and o.node == node), 999)


def _from(node: int, port: int, payload: bytes = b"", **fields: Any) -> Callable[[Conversation], Result]:
    return lambda t: t.offer(In.CHUNK, node=node, port=port, invocation=_live(t, node), payload=payload, **fields)


def _done(node: int, outcome: int) -> Callable[[Conversation], Result]:
    return lambda t: t.offer(In.DONE, node=node, invocation=_live(t, node), a=outcome)


def _control(code: int, a: int = 0, b: int = 0) -> Callable[[Conversation], Result]:
    return lambda t: t.offer(In.CONTROL, port=code, a=a, b=b)


def _later(talk: Conversation) -> Result:
    """Time passes until the kernel's next deadline."""
    if talk.deadline > 0:
        talk.now = -(-talk.deadline // 1_000_000)
    return Result.ACCEPTED


def _turn(talk: Conversation) -> int:
    return max((o.turn for o in talk.outputs if o.code == Signal.TURN_OPEN and o.op == Op.DECISION), default=0)


INPUTS: dict[str, Callable[[Conversation], Result]] = {
    **{f"control {code.name}": _control(code) for code in (Control.CONNECTED, Control.DISCONNECTED, Control.ENDED)},
    **{f"control {c.name}": _control(c) for c in (Control.CANCEL_TURN, Control.CANCEL_SESSION)},
    "control CANCEL_NODE": _control(Control.CANCEL_NODE, LLM),
    "control END_UTTERANCE": _control(Control.END_UTTERANCE),
    "control LEASE_ROTATED": _control(Control.LEASE_ROTATED, 2),
    "control LEASE_ROTATED, not higher": _control(Control.LEASE_ROTATED, 1),
    "control LEASE_REVOKED": _control(Control.LEASE_REVOKED),
    "control HANDOFF": _control(Control.HANDOFF, 2),
    "control HANDOFF, not higher": _control(Control.HANDOFF, 1),
    "control SNAPSHOT stale": _control(Control.SNAPSHOT, 1),
    "control BINDING off": _control(Control.BINDING, LLM, 0),
    "control EVIDENCE_APPENDED": lambda t: t.offer(In.CONTROL, port=Control.EVIDENCE_APPENDED, a=_turn(t)),
    "control EVIDENCE_FAILED": lambda t: t.offer(In.CONTROL, port=Control.EVIDENCE_FAILED, a=_turn(t)),
    "control unknown": _control(77),
    "media audio": lambda t: t.frame(),
    "media text": lambda t: t.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=b"hello", b=1),
    "media of an old epoch": lambda t: t.offer(In.MEDIA, node=INGRESS, payload=bytes(640), epoch=0),
    "media too large": lambda t: t.offer(In.MEDIA, node=INGRESS, payload=bytes(641)),
    "media on no port": lambda t: t.offer(In.MEDIA, node=INGRESS, port=9),
    "chunk speech_start": _from(EARS, SPEECH_START),
    "chunk speech_end": _from(EARS, SPEECH_END),
    "chunk idle": _from(EARS, IDLE),
    "chunk of the recogniser: partial": _from(STT, 1, b"hel"),
    "chunk of the recogniser: final": _from(STT, 2, b"hello", a=5, b=1),
    "chunk of the model": _from(LLM, 0, b"Well, ", b=1),
    "chunk of the voice": _from(VOICE, 0, bytes(640), a=1, b=1),
    "chunk of no invocation": lambda t: t.offer(In.CHUNK, node=LLM, port=0, invocation=12_345, payload=b"x"),
    "recogniser done": _done(STT, 0),
    "recogniser failed": _done(STT, 4),
    "model done": _done(LLM, 0),
    "model failed": _done(LLM, 4),
    "voice done": _done(VOICE, 0),
    "voice failed": _done(VOICE, 4),
    "credit of the model": lambda t: t.offer(In.CREDIT, node=LLM, invocation=_live(t, LLM), a=1),
    "an unknown operation": lambda t: t.offer(66),
    "the next deadline passes": _later,
}
DIAGNOSTICS = {Signal.REJECT, Signal.STALE_EPOCH_REJECT, Signal.LATE_AFTER_CANCEL}


def answer(state: str, given: str) -> tuple[Result, list[Output]]:
    """What one pair brings: the answer to the input, and all outputs of the step after it."""
    talk = STATES[state]()
    talk.drain()
    result = INPUTS[given](talk)
    return result, talk.step()


def cell(result: Result, outputs: list[Output]) -> str:
    """`refused: REJECT (OVERSIZED)`."""
    told = []
    for output in outputs:
        if output.op == Op.DECISION:
            cause = f" ({Cause(output.cause).name})" if output.cause else ""
            told.append(f"{Signal(output.code).name}{cause}")
        elif output.op in (Op.APPEND, Op.FLUSH, Op.RESUME, Op.CANCEL):
            told.append(Op(output.op).name.lower())
    words = {Result.ACCEPTED: "", Result.FULL: "full: ", Result.REFUSED: "refused: "}[result]
    return words + (", ".join(told) or "taken, nothing to decide")


def table() -> str:
    """One list for each state, as Markdown; inputs of the same effect share a line."""
    lines = []
    for state in STATES:
        rows: dict[str, list[str]] = {}
        for given in INPUTS:
            rows.setdefault(cell(*answer(state, given)), []).append(given)
        lines += [f"**{state}**", "", "| input | what the kernel does |", "|---|---|"]
        lines += [f"| {', '.join(inputs)} | {what} |" for what, inputs in rows.items()]
        lines.append("")
    return "\n".join(lines)


def written(page: str, content: str) -> str:
    """The page with this table in its place."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{content}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    text = written(PAGE.read_text("utf-8"), table())
    if "--write" in sys.argv:
        PAGE.write_text(text, "utf-8")
    else:
        print(table())
