"""The origin of a value: the user's file, a line of the profile, or other values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.source import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    `user`      `span` is the value in the pipeline's source.
    `profile`   `span` lies in the profile's own file, `execution_profile/simple/v1`.
    `derived`   `reason` says from what; `span` is the place that caused it.
    """

    kind: Literal["user", "profile", "derived"]
    span: Span
    reason: str = ""

    @classmethod
    def user(cls, span: Span) -> Origin:
        return cls("user", span)

    @classmethod
    def profile(cls, span: Span) -> Origin:
        return cls("profile", span)

    @classmethod
    def derived(cls, span: Span, reason: str) -> Origin:
        return cls("derived", span, reason)

    @property
    def defaulting_source(self) -> str:
        """The plan's word for it (CONTRACTS §6)."""
        return "explicit_edge_config" if self.kind == "user" else "execution_profile_default"

    def __str__(self) -> str:
        if self.kind == "user":
            return f"user, {self.span}"
        if self.kind == "profile":
            return f"{self.span.file}, line {self.span.line}"
        return f"derived: {self.reason}"
