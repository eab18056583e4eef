"""What an invocation uses, measured before it is used (`In.USAGE`; docs/kernel.md, Caps).

Audio is measured by its bytes, text by its characters. Tokens are the provider's own affair: one that counts them says
so (`counts_tokens`, `Invocation.used`); for the others a token is begun every four characters.
"""

from __future__ import annotations

from collections.abc import Iterable

from rspp_runtime.abi.codes import Unit
from rspp_runtime.abi.plan import Meter, Node
from rspp_runtime.session.gateway import INCREMENT_PORT, SAMPLE_BYTES, SAMPLE_RATE_HZ

Stamp = tuple[Unit, int]
CHARS_PER_TOKEN = 4  # what tokenizers of European languages come to
_LISTENERS = ("stt", "vad")
_SECOND_NS = 1_000_000_000


def counted(meter: Meter) -> frozenset[Unit]:
    """The units that a cap or a price of the block asks for."""
    asked = {
        Unit.AUDIO_NS: meter.audio_ns or meter.session_audio_ns or any(price.minute for price in meter.prices),
        Unit.CHARS: meter.chars or any(price.kchar for price in meter.prices),
        Unit.TOKENS_IN: meter.tokens_in or any(price.ktoken_in for price in meter.prices),
        Unit.TOKENS_OUT: meter.tokens_out or any(price.ktoken_out for price in meter.prices),
    }
    return frozenset(unit for unit, is_asked in asked.items() if is_asked)


class Usage:
    """Measures what one invocation takes and gives; only what its meter counts."""

    def __init__(self, node: Node, meter: Meter, *, counts_tokens: bool) -> None:
        self.units = counted(meter)
        self._kind = node.kind
        self._estimates = self.units - ({Unit.TOKENS_IN, Unit.TOKENS_OUT} if counts_tokens else set())
        self._began = self._gave = False

    def taking(self, payload: bytes, messages: Iterable[str]) -> list[Stamp]:
        """What taking an item uses; the conversation is read with the first one."""
        if self._kind in _LISTENERS:
            return self._only((Unit.AUDIO_NS, _audio_ns(payload)))
        chars = _chars(payload)
        if self._kind == "tts":
            return self._only((Unit.CHARS, chars))
        read = 0 if self._began else sum(map(len, messages))
        self._began = True
        return self._only((Unit.CHARS, chars), (Unit.TOKENS_IN, _tokens(chars + read)))

    def giving(self, port: str, kind: str, payload: bytes) -> list[Stamp]:
        """What giving an output uses. A model's whole answer, said at its end, was given piece by piece before."""
        if kind == "audio":
            return self._only((Unit.AUDIO_NS, _audio_ns(payload))) if self._kind == "tts" else []
        if self._kind != "llm" or kind != "text" or (port != INCREMENT_PORT and self._gave):
            return []
        self._gave = True
        return self._only((Unit.TOKENS_OUT, _tokens(_chars(payload))))

    def _only(self, *stamps: Stamp) -> list[Stamp]:
        return [(unit, amount) for unit, amount in stamps if unit in self._estimates and amount]


def _audio_ns(payload: bytes) -> int:
    return len(payload) * _SECOND_NS // (SAMPLE_BYTES * SAMPLE_RATE_HZ)


def _chars(payload: bytes) -> int:
    return len(payload.decode("utf-8", "replace"))


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)
