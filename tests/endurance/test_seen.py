"""What is seen of one conversation with a running server: its lines, its figures, its spans, by the same ids."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from loading import module_of
from rspp.client import talk

HERE = Path(__file__).parent
served = module_of("rspp_served", HERE / "served.py")
collector = module_of("rspp_collector", HERE.parents[1] / "runtime_base" / "tests" / "telemetry" / "collector.py")

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = PARENT.split("-")[1]


async def conversation(url: str) -> str:
    """The name of a session of one turn."""
    async with asyncio.timeout(30), await talk(url, traceparent=PARENT) as found:
        await found.text("hello")
        async for message in found:
            if message.get("signal") == "close":
                break
        return str(found.welcome["session_id"])


def read(url: str, accept: str) -> str:
    request = urllib.request.Request(url + "/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.feature("NF-008", "present", "consistent")
@pytest.mark.feature("F-070", "spans", "links")
def test_lines_figures_and_spans_are_of_one_conversation(package: Path, tmp_path: Path) -> None:
    with collector.collecting() as receiver, served.Served(package, tmp_path, "--otlp", receiver.address) as server:
        session_id = asyncio.run(conversation(server.url))
        server.empty(20)
        text, exact = read(server.url, "text/plain"), read(server.url, "application/openmetrics-text; version=1.0.0")
        assert server.stop(signal.SIGTERM) == 0
        lines = [line for line in server.lines if line.get("session_id") == session_id]
        spans: list[Any] = list(receiver.spans)
        assert receiver.metrics["rspp_turns"].sum.data_points[0].as_double == 1
    turn_id = f"{session_id}/1"

    assert [line["message"] for line in lines] == ["session began", "turn ended", "session is over"]
    assert {line["pipeline_version"] for line in lines} == {"1.0.0"}
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert [line["turn_id"] for line in lines if "turn_id" in line] == [turn_id]

    exemplars = [
        sample.exemplar.labels
        for family in text_string_to_metric_families(exact)
        for sample in family.samples
        if sample.exemplar
    ]
    assert {"turn_id": turn_id, "trace_id": TRACE} in exemplars
    assert 'version="1.0.0"' in text
    assert session_id not in text

    found = {span.name: collector.attributes(span) for span in spans}
    assert {"rspp.session", "rspp.turn", "chat scripted", "tts espeak"} <= found.keys()
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert {one["rspp.session_id"] for one in found.values()} == {session_id}
    assert {one["rspp.pipeline_version"] for one in found.values()} == {"1.0.0"}
    assert found["rspp.turn"]["rspp.turn_id"] == found["chat scripted"]["rspp.turn_id"] == turn_id
    assert "Hello" not in json.dumps(lines) + str(spans)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not here (Debian: apt-get install prometheus)"
)
def test_prometheus_takes_the_figures_of_a_running_server(package: Path, tmp_path: Path) -> None:
    with served.Served(package, tmp_path) as server:
        asyncio.run(conversation(server.url))
        text = read(server.url, "")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=30)
    assert (checked.returncode, checked.stdout.decode(), checked.stderr.decode()) == (0, "", "")
