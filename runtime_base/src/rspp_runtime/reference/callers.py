"""Who waits for a tool (`docs/kernel.md`, Tools)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits for a tool: a model, which of its invocations, and the number that it gave the call."""

    node: int
    invocation: int
    number: int
