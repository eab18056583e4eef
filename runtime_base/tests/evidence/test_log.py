"""The log file: whole, torn, damaged; and its JSON lines."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rspp_runtime.evidence.entries import Evidence, Input, LogError, Out, from_json, to_json
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.segment import HEADER_BYTES, MAGIC

Record = Callable[..., Path]


def _places(data: bytes) -> list[int]:
    """Where each record begins."""
    at, places = HEADER_BYTES, []
    while at < len(data):
        places.append(at)
        length = struct.unpack_from("<I", data, at)[0]
        at += 16 + length + -length % 8
    return places


@pytest.mark.feature("NF-013", "discreet")
def test_l0_keeps_no_payload(record: Record) -> None:
    log = read(record("L0"))
    inputs = [entry for entry in log.entries if isinstance(entry, Input)]
    assert any(entry.size for entry in inputs)
    assert all(entry.payload is None for entry in inputs)
    kept = [entry for entry in log.entries if isinstance(entry, Out) and entry.payload is not None]
    assert {entry.size for entry in kept} == {32}  # plan hashes
    text = "\n".join(map(to_json, log.entries))
    assert "seven" not in text
    assert "frames" not in text


@pytest.mark.feature("F-153", "l2")
def test_l2_keeps_all(record: Record) -> None:
    log = read(record("L2"))
    newest = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert {turn: missing_fields(or02) for turn, or02 in newest.items()} == {1: [], 2: []}
    assert all(entry.payload is not None for entry in log.entries if isinstance(entry, Input | Out))
    assert any(entry.payload == b" seven" for entry in log.entries if isinstance(entry, Input))


def test_a_log_tells_its_session(record: Record, tmp_path: Path) -> None:
    log = read(record("L0"))
    assert (log.header.package, log.header.session_id, log.header.level) == ("scripted", "test", "L0")
    assert log.header.kernel == "pure"
    assert log.torn == ""


@pytest.mark.parametrize("missing", [1, 5, 9])
def test_a_torn_tail_is_reported_and_ignored(record: Record, missing: int) -> None:
    path = record("L0")
    data = path.read_bytes()
    whole = read(path)
    path.write_bytes(data[:-missing])
    torn = read(path)
    assert torn.torn == f"the last record, at byte {_places(data)[-1]}, is torn"
    assert torn.entries == whole.entries[:-1]


def test_a_torn_tail_of_the_right_length(record: Record) -> None:
    """The file had grown, and its last block was never written."""
    path = record("L0")
    data = path.read_bytes()
    path.write_bytes(data[:-4] + bytes(4))
    assert "is torn" in read(path).torn


def test_damage_in_the_middle_is_refused_with_its_offset(record: Record) -> None:
    path = record("L0")
    data = bytearray(path.read_bytes())
    place = _places(bytes(data))[20]
    data[place + 20] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(LogError, match=f"damaged at byte {place}: the checksum does not fit"):
        read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "is not a log"),
        (MAGIC, "its header is cut: 8 of 64 bytes"),
        (bytes(4096), "the header is missing"),
        (b"RSPPLOG1" + bytes(99), "is of format 1; this version of rspp reads format 2"),
        (b"{}\n", "line 1: not a record"),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(content)
    with pytest.raises(LogError, match=said):
        read(path)


@pytest.mark.parametrize("level", ["L0", "L2"])
def test_json_lines_say_the_same(record: Record, tmp_path: Path, level: str) -> None:
    log = read(record(level))
    lines = tmp_path / "log.jsonl"
    lines.write_text("\n".join([to_json(log.header), *map(to_json, log.entries)]) + "\n")
    again = read(lines)
    assert again.header == log.header
    assert again.entries == log.entries


def test_json_lines_have_names(record: Record) -> None:
    log = read(record("L0"))
    lines = [json.loads(to_json(entry)) for entry in log.entries]
    decided = [line["code"] for line in lines if line["record"] == "output" and line["op"] == "DECISION"]
    assert decided[:2] == ["CONNECTED", "HEARD"]
    assert {line["op"] for line in lines if line["record"] == "input"} >= {
        "MEDIA",
        "CHUNK",
        "DONE",
        "CREDIT",
        "CONTROL",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "not JSON"),
        ('{"record": "poem"}', "poem"),
        ('{"record": "step", "now_ns": 1}', "deadline_ns, drained_ns, outputs is missing"),
        ('{"record": "evidence", "turn": 1, "stage": [1], "or02": {}}', "stage"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str) -> None:
    with pytest.raises(LogError, match=said):
        from_json(line)


def test_evidence_comes_in_stages(record: Record, scripted: ModuleType) -> None:
    """An aborted turn is amended once its last invocation has gone; a committed one has a baseline first."""
    log = read(record("L0", llm=scripted.answer(scripted.LONG)))
    evidence = [(entry.turn, entry.stage) for entry in log.entries if isinstance(entry, Evidence)]
    assert evidence == [(1, "terminal"), (1, "amended"), (2, "baseline"), (2, "terminal")]
