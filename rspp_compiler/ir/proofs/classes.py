"""Where personal data goes: from which port, by which way, to whom, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rspp_compiler.source import Span

SENSITIVE = ("PII", "PHI")
"""The classes that flow only where they are accepted, the less sensitive one first."""

BreachKind = Literal["provider", "tap", "port", "recording"]


@dataclass(frozen=True, slots=True)
class ClassSource:
    """A port that emits data of a class, and the place that says so."""

    payload_class: str
    port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Arrival:
    """Data of a class comes to `port`: from the input `before` ("" if straight from its source), and first of all from
    the port `source`.
    """

    payload_class: str
    port: str
    before: str
    source: str


@dataclass(frozen=True, slots=True)
class Breach:
    """Data of `payload_classes` is where it must not be: `place` is a provider, a tap, a port, or the recording.

    `way` are the ports that it comes by, `mode` is the mode in which it does ("" for the full pipeline).
    """

    kind: BreachKind
    payload_classes: tuple[str, ...]
    place: str
    way: tuple[str, ...]
    mode: str
    span: Span


@dataclass(frozen=True, slots=True)
class Handling:
    """What is kept of a class outside of the conversation (CONTRACTS §11), at the pipeline's recording level."""

    payload_class: str
    telemetry: str
    timeline: str
    replay: str


@dataclass(frozen=True, slots=True)
class Classes:
    """Sources and arrivals of personal data in the full pipeline, in order; breaches of all modes."""

    sources: tuple[ClassSource, ...]
    arrivals: tuple[Arrival, ...]
    breaches: tuple[Breach, ...]
    handling: tuple[Handling, ...]
