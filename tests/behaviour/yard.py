"""A conversation with the stub switchyard, whose recogniser detects speech itself."""

from __future__ import annotations

from conversation import Conversation

from rspp_runtime.abi import Control, In, Output, Result

INGRESS, STT, SHORT, LONG, SORRY, VOICE, WATCH, EGRESS = range(8)
AUDIO = 0
UTTERANCE, PARTIAL, FINAL, SPEECH_START, SPEECH_END = range(5)


class Yard(Conversation):
    """One session of the switchyard."""

    def begin(self) -> Yard:
        """Connected; one frame has reached the recogniser."""
        self.control(Control.CONNECTED)
        self.frame()
        self.step()
        self.credit(STT)
        return self

    def frame(self, size: int = 320) -> Result:
        return self.offer(In.MEDIA, node=INGRESS, port=AUDIO, payload=bytes(size))

    def say(self, text: bytes) -> list[Output]:
        """The user says it, and falls silent; it is recognised."""
        self.chunk(STT, SPEECH_END)
        self.step()
        assert self.chunk(STT, FINAL, text, flags=1, b=len(text.split())) == Result.ACCEPTED
        return self.done(STT)

    def delta(self, node: int, text: bytes, **fields: int) -> Result:
        """A model goes on."""
        return self.chunk(node, 0, text, b=len(text.split()), **fields)

    def partial(self, text: bytes, *, final: bool = False) -> Result:
        return self.chunk(STT, PARTIAL, text, flags=int(final), b=len(text.split()))
