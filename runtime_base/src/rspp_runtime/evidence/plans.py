"""The resolved plans of a log's turns (CONTRACTS §6): what the build resolved, and what a turn froze when it opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.evidence.entries import Log, Out


def plans(log: Log, resolved: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One for each turn that opened, in order. `resolved` is the package's template of the plan."""
    epoch = log.header.epoch
    determinism = {**resolved["determinism"], "seed": log.header.seed}  # of the nodes' chance; the kernel has none
    for row in log.entries:
        if not isinstance(row, Out) or row.op != Op.DECISION:
            continue
        if row.code == Signal.LEASE_ROTATED:
            epoch = row.x
        elif row.code == Signal.TURN_OPEN:
            yield {
                "turn_id": f"{log.header.session_id}/{row.turn}",
                "plan_hash": (row.payload or b"").hex(),
                "authority_epoch": epoch,
                **resolved,
                "determinism": determinism,
            }
