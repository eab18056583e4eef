"""Which word a misspelt one is meant to be: slips of the hand are forgiven, likeness is not enough."""

from __future__ import annotations

import pytest

from rspp_compiler.diagnostics.nearest import nearest, related


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("vda", ["vad", "tap"], "vad"),
        ("langauge", ["language"], "language"),
        ("minSilence", ["min_silence"], "min_silence"),
        ("bargein", ["barge_in", "error"], "barge_in"),
        ("silence_min", ["min_silence"], "min_silence"),
        ("no", ["on", "node"], "on"),
        ("pipline", ["profile", "pipeline"], "pipeline"),
        ("diarize", ["diarise"], "diarise"),
        # Alike, and something else:
        ("ears", ["egress"], ""),
        ("visemes", ["times"], ""),
        ("credits", ["script"], ""),
        ("description", ["script"], ""),
        ("repeat", ["rate"], ""),
        ("price", ["provider"], ""),
        ("a", ["b"], ""),
        ("same", ["same"], ""),
        ("x" * 5000, ["x" * 4999], ""),
    ],
)
def test_nearest(word: str, known: list[str], meant: str) -> None:
    assert nearest(word, known) == meant


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("temp", ["temperature", "tools"], "temperature"),
        ("max_digits", ["digits", "until"], "digits"),
        ("silence", ["min_silence", "threshold"], "min_silence"),
        ("min", ["min_silence", "min_speech"], ""),  # both begin like it
        ("id", ["idle"], ""),  # too short to tell
        ("high", ["low"], ""),
    ],
)
def test_related(word: str, known: list[str], meant: str) -> None:
    assert related(word, known) == meant
