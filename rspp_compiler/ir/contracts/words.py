"""The words that several contracts share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[int, Field(ge=0)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 hex digits in lower case.")]
SchemaVersion = Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+(\.[0-9]+)?$")]
Lane = Literal["ControlLane", "DataLane", "TelemetryLane"]
PayloadClass = Literal["audio_raw", "text_raw", "PII", "PHI", "derived_summary", "metadata"]
Module = Literal[
    "RK-02", "RK-03", "RK-06", "RK-11", "RK-12", "RK-13", "RK-14", "RK-15", "RK-16", "RK-17", "RK-22", "RK-23",
    "RK-24", "RK-25", "OR-02", "CP-05", "CP-07", "CP-08",
]  # fmt: skip
Modality = Literal["stt", "llm", "tts", "external"]
OutcomeClass = Literal["success", "timeout", "overload", "blocked", "infrastructure_failure", "cancelled"]
