"""The event gateway: the one place where input is stamped and measured (CONTRACTS §2; RK-02).

The kernel decides by headers only. So what it needs to know about a text is measured here, once, and recorded: where
its last sentence ends and how many words it has. Audio is checked for its form.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from rspp_runtime.abi.codes import Control, Flag, In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Plan, Port
from rspp_runtime.kernel.marks import mark
from rspp_runtime.session.stepper import Stamps

FRAME_BYTES_MAX = 640  # 20 ms of PCM s16le, mono, 16 kHz
KEYS = b"0123456789*#ABCD"
SAMPLE_BYTES = 2
SAMPLE_RATE_HZ = 16_000

# A sentence ends with its mark and whatever closes with it, before white space or at the end of the payload; a full
# stop of Chinese or Japanese, and a line's end, end it anywhere.
_SENTENCE_END = re.compile(r"""(?:[.!?…]+["'”’»)\]]*(?=\s|$))|[。！？][」』”’]*|\n""")
# A clause ends at a sentence's end too, and at a mark within it.
_CLAUSE_END = re.compile(
    r"""(?:[.!?…,;:]+["'”’»)\]]*(?=\s|$))|[。！？，；：、][」』”’]*|\s[–—-](?=\s)|[–—](?=\s|$)|\n"""
)
_WORD_END = re.compile(r"\s+")
_ASCII_SPACE = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"
_MARKS = {"sentence": _SENTENCE_END, "clause": _CLAUSE_END, "word": _WORD_END}
INCREMENT_PORT = "delta"  # a model's output port: each payload continues the one before


class InputError(ValueError):
    """An input that has not the form that its port asks for; the message says what was wrong and where."""


class TextMark(NamedTuple):
    """Measured attributes of a text: `end` in bytes (0 if no sentence, clause or word ends in it), and its words."""

    end: int
    words: int


def text_mark(payload: bytes, by: str = "sentence", *, within_word: bool = False) -> TextMark:
    """Measures `payload` (UTF-8); `by` is the mark of its port: sentence, clause or word. `within_word`: the text
    before it ended without white space, so that a first piece that does not begin with it belongs to a word that
    was counted already.

    Raises `InputError` if it is not UTF-8.
    """
    if by == "sentence" and (found := mark(payload)) is not None:  # ASCII, as most text of most calls is
        return TextMark(found[0], found[1] - (within_word and bool(payload) and payload[0] not in _ASCII_SPACE))
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"text is not UTF-8 (byte {error.start}): decode it where it enters") from None
    end = 0
    for match in _MARKS[by].finditer(text):
        end = match.end()
    words = len(text.split())
    if within_word and text and not text[0].isspace():
        words -= 1
    return TextMark(len(text[:end].encode()), words)


def check_audio(payload: bytes, where: str) -> None:
    """Raises `InputError` unless `payload` is one frame: whole samples, more than none, at most 20 ms."""
    if not payload or len(payload) % SAMPLE_BYTES or len(payload) > FRAME_BYTES_MAX:
        raise InputError(
            f"{where}: {len(payload)} bytes are not an audio frame; send 2 to {FRAME_BYTES_MAX} bytes of s16le "
            f"mono at {SAMPLE_RATE_HZ} Hz, an even number"
        )


def key_number(key: str) -> int:
    """An idempotency key as the kernel knows it: 63 bits of its BLAKE2b hash, never 0."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1 or 1


class Gateway(Stamps):
    """Makes `Inbound` tuples: stamps the transport's sequence and the authority epoch, measures and checks payloads.

    `epoch` is the epoch that this process holds; the driver raises it when the kernel has accepted a rotation.
    `sequence` is the last transport sequence that an earlier holder of the session has given.
    """

    def __init__(self, plan: Plan, epoch: int, sequence: int = 0) -> None:
        self._plan = plan
        ports = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        self._ports = {port.name: (index, port) for index, port in enumerate(ports)}
        super().__init__(epoch, sequence, plan.ingress, self._ports["audio"][0] if "audio" in self._ports else -1)
        self._ends = {node.keys.until for node in plan.nodes if node.keys}  # keys that end a number: no secret

    def media(
        self,
        port_name: str,
        payload: bytes,
        media_ns: int,
        *,
        key: str = "",
        sequence: int | None = None,
        epoch: int | None = None,
    ) -> Inbound:
        """An item from the party. Raises `InputError`. A port that the pipeline does not use gets the index -1.

        What a transport carries is kept: an idempotency `key`, its own `sequence` (from 0), the `epoch` of its lease.
        An item with a sequence and no key has the key of its port and sequence, so that a resend is known again. What
        it does not carry is made up here, always in the same way: the next sequence, the epoch of this process, no key.
        """
        if (
            port_name == "audio"
            and not key
            and sequence is None
            and epoch is None
            and (frame := self.frame(payload, media_ns)) is not None
        ):  # the usual item of a call, fifty times a second
            return frame
        index, port = self._ports.get(port_name, (-1, None))
        a = b = flags = 0
        if port_name == "text" or (port is not None and port.type == "text"):
            a, b = text_mark(payload, port.mark if port is not None else "sentence")
            flags = int(Flag.FINAL)
        elif port_name == "audio":
            check_audio(payload, "ingress.audio")
        elif port is not None and port.type == "event":
            if port_name == "dtmf" and (len(payload) != 1 or payload not in KEYS):
                raise InputError(f"ingress.dtmf: {payload!r} is not a key; send one of {KEYS.decode()} at a time")
            a = payload[0] if payload and payload[0] in self._ends else 0
        named = key or ("" if sequence is None else f"{port_name}/{sequence}")
        return Inbound(
            In.MEDIA,
            node=self._plan.ingress,
            port=index,
            invocation=key_number(named) if named else 0,
            epoch=self.epoch if epoch is None else epoch,
            transport_sequence=self.next_sequence() if sequence is None else sequence,
            media_ns=media_ns,
            flags=flags,
            a=a,
            b=b,
            payload=payload,
        )

    def control(self, code: Control, a: int = 0, b: int = 0) -> Inbound:
        """A control input, from transport, control plane, API or evidence."""
        return Inbound(In.CONTROL, port=code, epoch=self.epoch, transport_sequence=self.next_sequence(), a=a, b=b)


def find_port(ports: tuple[Port, ...], name: str) -> int:
    """Index of the port called `name`, or -1."""
    for index, port in enumerate(ports):
        if port.name == name:
            return index
    return -1
