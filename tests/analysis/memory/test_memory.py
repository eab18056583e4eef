"""memory: the report is the layout's figure to the byte, and what members and nodes take besides."""

from __future__ import annotations

import pytest

from pipelines import HELLO, NAMES, compile_file, compile_text, shipped, value
from rspp_compiler.analysis.memory import memory, report, size
from rspp_compiler.ir.memory import memory_bytes
from rspp_compiler.ir.plan import Layout

SHOP = """pipeline shop {
  node polish (draft : text) -> (text : text) : python("m:polish") { limit = { memory = 64MB } }
  node count  (said : text) -> (text : text) : python("m:count")
  ingress.audio -> vad -> stt -> llm -> polish -> count -> tts -> egress.audio
}
"""
ROOM = """pipeline room {
  party host
  party guests { max = 12 }
  node hears : vad { scope = party }
  node stt   { scope = party }
  host.audio   -> ears -> host_stt -> llm -> tts -> guests.audio
  guests.audio -> hears -> stt -> notes
  node ears     : vad
  node host_stt : stt
  node notes    : tap
}
"""


def laid_out(text: str) -> Layout:
    made: Layout = value(compile_text(text, until="layout"), "layout")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_the_session_is_what_the_kernel_allocates(name: str) -> None:
    """`memory_bytes` is `sizeof(Memory)`: tests/behaviour compares it with a compiled session."""
    layout = value(compile_file(shipped(name), until="layout"), "layout")
    found = memory(layout)
    assert found.session_bytes == found.block_bytes == memory_bytes(layout.plan)
    assert found.untold == ()


def test_many_sessions_take_so_many_times_as_much() -> None:
    layout = laid_out(HELLO)
    assert memory(layout, 1000).total_bytes == 1000 * layout.plan.memory_bytes


def test_what_a_node_declares_counts_and_what_it_does_not_is_named() -> None:
    layout = laid_out(SHOP)
    found = memory(layout, 10)
    assert found.session_bytes == layout.plan.memory_bytes + 64_000_000
    assert found.total_bytes == 10 * found.session_bytes
    assert found.untold == ("count",)
    text = report(found)
    assert "64000000 B   99 %  declared: polish (user, example.rspp:2:" in text
    assert "not counted: `count`, which declare no `limit = { memory = … }`" in text
    assert "10 sessions: 644.6 MB" in text


def test_the_rows_add_up() -> None:
    lines = report(memory(laid_out(HELLO), 1000)).splitlines()
    rows = [int(line.split()[0]) for line in lines[1:] if "%" in line]
    assert sum(rows) == int(lines[0].split()[0])
    assert lines[-1].startswith("1000 sessions: ")


def test_every_member_of_a_party_has_its_own() -> None:
    found = memory(laid_out(ROOM))
    (part,) = [part for part in found.parts if part.what == "further members of guests"]
    assert part.number == 11
    alone = memory(laid_out(ROOM.replace("max = 12", "max = 1")))
    assert found.session_bytes == alone.session_bytes + part.total_bytes
    assert part.each_bytes > 2 * 216


def test_the_policy_that_takes_most_counts() -> None:
    mask = "node mask : redact { classes = [PII] }, insert mask before llm.prompt"
    layout = laid_out(SHOP + f'policy clinic when session.tenant == "clinic" {{ {mask} }}\n')
    found = memory(layout)
    assert (found.policy, found.block_bytes) == ("clinic", layout.memory_bytes_max)
    assert "under policy `clinic`" in report(found)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(999, "999 B"), (1000, "1.0 kB"), (1_000_001, "1.1 MB"), (426_152, "426.2 kB"), (10**9, "1.0 GB")],
)
def test_sizes_are_rounded_up(count: int, shown: str) -> None:
    assert size(count) == shown
