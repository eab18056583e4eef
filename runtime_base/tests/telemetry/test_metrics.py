"""Metrics: what a conversation leaves in them, and that Prometheus takes their text."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from rspp_runtime.abi.codes import Cause, Follow, In, Op, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.serving.admission import Admission, Limits
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.audience import Audience
from rspp_runtime.session.observer import InvocationEnd
from rspp_runtime.session.virtual import run
from rspp_runtime.telemetry.metrics import Metrics
from rspp_runtime.telemetry.session import SessionFigures

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def figures(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in read_text(metrics.text()[0].decode())
        for sample in family.samples
    }


def hub(**tenants: int) -> Any:
    """As much of a hub as is copied."""
    seats = {}
    for tenant, count in tenants.items():
        for number in range(count):
            connection = SimpleNamespace(state=SimpleNamespace(value="connected" if number else "reconnecting"))
            seats[f"{tenant}-{number}"] = SimpleNamespace(
                party=SimpleNamespace(connection=connection, count=lambda: None)
            )
    admission = Admission(Limits(sessions_max=20))
    for tenant, count in tenants.items():
        for _ in range(count):
            assert admission.ask(tenant, "", 0).is_admitted
            admission.opened(tenant)
    tally = Tally()
    tally.frames_in, tally.frames_out = 50, 60
    tally.connections["stall"] += 2
    tally.audio_packets["lost"] += 7
    tally.audio_concealed_ms, tally.audio_transcode_ns = 140, 30_000_000
    tally.handshakes_refused["forged"] += 3
    tally.refused["rate"] += 1
    return SimpleNamespace(
        seats=seats, admission=admission, tally=tally, settings=SimpleNamespace(max_sessions=200), draining=False,
        unready="", ended={"ended": 4},
    )  # fmt: skip


def look(metrics: Metrics, at: Any) -> None:
    """Within a loop, as a server does."""

    async def work() -> None:
        metrics.look(at)

    asyncio.run(work())


@pytest.fixture(scope="module")
def talked(scripted: ModuleType) -> Metrics:
    """After a conversation of two turns, the second of which the user talked over."""
    metrics = Metrics(scripted.plan(), kernel="pure")
    seen = SessionFigures(metrics, "s-1", "4bf92f3577b34da6a3ce929d0e0e4736")

    async def user(ears: Any, party: Any) -> None:
        for _ in range(2):
            await scripted.talk(ears, 20)
            await scripted.hush(ears, 60)
        await scripted.talk(ears, 10)
        await scripted.hush(ears, 20)
        await scripted.quiet(ears)

    run(scripted.converse(scripted.Party(user), observers=[seen], llm=scripted.answer(scripted.LONG)), virtual=True)
    look(metrics, hub(acme=2, other=1))
    metrics.lag(1_500_000, 30_000_000)
    return metrics


def test_a_conversation_is_counted(talked: Metrics) -> None:
    found = figures(talked)
    turns = found["rspp_turns_total", "completed", "commit"] + found["rspp_turns_total", "cancelled", "abort"]
    assert turns == found["rspp_turn_seconds_count",] == 3
    assert found["rspp_barge_ins_total",] == found["rspp_cancel_fence_seconds_count",] >= 1
    assert found["rspp_turns_total", "cancelled", "abort"] == found["rspp_cancel_fence_seconds_count",]
    assert found["rspp_turn_playback_seconds_count",] == 3
    assert found["rspp_playbacks_total", "paced"] == 3
    assert found["rspp_provider_invocations_total", "llm", "success", "llm"] >= 1
    assert found["rspp_provider_first_output_seconds_count", "llm", "llm"] == 3
    assert found["rspp_edge_items_count", "llm.delta -> voice.text"] == 3


def test_a_server_is_described(talked: Metrics) -> None:
    found = figures(talked)
    assert found["rspp_sessions_active",] == 3
    assert found["rspp_tenant_sessions_active", "acme"] == 2
    assert found["rspp_connections", "connected"] == 1
    assert found["rspp_connections", "disconnected"] == 0
    assert found["rspp_frames_total", "out"] == 60
    assert found["rspp_connection_events_total", "stall"] == 2
    assert found["rspp_audio_packets_total", "lost"] == 7
    assert found["rspp_audio_concealed_seconds_total",] == 0.14
    assert found["rspp_audio_transcode_seconds_total",] == 0.03
    assert found["rspp_handshakes_refused_total", "forged"] == 3
    assert found["rspp_sessions_ended_total", "ended"] == 4
    assert found["rspp_admission_total", "admit", "ok"] == 3
    assert found["rspp_admission_total", "defer", "fair_share"] == 0
    assert found["rspp_loop_lag_seconds",] == 0.03
    assert found["rspp_loop_delay_seconds_count",] == 1
    assert found["rspp_build_info", "pure", "scripted", "simple/v1", "ab" * 32, "1.0.0"] == 1
    assert found["rspp_draining",] == 0
    assert found["process_open_fds",] > 0


def test_a_figure_leads_to_its_turn(talked: Metrics) -> None:
    data, content_type = talked.text(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    exemplars = [
        sample.exemplar.labels
        for family in read_openmetrics(data.decode())
        for sample in family.samples
        if sample.exemplar
    ]
    assert {"turn_id": "s-1/3", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"} in exemplars
    assert b"s-1/" not in talked.text()[0], "no session's id in the text that becomes series"


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not here (Debian: apt-get install prometheus)"
)
def test_prometheus_takes_the_text(talked: Metrics) -> None:
    checked = subprocess.run(["promtool", "check", "metrics"], input=talked.text()[0], capture_output=True, timeout=30)
    assert (checked.returncode, checked.stdout.decode(), checked.stderr.decode()) == (0, "", "")


def test_every_decision_has_its_figure(scripted: ModuleType) -> None:
    metrics = Metrics(scripted.plan())
    seen = SessionFigures(metrics, "s" * 90)  # too long for an exemplar

    def decide(code: Signal, **other: Any) -> Output:
        return Output(Op.DECISION, 1_000_000, 1, turn=1, code=code, **other)

    seen.on_step(0, -1, 3_000_000, [
        decide(Signal.TURN_OPEN), decide(Signal.REJECT, cause=Cause.TURN_ACTIVE), decide(Signal.DEFER),
        decide(Signal.STALE_EPOCH_REJECT), decide(Signal.CANCEL, x=1), decide(Signal.CANCEL, x=2),
        decide(Signal.LATE_AFTER_CANCEL, y=1), decide(Signal.LATE_AFTER_CANCEL), decide(Signal.BUDGET_EXHAUSTED, y=-1),
        decide(Signal.BUDGET_EXHAUSTED, y=3), decide(Signal.DROP_NOTICE, node=5, cause=Cause.QUEUE_AGE),
        decide(Signal.FALLBACK), decide(Signal.DEGRADE), decide(Signal.PROVIDER_SWITCH),
        decide(Signal.PROVIDER_ERROR, y=Follow.RETRY), decide(Signal.PROVIDER_ERROR), decide(Signal.HEARD),
        decide(Signal.PLAYBACK_CANCELLED, port=1), decide(Signal.ABORT, cause=Cause.BUDGET_EXHAUSTED),
        decide(Signal.CLOSE),
    ])  # fmt: skip
    seen.on_step(0, -1, 0, [Output(Op.METRIC, 0, 1, turn=1, code=2, x=7, y=4)])
    seen.on_invocation(InvocationEnd(3, 1, "p", 1, True, "slow", 0, -1, 10**9))
    found = figures(metrics)
    assert found["rspp_turns_refused_total", "reject", "turn_active"] == 1
    assert found["rspp_cancel_fence_seconds_sum",] == pytest.approx(0.002)
    assert found["rspp_cancel_fence_seconds_count",] == 1
    assert found["rspp_outputs_refused_total", "fence"] == found["rspp_outputs_refused_total", "door"] == 1
    assert found["rspp_budgets_exhausted_total", "turn"] == found["rspp_budgets_exhausted_total", "llm"] == 1
    assert found["rspp_drops_total", "queue_age", "ears.speech -> stt.audio"] == 1
    assert {action: found["rspp_adaptive_actions_total", action] for action in ("fallback", "degrade", "retry")} == {
        "fallback": 1, "degrade": 1, "retry": 1,
    }  # fmt: skip
    assert found["rspp_playbacks_total", "acked"] == 1
    assert found["rspp_turns_total", "budget_exhausted", "abort"] == 1
    assert found["rspp_items_shed_total", "llm.delta -> voice.text"] == 4
    assert found["rspp_provider_invocations_total", "llm", "timeout", "p"] == 1
    assert ("rspp_provider_first_output_seconds_count", "llm", "p") not in found
    assert not seen._opened_ns


def test_tenants_beyond_so_many_are_added_up(scripted: ModuleType) -> None:
    metrics = Metrics(scripted.plan(), tenants_max=3)
    look(metrics, hub(**{f"t{number}": 2 for number in range(10)}))
    found = {key[1]: value for key, value in figures(metrics).items() if key[0] == "rspp_tenant_sessions_active"}
    assert found == {"t0": 2, "t1": 2, "t2": 2, "other": 14}


def test_a_frame_costs_nothing(scripted: ModuleType) -> None:
    """It is not told of inputs, of quiet steps, and of steps that moved a frame."""
    audience = Audience([SessionFigures(Metrics(scripted.plan()), "s-1")])
    assert not any(audience.of_input(Inbound(kind)) for kind in In)
    assert not audience.quiet_steps
    assert not audience.of_step([Output(Op.FEED, 0, 1, node=1)])


def test_the_number_of_series_is_bounded(talked: Metrics, scripted: ModuleType) -> None:
    """A thousand sessions leave as many series as one."""
    before = len(figures(talked))
    for number in range(1_000):
        one = SessionFigures(talked, f"s-{number}")
        one.on_step(0, -1, 0, [Output(Op.DECISION, 0, 1, turn=number, code=Signal.TURN_OPEN)])
        one.on_step(0, -1, 0, [Output(Op.DECISION, 0, 1, turn=number, code=Signal.CLOSE)])
    assert len(figures(talked)) == before


def test_the_page_of_operations_has_every_metric(talked: Metrics) -> None:
    """Its table is this: names, types, labels and words."""
    page = PAGE.read_text(encoding="utf-8").partition("## Metrics")[2].partition("\n## ")[0]
    rows = [line for line in page.splitlines() if line.startswith("| `rspp_")]
    assert rows == table(talked)


def table(metrics: Metrics) -> list[str]:
    rows = []
    for family in metrics.registry.collect():
        if not family.name.startswith("rspp_"):
            continue
        labels = Counter(label for sample in family.samples for label in sample.labels if label != "le")
        names = metrics_labels(metrics, family.name) or list(labels)
        name = family.name + ("_total" if family.type == "counter" else "")
        rows.append(f"| `{name}` | {family.type} | {' '.join(f'`{one}`' for one in names)} | {family.documentation} |")
    return sorted(rows)


def metrics_labels(metrics: Metrics, name: str) -> list[str]:
    """Those of a metric that has no sample yet."""
    made = metrics.registry._names_to_collectors.get(name)
    return list(getattr(made, "_labelnames", ()))
