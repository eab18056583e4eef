"""Figures over OTLP: what a collector gets is what `/metrics` says."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType

from loading import module_of
from rspp_runtime.telemetry.metrics import Metrics
from rspp_runtime.telemetry.otlp import Pushing

collector = module_of("rspp_collector_of_figures", Path(__file__).with_name("collector.py"))
CUMULATIVE = 2


def test_a_collector_gets_what_prometheus_would(scripted: ModuleType) -> None:
    metrics = Metrics(scripted.plan(), kernel="pure")
    metrics.turns.labels("commit", "completed").inc(3)
    for seconds in (0.01, 0.25, 0.25, 100.0):
        metrics.turn_playback.observe(seconds)
    metrics.lag(0, 30_000_000)
    with collector.collecting() as receiver:
        pushing = Pushing(metrics.registry, metrics.plan, receiver.address, every_s=60)
        pushing.start()
        pushing.close(10)
        found = receiver.metrics
        assert receiver.resources[0]["rspp.template_hash"] == "ab" * 32
    turns = found["rspp_turns"].sum
    assert (turns.is_monotonic, turns.aggregation_temporality) == (True, CUMULATIVE)
    assert turns.data_points[0].as_double == 3
    assert collector.attributes(turns.data_points[0]) == {"terminal": "commit", "reason": "completed"}
    lag = found["rspp_loop_lag_seconds"]
    assert (lag.unit, lag.gauge.data_points[0].as_double) == ("s", 0.03)
    playback = found["rspp_turn_playback_seconds"].histogram.data_points[0]
    assert (playback.count, playback.sum) == (4, 100.51)
    assert sum(playback.bucket_counts) == 4
    assert len(playback.bucket_counts) == len(playback.explicit_bounds) + 1
    assert playback.bucket_counts[-1] == 1
    assert not playback.HasField("min")


def test_a_collector_that_is_away_holds_nobody_up(scripted: ModuleType) -> None:
    pushing = Pushing(Metrics(scripted.plan()).registry, scripted.plan(), "http://127.0.0.1:9", every_s=0.01)
    pushing.start()
    time.sleep(0.1)
    start_s = time.monotonic()
    pushing.close(0.3)
    assert time.monotonic() - start_s < 1.0
