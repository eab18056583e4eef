"""The command: `python -m speed.flame`, from `benchmarks/` (`make flame` does it).

Samples many sessions of `relay_5` under asyncio, and draws where the time of a frame goes. The package is built by
`rsppc build`, as users build it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from speed.flame.picture import by_part, own, picture
from speed.flame.sampler import Sampler
from speed.prepare import OUT, ROOT, build

OURS = ("session", "abi", "nodes", "kernel", "providers", "transports", "tools")  # rooms of the runtime


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument(
        "--config", choices=("default", "lean"), default="default", help="with all evidence, or without"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures" / "flame.svg")
    given = parser.parse_args()
    os.environ["RSPP_BENCH"] = str(OUT)
    from speed.peers.rspp import crowd  # looks there when it is imported

    build([ROOT / "benchmarks" / "pipelines" / "relay_5.rspp"])
    with Sampler() as sampler:
        figures = crowd.sessions({"sessions": given.sessions, "seconds": given.seconds, "config": given.config})
    if not sampler.stacks:
        sys.exit("flame  nothing was sampled: the run was too short")
    title = f"A frame of 20 ms through five Python nodes, {given.sessions} sessions"
    given.output.write_text(picture(title, sampler.stacks, _part_of), encoding="utf-8", newline="\n")
    print(f"flame  {given.output}: {sampler.stacks.total():,} samples, {figures['cpu_frame_ns'] / 1e3:.0f} µs a frame")
    for name, share in by_part(sampler.stacks, _part_of):
        print(f"flame  {share:6.1%}  {name}")
    for name, share in own(sampler.stacks)[:12]:
        print(f"flame  {share:6.1%}  {name}")


def _part_of(name: str) -> str:
    """By the folder of its file."""
    if name.startswith("kernel: "):
        return "kernel"
    folder = name.partition("/")[0]
    return {"pipelines": "stages", "evidence": "evidence"}.get(folder, "ours" if folder in OURS else "other")


if __name__ == "__main__":
    main()
