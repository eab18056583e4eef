"""The flame graph: what is sampled, what is drawn, and what it says to who does not see it."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET

from speed.clocks import FRAME_S, in_real_time, spin
from speed.flame.picture import own, picture, tree
from speed.flame.sampler import Sampler

SVG = "{http://www.w3.org/2000/svg}"
STACKS = {("loop", "step", "kernel: advance"): 60, ("loop", "step"): 30, ("loop", "<lambda>"): 10}


def test_a_box_has_what_is_in_it_and_above() -> None:
    step = tree(STACKS).above["loop"].above["step"]
    assert (step.total, step.own) == (90, 30)
    assert own(STACKS) == [("kernel: advance", 0.6), ("step", 0.3), ("<lambda>", 0.1)]


def test_the_picture_is_whole_and_its_figures_are_text() -> None:
    root = ET.fromstring(
        picture("A & B", STACKS, lambda name: "kernel" if name.startswith("kernel") else "other")
    )  # fmt: skip
    about = root.findtext(f"{SVG}desc") or ""
    assert root.findtext(f"{SVG}title") == "A & B"
    assert "kernel 60%" in about
    assert "<lambda> 10.0%" in about
    boxes = {group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")}
    assert "step: 90.0%, alone 30.0%" in boxes


def test_the_sampler_finds_what_keeps_the_loop_busy() -> None:
    async def main() -> None:
        spin(0.2)

    with Sampler() as sampler:
        asyncio.run(main())
    assert any(stack[0] == "asyncio/base_events._run_once" and "speed/clocks.spin" in stack for stack in sampler.stacks)


def test_a_source_serves_all_sessions_in_turn() -> None:
    pushed: list[int] = []

    async def push(index: int) -> None:
        pushed.append(index)

    figures = asyncio.run(in_real_time(40, 3 * FRAME_S, push, lambda on: None))
    assert pushed == [number % 40 for number in range(len(pushed))]
    assert figures["frames_per_second"] > 0
