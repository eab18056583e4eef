"""The words, values and base class that all parts of a spec are made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rspp_compiler.ir.origin import Origin
from rspp_compiler.source import Span

Execution = Literal["kernel", "effect", "boundary"]
Place = Literal["kernel", "loop", "thread", "process"]
Scope = Literal["session", "turn", "party"]
Cancel = Literal["hard", "soft"]
Strategy = Literal["block", "drop_oldest", "drop_newest", "latest_only", "coalesce", "sample"]
PayloadClass = Literal["metadata", "derived_summary", "text_raw", "audio_raw", "PII", "PHI"]
Verb = Literal[
    "open_turn", "end_utterance", "cancel_turn", "cancel_session", "cancel_node", "abort_turn", "end_session",
    "degrade", "enter", "pause", "resume", "call",
]  # fmt: skip
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class SpecModel(BaseModel):
    """A part of the pipeline: frozen, with its place and the origins of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    span: Span
    origins: dict[str, Origin] = Field(default_factory=dict)

    def origin(self, field: str) -> Origin:
        """Origin of `field`; settings are asked for as `settings.min_silence_ns`."""
        return self.origins.get(field, Origin.user(self.span))


# ---- values ---------------------------------------------------------------------------------------------------------


class SecretRef(BaseModel):
    """`secret("env://NAME")`: only the reference is ever known to the compiler."""

    model_config = _FROZEN
    secret: str


class FileRef(BaseModel):
    """`file("dialogues/greeter.toml")`: a path relative to the folder of the pipeline's source."""

    model_config = _FROZEN
    file: str


class TextTemplate(BaseModel):
    """A text with variables, `"Hello ${session.name}"`; `variables` are their names in order."""

    model_config = _FROZEN
    template: str
    variables: tuple[str, ...]


SettingValue = bool | int | float | str | SecretRef | FileRef | TextTemplate | tuple[str, ...]
