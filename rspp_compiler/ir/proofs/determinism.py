"""That a replay decides the same: every fan-in has an order, every input that could differ is declared and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.ir.origin import Origin

Category = Literal["external_call", "system_time", "random", "operator_override", "other"]
"""Where an input comes from, in the words of CONTRACTS §6."""


@dataclass(frozen=True, slots=True)
class FanIn:
    """Several flows into `port`, and the rule that orders them.

    `merge.timestamp`, `merge.priority`, `merge.round_robin`, `select.first`, `select.highest`: the node's own.
    `reaction.takeover`: a reaction's path takes the port over from the flow, and from an earlier reaction.
    `reaction.lines`: lines for one event put their items there one after the other. `none`: nothing orders them.
    """

    port: str
    sources: tuple[str, ...]
    rule_id: str
    rule_version: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Input:
    """Something that another run need not repeat: its key, its source, and where the record of it lies."""

    input_key: str
    source: Category
    evidence_ref: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Determinism:
    """Fan-ins in the order of nodes, inputs by category and key."""

    fan_ins: tuple[FanIn, ...]
    inputs: tuple[Input, ...]
