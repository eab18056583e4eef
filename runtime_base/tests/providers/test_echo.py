"""The arithmetic of the echo remover; what it does to sound is shown with the detector (`test_silero`)."""

from __future__ import annotations

import numpy as np
import pytest

from rspp_runtime.providers.echo import BLOCK, EchoRemover, covariance


@pytest.mark.parametrize(("taps", "size"), [(1, 10), (5, 7), (32, 8192)])
def test_the_covariance_is_that_of_the_rows(taps: int, size: int) -> None:
    samples = np.random.default_rng(taps).standard_normal(size + taps - 1)
    rows = np.stack([samples[taps - 1 - delay : taps - 1 - delay + size] for delay in range(taps)])
    assert np.allclose(covariance(samples, size), rows @ rows.T)


def test_what_a_short_filter_can_explain_is_gone() -> None:
    """A known room of 12 samples, 31 ms away: what is left is the rounding of the samples."""
    rng = np.random.default_rng(5)
    played = (rng.standard_normal(40 * BLOCK) * 3000).astype(np.int16)
    room = np.concatenate((np.zeros(496), rng.standard_normal(12) * 0.1))
    mic = np.rint(np.convolve(played.astype(np.float64), room)[: len(played)]).astype(np.int16)
    remover = EchoRemover()
    left = [
        remover.process(mic[at : at + BLOCK], played[at : at + BLOCK]).pcm.astype(np.float64)
        for at in range(0, len(played), BLOCK)
    ]
    assert np.sqrt(np.mean(mic[-BLOCK:].astype(np.float64) ** 2)) > 500
    assert np.sqrt(np.mean(np.concatenate(left[24:]) ** 2)) < 2
