"""A conversation with the stub assistant, step by step: the words in which scenarios are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rspp_runtime.abi import Control, In, Inbound, Op, Output, Result, Session, Signal

MS = 1_000_000
INGRESS, EARS, STT, CAPTIONS, LLM, SORRY, HELLO, VOICE, EGRESS = range(9)
AUDIO, TEXT = 0, 1
SPEECH, SPEECH_START, SPEECH_END, IDLE = range(4)
UTTERANCE, PARTIAL, FINAL = range(3)


class Conversation:
    """One session, its clock in ms, and everything that it put out."""

    def __init__(self, session: Session) -> None:
        self.session, self.now, self.epoch = session, 0, 1
        self.outputs: list[Output] = []
        self.deadline = -1

    # ---- the three calls

    def offer(self, op: int, **fields: Any) -> Result:
        fields.setdefault("epoch", self.epoch)
        return Result(self.session.ingest(Inbound(op, **fields), self.now * MS))

    def advance(self, to: int | None = None) -> None:
        self.now = self.now if to is None else to
        self.deadline = self.session.advance(self.now * MS)

    def drain(self) -> list[Output]:
        new = self.session.drain()
        self.outputs += new
        return new

    def step(self, to: int | None = None) -> list[Output]:
        """Advances and drains; the new outputs."""
        self.advance(to)
        return self.drain()

    # ---- who says what

    def control(self, code: Control, **fields: Any) -> list[Output]:
        assert self.offer(In.CONTROL, port=code, **fields) == Result.ACCEPTED
        return self.step()

    def invocation(self, node: int) -> int:
        """The node's last invocation."""
        return [output.invocation for output in self.outputs if output.op == Op.INVOKE and output.node == node][-1]

    def chunk(self, node: int, port: int, payload: bytes = b"", **fields: Any) -> Result:
        fields.setdefault("invocation", self.invocation(node))
        return self.offer(In.CHUNK, node=node, port=port, payload=payload, **fields)

    def credit(self, node: int, count: int = 1) -> None:
        self.offer(In.CREDIT, node=node, invocation=self.invocation(node), a=count)

    def done(self, node: int, outcome: int = 0) -> list[Output]:
        self.offer(In.DONE, node=node, invocation=self.invocation(node), a=outcome)
        return self.step()

    # ---- a whole stretch at once

    def connect(self, greet: bool = False) -> Conversation:
        """Connected; without the greeting, its turn is cancelled at once."""
        self.control(Control.CONNECTED)
        if not greet:
            self.control(Control.CANCEL_TURN)
            self.step(self.now + 100)
        return self

    def frame(self) -> Result:
        return self.offer(In.MEDIA, node=INGRESS, port=AUDIO, payload=bytes(640))

    def hear(self) -> Conversation:
        """The user begins to speak: one frame reaches the recogniser."""
        self.frame()
        self.step()
        self.credit(EARS)
        self.chunk(EARS, SPEECH_START)
        self.chunk(EARS, SPEECH, bytes(640))
        self.step()
        self.credit(STT)
        return self

    def fall_silent(self) -> list[Output]:
        self.chunk(EARS, SPEECH_END)
        return self.step()

    def recognise(self, text: bytes = b"what is the answer?") -> list[Output]:
        assert self.chunk(STT, FINAL, text, a=len(text), b=len(text.split())) == Result.ACCEPTED
        return self.done(STT)

    def ask(self, text: bytes = b"what is the answer?") -> Conversation:
        """The user asks; the model has the question."""
        self.hear()
        self.fall_silent()
        self.recognise(text)
        return self

    def think(self, *sentences: bytes) -> Conversation:
        """The model answers, and ends."""
        for text in sentences:
            assert self.chunk(LLM, 0, text, a=len(text), b=len(text.split())) == Result.ACCEPTED
            self.step()
        self.done(LLM)
        return self

    def speak(self, frames: int, bytes_each: int, words_each: int) -> Conversation:
        """The voice makes that many frames of 20 ms, with marks, and ends."""
        for index in range(1, frames + 1):
            result = self.chunk(VOICE, 0, bytes(640), a=index * bytes_each, b=index * words_each)
            assert result == Result.ACCEPTED
            self.step()
        self.done(VOICE)
        return self


def signals(outputs: list[Output]) -> list[str]:
    """Names of the decisions, in order."""
    return [Signal(output.code).name for output in outputs if output.op == Op.DECISION]


def decision(outputs: list[Output], signal: Signal) -> Output:
    """The only decision of that signal."""
    found = [output for output in outputs if output.op == Op.DECISION and output.code == signal]
    assert len(found) == 1, f"{len(found)} decisions {signal.name}"
    return found[0]


def requests(outputs: list[Output], *ops: Op) -> list[Output]:
    return [output for output in outputs if output.op in ops]


Start = Callable[[], Conversation]
