"""What may be seen of a value outside of its session, by its class (CONTRACTS §11); and secrets, which never may.

Secrets are known in two ways: those that the process has read for its providers (`hide`), and whatever has the form of
a token.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HIDDEN = "[secret]"
SECRET_CHARS_MIN = 6  # what is shorter would hide ordinary words
SECRETS_MAX = 256

_FORMS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?<=rspp\.bearer\.)\S+"
    r"|(?<=[Bb]earer )\S+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user and password of an address
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
_MASKED = frozenset({"text_raw"})
_SHOWN = frozenset({"derived_summary", "metadata"})
_secrets: set[str] = set()


class Classed(NamedTuple):
    """A value and its payload class: what is shown of it in telemetry is decided by that."""

    payload_class: str
    value: object

    def __str__(self) -> str:
        return shown(self)


def hide(secret: str) -> None:
    """From now on this text is `HIDDEN` in every line. Of at most `SECRETS_MAX`."""
    if len(secret) >= SECRET_CHARS_MIN and len(_secrets) < SECRETS_MAX:
        _secrets.add(secret)


def without_secrets(text: str) -> str:
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return _FORMS.sub(HIDDEN, text)


def shown(classed: Classed) -> str:
    """In telemetry: metadata as it is, a text as its length, and of everything else that it was there."""
    if classed.payload_class in _SHOWN:
        return str(classed.value)
    if classed.payload_class in _MASKED:
        return f"[{len(str(classed.value))} characters]"
    return f"[{classed.payload_class}]"
