"""The reference: what was played, by media time."""

from __future__ import annotations

from rspp_runtime.session.playback import PlayedAudio

MS = 1_000_000


def _tone(value: int, ms: int = 20) -> bytes:
    return value.to_bytes(2, "little") * (16 * ms)


def test_silence_before_between_and_after() -> None:
    played = PlayedAudio()
    played.write(100 * MS, _tone(1))
    played.write(140 * MS, _tone(2))
    expected = bytes(640) + _tone(1) + bytes(640) + _tone(2) + bytes(640)
    assert played.read(80 * MS, 100 * MS) == expected


def test_what_is_flushed_was_not_played() -> None:
    played = PlayedAudio()
    for index in range(10):
        played.write(index * 20 * MS, _tone(index + 1))
    played.flush(70 * MS)
    assert played.read(60 * MS, 20 * MS) == _tone(4, 10) + bytes(320)
    played.write(70 * MS, _tone(9))
    assert played.read(70 * MS, 20 * MS) == _tone(9)
    assert played.read(90 * MS, 20 * MS) == bytes(640)


def test_it_is_a_ring() -> None:
    played = PlayedAudio(seconds=1)
    for index in range(200):
        played.write(index * 20 * MS, _tone(index))
    assert played.read(3000 * MS, 20 * MS) == _tone(150)
    assert played.read(2980 * MS, 40 * MS) == bytes(640) + _tone(150)  # older than the ring
    assert played.read(3980 * MS, 40 * MS) == _tone(199) + bytes(640)


def test_a_gap_longer_than_the_ring_leaves_nothing_old() -> None:
    played = PlayedAudio(seconds=1)
    played.write(0, _tone(7, 1000))
    played.write(5_000 * MS, _tone(8))
    assert played.read(4_020 * MS, 1_000 * MS) == bytes(2 * 16 * 980) + _tone(8)


def test_before_the_session_is_silence() -> None:
    played = PlayedAudio()
    played.write(0, _tone(5))
    assert played.read(-20 * MS, 40 * MS) == bytes(640) + _tone(5)
