"""The example of docs/audio.md runs, and its figures are those of the code."""

from __future__ import annotations

import re

from rspp_runtime.audio.drift import CORRECT_NS
from rspp_runtime.audio.format import ENCODINGS, FRAMES_MS, PACKET_MS_MAX, RATES_HZ
from rspp_runtime.audio.profile import LOSSY, STREAM
from rspp_runtime.audio.resample import DELAY_SAMPLES, NARROW_DELAY_SAMPLES
from rspp_runtime.audio.track import PAUSE_NS

from .conftest import MS, PIPELINES

PAGE = (PIPELINES.parent / "docs" / "audio.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/audio.md", "exec"), {"__name__": "docs"})


def test_the_figures_are_those_of_the_code() -> None:
    formats = PAGE[PAGE.index("| `encoding` |") : PAGE.index("Two channels that come in")]
    assert all(f"`{encoding}`" in formats for encoding in ENCODINGS)
    assert all(str(number) in formats for number in (*RATES_HZ["pcm16"], *FRAMES_MS, PACKET_MS_MAX))
    profiles = PAGE[PAGE.index("## Two profiles") : PAGE.index("## What is caught")]
    assert f"at most {LOSSY.delay_ms_max} ms" in profiles
    assert f"silence of {PAUSE_NS // MS} ms" in profiles
    assert f"up to {STREAM.ahead_ms_max // 1000} s is taken" in profiles
    assert f"up to {LOSSY.ahead_ms_max / 1000} s" in profiles
    assert f"{STREAM.conceal_ms_max} ms at most" in profiles
    assert STREAM.conceal_ms_max == LOSSY.conceal_ms_max
    assert f"{DELAY_SAMPLES} samples" in PAGE
    assert f"{NARROW_DELAY_SAMPLES} samples" in PAGE
    assert f"{CORRECT_NS // MS} ms off" in PAGE
