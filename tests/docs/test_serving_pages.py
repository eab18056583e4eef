"""What docs/serving.md and docs/protocol.md say in tables is what the runtime does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rspp import wire
from rspp_runtime.serving import doors, hub
from rspp_runtime.serving.connection import Patience
from rspp_runtime.serving.listener import HELLO_S
from rspp_runtime.serving.missed import WORDS_MAX
from rspp_runtime.serving.party import Manners
from rspp_runtime.serving.rspp1 import ATTRIBUTES, TOLD
from rspp_runtime.serving.settings import PORT, Settings

ROOT = Path(__file__).resolve().parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
MS = 1_000_000
KIB = 1024


def table(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by their first cell without its marks."""
    part = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in part.splitlines() if line.startswith("|")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows[2:]}


@pytest.mark.parametrize(
    ("limit", "default"),
    [
        ("--max-sessions", f"{Settings().max_sessions}"),
        ("--max-tenant-sessions", "none" if Settings().max_tenant_sessions is None else "?"),
        ("connection attempts", f"{Settings().attempts_per_second} a second of an address"),
        ("hello", f"within {HELLO_S:.0f} s, at most {wire.HELLO_BYTES_MAX // KIB} KiB"),
        ("a message", f"{wire.MESSAGE_BYTES_MAX // KIB} KiB"),
        ("messages of a client", f"{Manners().messages_per_second} a second, bursts of {Manners().messages_burst}"),
        ("idle: no message at all", f"{Patience().idle_ns // MS // 1000} s"),
        ("--max-session`: a session", f"{Settings().session_s_max} s"),
        ("--grace` at SIGTERM", f"{Settings().grace_s:.0f} s"),
    ],
)
def test_the_table_of_limits(limit: str, default: str) -> None:
    assert table(SERVING, "Limits")[limit][0] == default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reconnect_ms", f"{Patience().reconnect_ns // MS // 1000} s"),
        ("resume_ms", f"{Patience().resume_ns // MS // 1000} s"),
        ("silence_ms", f"{Patience().silence_ns // MS // 1000} s"),
        ("stall_ms", f"{Patience().stall_ns // MS} ms"),
    ],
)
def test_how_patient_a_server_is(name: str, value: str) -> None:
    assert f"`{name}` ({value})" in SERVING


def test_readiness_comes_back_by_itself() -> None:
    assert hub.FAILURES_MAX == 3, "`after three sessions in a row`"
    assert hub.UNREADY_S == 15, "`a quarter of a minute`"
    assert hub.RENEW_S == 20 * 60, "`every 20 minutes`"
    assert doors.wire.PATH in SERVING
    assert f"http://localhost:{PORT}" not in SERVING or PORT == 7860


def test_the_messages_of_a_client_have_the_fields_that_the_page_lists() -> None:
    rows = table(PROTOCOL, "From the client")
    assert rows.keys() == wire.SAID.keys()
    for kind, (fields, _) in rows.items():
        names = set(re.findall(r"`(\w+)`", fields)) - set(wire.CONTROLS) - set(wire.DELIVERIES)
        if kind == "hello":
            names -= ATTRIBUTES | {"received"}  # what is inside of two of its fields
        known = set(wire.SAID[kind]) | set(wire.MAY.get(kind, {}))
        assert names == known, kind


def test_the_words_of_a_client_are_those_that_the_page_lists() -> None:
    rows = table(PROTOCOL, "From the client")
    for kind, words in (("control", wire.CONTROLS), ("delivery", wire.DELIVERIES)):
        assert set(words) <= set(re.findall(r"`(\w+)`", rows[kind][0])), kind
    assert set(re.findall(r"`(\w+)`", rows["hello"][0])) >= ATTRIBUTES
    assert all(f'`"{one}"`' in rows["hello"][0] for one in wire.PLAYBACKS)


def test_the_decisions_that_are_told_are_those_that_the_page_lists() -> None:
    from rspp_runtime.abi.codes import Signal

    cell = table(PROTOCOL, "From the server")["signal"][1]
    listed = set(re.findall(r"`(\w+)`", cell.split("contracts.md):", 1)[1].split(".", 1)[0]))
    assert listed == {Signal(code).name.lower() for code in TOLD}


def test_close_codes_and_whether_one_comes_back() -> None:
    listed = {}
    for codes, (_, back) in table(PROTOCOL, "Close codes").items():
        listed |= {int(code): back.startswith("yes") for code in codes.split(", ")}
    assert listed == {int(code): code in wire.RESUMABLE for code in wire.Close}


def test_how_much_is_kept_for_who_is_away() -> None:
    assert f"(it keeps the last {WORDS_MAX})" in PROTOCOL
