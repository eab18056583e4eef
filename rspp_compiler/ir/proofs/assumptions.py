"""What the proofs rest on: each has an id, which the plan carries and a run that breaks it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.ir.origin import Origin

AssumptionKind = Literal["first_output", "chunk", "age", "handoff", "work", "rate", "item", "timeout", "delay"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """`subject` keeps within `limit`: nanoseconds, but for `item` (bytes). `text` says it in a sentence."""

    kind: AssumptionKind
    subject: str  # a node, an edge, a tool, a port
    limit: int
    text: str
    origin: Origin

    @property
    def id(self) -> str:
        """`first_output:llm`: stable as long as the subject keeps its name."""
        return f"{self.kind}:{self.subject}"
