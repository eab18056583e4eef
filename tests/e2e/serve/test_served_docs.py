"""What the documents show of a served package is executed against one."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import rspp.client
from rspp import wire

ROOT = Path(__file__).resolve().parents[3]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_example_of_the_client_runs(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands in the module's docstring, with the address of our server."""
    assert rspp.client.__doc__ is not None
    example = re.search(r"\n\n((?:    .*\n|\n)+)", rspp.client.__doc__)
    assert example is not None
    code = textwrap.dedent(example[1]).replace("http://localhost:7860", server.url)
    assert server.url in code
    names: dict[str, Any] = {"talk": rspp.client.talk}
    exec("async def main():\n" + textwrap.indent(code, "    "), names)
    asyncio.run(names["main"]())
    assert capsys.readouterr().out == "In London it is raining softly, so bring an umbrella."


def test_the_turn_of_the_protocols_page_happens_like_that(serving: ModuleType, server: Any) -> None:
    """Its lines are said, and what it shows of the answers comes, in that order."""
    page = PROTOCOL.split("\n## One turn\n", 1)[1].split("```", 2)[1]
    shown = [line[2:] for line in page.strip().splitlines()]
    sides = [line[0] for line in page.strip().splitlines()]

    async def main() -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        async with server.dial(server.token()) as socket:
            for side, line in zip(sides, shown, strict=True):
                if side == ">":
                    fields = json.loads(line)
                    wire.check(fields)
                    await socket.send(line)
                elif line != "…":
                    wanted = {
                        name: value
                        for name, value in json.loads(line.replace(", …}", "}")).items()
                        if name in ("type", "signal", "pipeline")
                    }
                    async with asyncio.timeout(serving.WAIT_S):
                        while not seen or not seen[-1].items() >= wanted.items():
                            seen.append(json.loads(await socket.recv()))
        return seen

    seen = asyncio.run(main())
    assert seen[0]["type"] == "welcome"
    assert [one["signal"] for one in seen if one["type"] == "signal"][-1] == "close"
