"""What became of a client's audio is in the tally, each packet once, whatever its formats and connections."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rspp_runtime.abi.codes import Result
from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import Format
from rspp_runtime.serving.dialect import Audio, DialectError, Hello
from rspp_runtime.serving.inlet import Inlet
from rspp_runtime.serving.playout import Playout
from rspp_runtime.serving.tally import Tally

MS = 1_000_000


@pytest.mark.feature("F-087", "bounded")
@pytest.mark.feature("F-090", "measured")
def test_packets_are_counted_once_over_two_connections(scripted: ModuleType) -> None:
    tally = Tally()
    inlet = Inlet(scripted.plan(), tally, Playout())
    ears: Any = SimpleNamespace(
        clock=SimpleNamespace(now_ns=lambda: 0), hand_in=lambda port, frame, media_ns: Result.ACCEPTED
    )
    encoder = Downlink(Format("opus"))
    packets = [packet for _ in range(11) for packet in encoder.encode(bytes(640))][:10]
    for connection in (1, 2):
        inlet.attach(Hello(audio_in=Format("opus")))
        for number, packet in enumerate(packets):
            inlet.audio(Audio(number + 1, number * 320, packet), ears, number * 20 * MS)
        with pytest.raises(DialectError):
            inlet.audio(Audio(11, None, b""), ears, 200 * MS)
        for _ in range(2):  # as often as anybody looks
            inlet.count()
            assert tally.audio_packets == {"taken": 10 * connection, "malformed": connection}
    assert tally.audio_transcode_ns > 0
    assert tally.audio_concealed_ms == 0
