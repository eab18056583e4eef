"""A running server among clients that misbehave: whoever talks notices nothing, all of it is counted, nothing stays."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loading import module_of

HERE = Path(__file__).parent
abuse = module_of("rspp_abuse", HERE / "abuse.py")
served = module_of("rspp_served", HERE / "served.py")
witness = module_of("rspp_witness", HERE / "witness.py")

SECONDS = 5.0
GONE_S_MAX = 45.0  # in which a session that nobody comes back to has ended


@pytest.fixture(scope="module")
def server(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served.Served(package, tmp_path_factory.mktemp("served"), "--max-sessions", "400") as found:
        asyncio.run(witness.listen(found.url, 0))  # so that what is made once has been made
        asyncio.run(witness.listen(found.url, 1))
        found.before = found.empty(GONE_S_MAX)
        yield found


async def side_by_side(server: Any, kind: str, seconds: float) -> tuple[Any, dict[str, int]]:
    """A conversation, while others do that."""
    here = asyncio.Event()
    listening = asyncio.create_task(witness.listen(server.url, seconds, here=here))
    await asyncio.wait_for(here.wait(), 20)
    command = [str(HERE / "abuse.py"), kind, server.url, str(seconds)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    heard = await listening
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return heard, json.loads(out)


@pytest.mark.feature("NF-006", "stable", "visible")
@pytest.mark.parametrize("kind", list(abuse.KINDS))
def test_whoever_talks_notices_nothing(server: Any, kind: str) -> None:
    before = server.metrics()
    heard, done = asyncio.run(side_by_side(server, kind, SECONDS))
    after = server.metrics()
    assert heard.troubles == []
    assert heard.frames > 100
    assert all(words.startswith("Hello") and words.endswith("?") for words in heard.words), heard.words
    assert heard.late_ms_max < witness.LATE_MS, f"a frame was {heard.late_ms_max:.0f} ms late"
    assert server.status("/healthz") == 200
    assert server.status("/readyz") == 200
    assert server.troubles() == []
    assert sum(done.values()) >= SECONDS * abuse.KINDS[kind][1] * 0.6, done
    counted = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    print(kind, done, f"{heard.late_ms_max:.0f} ms", {key: n for key, n in counted.items() if key[0] in COUNTED})
    assert sum(n for key, n in counted.items() if key[0] in EXPECTED[kind]) >= 1, counted
    if kind == "slow_readers":
        assert counted.get(("rspp_connection_events_total", "stall"), 0) >= 5, counted


COUNTED = frozenset(
    {"rspp_handshakes_refused_total", "rspp_messages_refused_total", "rspp_connection_events_total",
     "rspp_admission_total", "rspp_connections_closed_total"}
)  # fmt: skip
EXPECTED = {
    "kills": {"rspp_connection_events_total"},
    "half_open": {"rspp_connection_events_total", "rspp_handshakes_refused_total"},
    "slow_readers": {"rspp_connection_events_total"},  # stall
    "garbage": {"rspp_messages_refused_total"},
    "oversized": {"rspp_messages_refused_total"},
    "storm": {"rspp_handshakes_refused_total"},
}
"""Where it shows in the metrics, at least."""


def test_nothing_stays_of_them(server: Any) -> None:
    """Descriptors, tasks, threads, memory: as before, when the last session has been given up."""
    after = server.empty(GONE_S_MAX)
    print(server.before, after)
    assert after.descriptors <= server.before.descriptors + 2
    assert after.tasks <= server.before.tasks + 1
    assert after.threads <= server.before.threads + 24  # of pools that have all that they may have
    assert after.memory_bytes <= server.before.memory_bytes + 40 * 2**20
