"""What the audio edge counts of one client."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class UplinkStats:
    """Every packet is in exactly one of `taken`, `late`, `duplicate`, `surplus` and `malformed`."""

    taken: int = 0  # its audio was handed on, or waits to be
    late: int = 0  # came when its place was filled, or over
    duplicate: int = 0  # came while the same one was waiting
    surplus: int = 0  # more audio than time had passed for
    malformed: int = 0
    reordered: int = 0  # of `taken`: came after a later one
    lost: int = 0  # numbers that did not come in time
    concealed_ms: int = 0  # of audio that was made up for what did not come
    corrected_ms: int = 0  # of audio doubled (or, below zero, left out) since the client's clock is not ours
    pauses: int = 0  # times that the client sent nothing for a while, and media time jumped
    restarts: int = 0  # times that its numbers began anew
    drift_ppm: float = 0.0  # how much slower than ours its clock runs; below zero: faster
    transcodes: int = 0
    transcode_ns_sum: int = 0
    transcode_ns_max: int = 0
    depth_ms: int = 0  # of audio that waits
    depth_ms_max: int = 0
    latency_ms: float = 0.0  # that waiting adds now
    latency_ms_max: float = 0.0

    @property
    def packets(self) -> int:
        """How many came."""
        return self.taken + self.late + self.duplicate + self.surplus + self.malformed

    def as_data(self) -> dict[str, int | float]:
        return {"packets": self.packets, **asdict(self)}
