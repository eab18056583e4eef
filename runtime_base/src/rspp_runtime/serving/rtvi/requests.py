"""What a client says, message by message: RTVI's into words of `serving.dialect`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rspp import wire
from rspp_runtime.abi.codes import Control
from rspp_runtime.serving.dialect import Bye, DialectError, Key, Several, Told, Typed, Word
from rspp_runtime.serving.rtvi.framing import Fields, clean

KEYS = frozenset("0123456789*#")
KEYS_MAX = 32  # of one message

INTERRUPT = Told(0, Control.CANCEL_TURN)


class Version(NamedTuple):
    """Of the protocol."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


SPOKEN = Version(2, 2, 0)
LEGACY_MAJOR = 1  # its `bot-output` has another form
UNKNOWN = Version(1, 0, 0)  # of a client that does not say: the oldest form is understood by all


def version_of(data: Fields) -> tuple[Version, str]:
    """The version to speak with a client that says `client-ready`, and what is wrong with the one it has said."""
    given = data.get("version")
    if not isinstance(given, str):
        return UNKNOWN, "`client-ready` says no version: some messages may not be understood"
    parts = given.split("-")[0].split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        return UNKNOWN, f"{given[:20]!r} is no version: some messages may not be understood"
    version = Version(*map(int, parts))
    if version.major == LEGACY_MAJOR:
        return version, ""
    if version.major == SPOKEN.major:
        return min(version, SPOKEN), ""
    return SPOKEN, f"version {given[:20]} is not known here: {SPOKEN} is spoken"


def client_of(data: Fields) -> str:
    """What the client says that it is, for the log."""
    about = data.get("about")
    if not isinstance(about, dict):
        return ""
    return " ".join(filter(None, (clean(about.get(name)) for name in ("library", "library_version", "platform"))))


def typed(content: object) -> Word:
    """One utterance that takes the place of what is being said."""
    if not isinstance(content, str) or not (text := content.strip()):
        raise DialectError("schema_validation_error", "`content` is a text, and not an empty one", "content")
    said = text.encode("utf-8", "replace")  # JSON can name half a letter
    if (size := len(said)) > wire.TEXT_BYTES_MAX:
        raise DialectError("schema_validation_error", f"{size} bytes are more than {wire.TEXT_BYTES_MAX}", "content")
    return Several((INTERRUPT, Typed(0, said.decode())))


def _send_text(data: Fields) -> Word:
    options = data.get("options")
    options = options if isinstance(options, dict) else {}
    if options.get("run_immediately") is False:
        raise _no_word("`run_immediately: false`: a text is an utterance, and is answered")
    if options.get("audio_response") is False:
        raise _no_word("`audio_response: false`: how it is answered is the pipeline's affair")
    return typed(data.get("content"))


def _append_to_context(data: Fields) -> Word:
    if data.get("role") != "user" or data.get("run_immediately") is False:
        raise _no_word("the conversation is what was said: only a user's text that is answered can be added to it")
    return typed(data.get("content"))


def _dtmf(data: Fields) -> Word:
    keys = data.get("buttons", [data.get("button")])
    if not isinstance(keys, list) or not keys or len(keys) > KEYS_MAX or not all(str(key) in KEYS for key in keys):
        raise DialectError("schema_validation_error", f"`buttons` are at most {KEYS_MAX} of 0-9 * #", "buttons")
    return Several(tuple(Key(0, str(key)) for key in keys))


def _disconnect(_: Fields) -> Word:
    return Bye("disconnect-bot")


def _client_message(data: Fields) -> Word:
    raise _no_word(f"`client-message`: nobody here has a handler for {str(data.get('t'))[:40]!r}")


def _no_word(reason: str) -> DialectError:
    return DialectError("not_supported", f"not supported: {reason}")


_READ: dict[str, Callable[[Fields], Word]] = {
    "send-text": _send_text,
    "append-to-context": _append_to_context,
    "dtmf": _dtmf,
    "disconnect-bot": _disconnect,
    "client-message": _client_message,
}

_WHY_NOT = {
    "send-file": "files: a pipeline takes audio, text and keys",
    "llm-function-call-result": "tools run where the pipeline runs",
    "ui-event": "pages that the assistant looks at",
    "ui-snapshot": "pages that the assistant looks at",
    "ui-cancel-job-group": "job groups",
}


def read(kind: str, data: Any) -> Word:
    """The word of a message that is neither `client-ready` nor audio. Raises `DialectError`."""
    reader = _READ.get(kind)
    if reader is None:
        raise _no_word(_WHY_NOT.get(kind, f"messages of type {kind[:40]!r}"))
    return reader(data if isinstance(data, dict) else {})
