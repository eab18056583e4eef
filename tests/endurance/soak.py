"""A day of a server in a minute: conversations and misbehaviour without a pause, and what the process holds meanwhile.

    python tests/endurance/soak.py --seconds 60 [--seed N]

A session of a day's traffic lasts minutes and leaves; here it lasts a second and leaves, so that as many begin and end
as in a day. What is held when it is quiet again after a round must be what was held after the one before; in the first
round pools and caches fill. Exit code 1 if something grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "plugins")]

from loading import module_of  # noqa: E402

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
abuse = module_of("rspp_abuse", HERE / "abuse.py")
served = module_of("rspp_served", HERE / "served.py")

ROUNDS = 3
QUIET_S_MAX = 45.0
MEMORY_GROWTH_MAX = 12 * 2**20  # between the last round and the one before
TALKERS = 12


async def talker(url: str, chance: random.Random, until_s: float, done: Counter[str]) -> None:
    """Short conversations: some end well, some are killed, some come back."""
    from rspp.client import Ended, Refused, talk

    while time.monotonic() < until_s:
        try:
            async with asyncio.timeout(15), await talk(url) as conversation:
                await conversation.text(chance.choice(["hello", "what is the weather like in london", "thank you"]))
                stop_s = time.monotonic() + chance.uniform(0.1, 1.5)
                async for message in conversation:
                    if message.get("signal") == "close" or time.monotonic() > stop_s:
                        break
                if chance.random() < 0.3:
                    await conversation.control("cancel")
            done["talked"] += 1
        except (Refused, Ended, OSError, TimeoutError) as error:
            done[type(error).__name__] += 1
            await asyncio.sleep(0.2)


async def busy(url: str, seconds: float, seed: int) -> Counter[str]:
    """A round: talkers, and every kind of misbehaviour beside them."""
    done: Counter[str] = Counter()
    until_s = time.monotonic() + seconds
    jobs = [talker(url, random.Random(f"{seed}/{number}"), until_s, done) for number in range(TALKERS)]
    kinds = [kind for kind in abuse.KINDS if kind != "storm"]

    async def misbehave(kind: str) -> None:
        done.update(await abuse.abuse(kind, url, seconds, seed))

    await asyncio.gather(*jobs, *map(misbehave, kinds))
    return done


def soak(package: Path, seconds: float, seed: int) -> bool:
    with (
        tempfile.TemporaryDirectory() as folder,
        served.Served(package, Path(folder), "--max-sessions", "400") as server,
    ):
        print(f"{'round':>5} {'sessions':>9} {'fds':>5} {'tasks':>6} {'threads':>8} {'memory':>9}  clients")
        rows: list[Any] = []
        for number in range(ROUNDS):
            done = asyncio.run(busy(server.url, seconds / ROUNDS, seed + number))
            rows.append(server.empty(QUIET_S_MAX))
            ended = sum(n for key, n in server.metrics().items() if key[0] == "rspp_sessions_ended_total")
            clients = ", ".join(f"{what} {count}" for what, count in done.most_common(6))
            print(f"{number + 1:>5} {ended:>9.0f} {rows[-1].descriptors:>5} {rows[-1].tasks:>6} {rows[-1].threads:>8} "
                  f"{rows[-1].memory_bytes / 2**20:>6.1f} MB  {clients}", flush=True)  # fmt: skip
            without_recordings(Path(folder) / "logs")
        troubles = server.troubles()
        early, last = rows[-2], rows[-1]
        grown = {
            "descriptors": last.descriptors > early.descriptors + 2,
            "tasks": last.tasks > early.tasks + 1,
            "threads": last.threads > early.threads + 2,
            "memory": last.memory_bytes > early.memory_bytes + MEMORY_GROWTH_MAX,
            "errors in the log": bool(troubles),
        }
        for line in troubles[:5]:
            print(json.dumps(line))
        found = [what for what, is_so in grown.items() if is_so]
        print("nothing grew" if not found else f"grew: {', '.join(found)}")
        return not found


def without_recordings(folder: Path) -> None:
    """Recordings of sessions that are over are nobody's any more here."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--package", type=Path, help="a built folder; default: voice_assistant, built now")
    arguments = parser.parse_args()
    os.environ.setdefault("NO_COLOR", "1")
    logging.disable()  # asyncio's, of sockets that were reset
    with tempfile.TemporaryDirectory() as folder:
        package = arguments.package
        if package is None:
            source = ROOT / "pipelines" / "voice_assistant.rspp"
            command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(source), "-o", folder, "--no-install"]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
            package = Path(folder) / "voice_assistant"
        return 0 if soak(package, arguments.seconds, arguments.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
