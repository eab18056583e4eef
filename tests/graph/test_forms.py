"""rsppc graph: mermaid, dot, JSON and a picture; goldens, and what must hold in any picture."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from pipelines import NAMES, compile_text, golden, shipped, value
from rspp_compiler.cli.app import app
from rspp_compiler.emit.placement import place

RUN = CliRunner()
SVG = "{http://www.w3.org/2000/svg}"
FORMATS = {"mermaid": "mmd", "dot": "dot", "svg": "svg", "json": "json"}

CLINIC = """pipeline clinic_desk version "1.0.0" {
  node ears : vad
  node thin (a : audio(16kHz, mono, s16le)) -> (b : audio(8kHz, mono, mulaw)) : python("m:f")
  node seen : tap
  ingress.audio -> thin -> ears -> stt -> llm -> tts -> egress.audio { commit_point }
  stt.partial -> seen when event.words > 3 and session.name == "<b>&"
  on llm.error or timeout -> sorry -> tts
  on ears.barge_in -> cancel turn
  on session.connected -> sorry -> tts
  node sorry : say { text = "Sorry?" }
}
"""
POLICY = """policy clinic when session.tenant == "clinic" {
  node mask : redact { classes = [PHI] }
  insert mask before llm.prompt
}
"""


@pytest.mark.parametrize("format", sorted(FORMATS))
@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, format: str, snapshot: SnapshotAssertion) -> None:
    done = RUN.invoke(app, ["graph", str(shipped(name)), "--format", format])
    assert done.exit_code == 0
    assert done.stdout == snapshot(name=name, extension_class=golden(FORMATS[format]))


def drawn(folder: Path, text: str, *options: str) -> str:
    path = folder / "example.rspp"
    path.write_text(text, encoding="utf-8")
    done = RUN.invoke(app, ["graph", str(path), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_picture_is_well_formed_and_shows_everything(tmp_path: Path) -> None:
    root = ET.fromstring(drawn(tmp_path, CLINIC, "--format", "svg"))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    for words in ("thin.decode", "thin.resample", "clinic_desk 1.0.0", "on ears.barge_in → cancel turn"):
        assert words in texts
    assert any(text.startswith("on session.connected → sorry") for text in texts)
    assert any('session.name == "<b>&"' in text for text in texts), "escaped once, and read back"
    styles = [path.get("class") or "" for path in root.iter(f"{SVG}path")]
    assert "line data commit" in styles
    assert "line telemetry" in styles
    assert "line control" in styles
    outside = [part for part in ET.tostring(root, encoding="unicode").split("http")[1:] if "www.w3.org" not in part]
    assert outside == [], "a picture fetches nothing"


def test_boxes_do_not_overlap(tmp_path: Path) -> None:
    root = ET.fromstring(drawn(tmp_path, CLINIC, "--format", "svg"))
    boxes = [
        [float(rect.get(key) or 0) for key in ("x", "y", "width", "height")]
        for rect in root.iter(f"{SVG}rect")
        if "box" in (rect.get("class") or "")
    ]
    for index, (x, y, w, h) in enumerate(boxes):
        for a, b, c, d in boxes[:index]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_as_a_policy_leaves_it(tmp_path: Path) -> None:
    text = POLICY + CLINIC
    assert "clinic.mask" not in drawn(tmp_path, text)
    assert "clinic_mask" in drawn(tmp_path, text, "--policy", "clinic")
    path = tmp_path / "example.rspp"
    assert RUN.invoke(app, ["graph", str(path), "--policy", "ward"]).exit_code == 2


def test_json_has_nodes_and_edges(tmp_path: Path) -> None:
    made = json.loads(drawn(tmp_path, CLINIC, "--format", "json"))
    assert {node["id"] for node in made["nodes"]} >= {"ears", "thin.decode", "egress"}
    assert made["converters"] == ["thin.decode", "thin.resample"]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed here")
def test_graphviz_reads_it(tmp_path: Path) -> None:
    text = drawn(tmp_path, CLINIC, "--format", "dot")
    subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_a_pipeline_with_mistakes_is_still_drawn_where_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "example.rspp"
    path.write_text(CLINIC.replace("  node ears", "  budget { turn = 1s }\n  node ears"), encoding="utf-8")
    done = RUN.invoke(app, ["graph", str(path), "--format", "svg"])
    assert done.exit_code == 1
    assert "<svg" in done.stdout


@settings(max_examples=60)
@given(st.integers(1, 14), st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=40))
def test_places_keep_order_and_gaps(count: int, pairs: list[tuple[int, int]]) -> None:
    nodes = [f"n{i}" for i in range(count)]
    edges = [(f"n{a % count}", f"n{b % count}") for a, b in pairs]
    heights = {name: 20.0 + (index % 3) * 10 for index, name in enumerate(nodes)}
    placement = place(nodes, edges, heights, 10.0)
    for source, target in placement.bends:
        assert placement.at[source][0] < placement.at[target][0]
    for layer in range(placement.layers):
        column = sorted((at[1], heights[name]) for name, at in placement.at.items() if at[0] == layer)
        for (y, height), (below, other) in pairwise(column):
            assert below - other / 2 >= y + height / 2 + 10.0 - 1e-6


def test_the_same_graph_is_drawn_alike() -> None:
    graph = value(compile_text(CLINIC, until="check"), "check")
    names = [node.id for node in graph.nodes]
    edges = [(edge.source, edge.target) for edge in graph.edges]
    sizes = dict.fromkeys(names, 30.0)
    assert place(names, edges, sizes, 8.0) == place(names, list(edges), dict(sizes), 8.0)
