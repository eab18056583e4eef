"""A question in Opus, five of a hundred packets lost: the local recogniser still understands it. Real engines."""

from __future__ import annotations

import pytest

from rspp_runtime.audio.format import Format
from rspp_runtime.audio.profile import LOSSY, STREAM, JitterProfile
from rspp_runtime.audio.uplink import Uplink
from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Input
from rspp_runtime.providers.testing import frames, run

from .conftest import MS, PIPELINES, network, packets_of, play, sample

SCRIPT = "dialogues/greeter.toml"
QUESTION = "what is the weather like in london"


def recognised(pcm: bytes) -> str:
    speech = [
        Input("audio", item.payload, item.media_ns)
        for item in run(registry.create("silero", {}, {}), frames(pcm))
        if item.port == "speech"
    ]
    resources = {SCRIPT: (PIPELINES / SCRIPT).read_bytes()}
    return run(registry.create("pocketsphinx", {"script": SCRIPT}, resources), speech)[-1].text


@pytest.mark.feature("F-090", "transcoded")
@pytest.mark.parametrize(
    ("format", "profile", "loss"),
    [
        (Format("opus", 48_000, 1, 20), STREAM, 0.0),
        (Format("opus", 48_000, 2, 60), STREAM, 0.0),
        (Format("ulaw", 8_000, 1, 20), STREAM, 0.0),
        (Format("pcm16", 44_100, 2, 10), STREAM, 0.0),
        (Format("ulaw", 8_000, 1, 20), LOSSY, 0.05),
    ],
    ids=lambda value: str(getattr(value, "encoding", getattr(value, "name", value))),
)
def test_a_question_is_understood_in_every_encoding(format: Format, profile: JitterProfile, loss: float) -> None:
    assert recognised(heard_over(format, profile, loss, seed=1)) == QUESTION


@pytest.mark.feature("F-087", "survives")
@pytest.mark.feature("F-090", "transcoded")
@pytest.mark.parametrize("seed", range(5))
def test_opus_is_understood_with_loss_and_jitter(seed: int) -> None:
    assert recognised(heard_over(Format("opus", 48_000, 1, 20), LOSSY, 0.05, seed)) == QUESTION


def heard_over(format: Format, profile: JitterProfile, loss: float, seed: int) -> bytes:
    """The recording as it comes out of the edge, with jitter of 15 ms where packets may be late."""
    packets = packets_of(sample("question").tobytes(), format)
    delay = (lambda _: 0.0) if profile.ordered else (lambda chance: chance.expovariate(1 / 15))
    arrivals = network(packets, format, seed=seed, loss=loss, delay=delay)
    uplink = Uplink(format, profile)
    pcm = play(uplink, arrivals, until_ns=arrivals[-1].at_ns + 500 * MS).pcm
    assert uplink.stats.lost >= 2 or not loss
    return pcm
