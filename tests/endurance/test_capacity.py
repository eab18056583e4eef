"""A server that is full says so, and whoever is inside does not notice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp.client import Refused, talk

HERE = Path(__file__).parent
served = module_of("rspp_served", HERE / "served.py")
witness = module_of("rspp_witness", HERE / "witness.py")


@pytest.mark.feature("F-049", "throttled", "undisturbed")
@pytest.mark.feature("F-098", "observable")
def test_whoever_comes_too_late_is_told_and_nobody_is_disturbed(package: Path, tmp_path: Path) -> None:
    async def work(url: str) -> tuple[Any, list[Refused]]:
        here = asyncio.Event()
        listening = asyncio.create_task(witness.listen(url, 4, here=here))
        await asyncio.wait_for(here.wait(), 20)
        inside = [await talk(url), await talk(url)]
        refused = []
        for _ in range(20):
            with pytest.raises(Refused) as found:
                await talk(url)
            refused.append(found.value)
        heard = await listening
        for one in inside:
            await one.bye()
        return heard, refused

    with served.Served(package, tmp_path, "--max-sessions", "3") as server:
        heard, refused = asyncio.run(work(server.url))
        assert {one.code for one in refused} == {"capacity"}
        assert all(one.retry_after_ms > 0 for one in refused)
        assert heard.troubles == []
        assert heard.frames > 100
        assert heard.late_ms_max < witness.LATE_MS
        found = server.metrics()
        assert found["rspp_admission_total", "reject", "capacity"] == 20
        assert found["rspp_sessions_max",] == 3
        server.empty(20)
        time.sleep(6)  # the log says so every five seconds
        told = [line for line in server.lines if line.get("message") == "sessions were refused"]
        assert sum(int(str(line["count"])) for line in told) == 20
        assert {(line["level"], line["reason"]) for line in told} == {("warning", "capacity")}
        with_ids = [line for line in server.lines if line.get("message") == "session began"]
        assert len(with_ids) == len({line["session_id"] for line in with_ids}) == 3
