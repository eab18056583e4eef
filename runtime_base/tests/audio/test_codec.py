"""PCM, µ-law and Opus, there and back: the same sound, how late, and what is refused."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.audio.codec import from_ulaw, make_decoder, make_encoder, to_ulaw
from rspp_runtime.audio.conceal import Concealer
from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import NATIVE, RATES_HZ, AudioError, Format
from rspp_runtime.audio.opus import frame_us, packet_us
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.resample import DELAY_SAMPLES, Resampler, delay_samples
from rspp_runtime.audio.uplink import Uplink

from .conftest import MS, RATE, network, packets_of, play, rms, sample, tone

FORMATS = [Format(e, r, c, 20) for e, rates in RATES_HZ.items() for r in rates for c in (1, 2)]
OPUS_DELAY_SAMPLES = 120  # at 16 kHz: what an encoder of 16 kHz looks ahead


def name(format: Format) -> str:
    return f"{format.encoding}-{format.rate_hz}-{format.channels}"


# ---- µ-law


def test_ulaw_is_that_of_ffmpeg() -> None:
    """Every byte means the same; every sample becomes a byte that is as near as the one that FFmpeg chooses."""
    decoder = av.CodecContext.create("pcm_mulaw", "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    theirs = np.concatenate([f.to_ndarray().reshape(-1) for f in decoder.decode(av.Packet(bytes(range(256))))])
    assert (from_ulaw(bytes(range(256))) == theirs).all()

    samples = np.arange(-32768, 32768).astype("<i2")
    encoder = av.CodecContext.create("pcm_mulaw", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 8000, "mono", "s16"
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
    frame.sample_rate = 8000
    their_bytes = b"".join(bytes(packet) for packet in encoder.encode(frame))
    ours = np.abs(from_ulaw(to_ulaw(samples)).astype(int) - samples)
    assert (ours <= np.abs(from_ulaw(their_bytes).astype(int) - samples)).all()


def test_ulaw_silence_is_silence() -> None:
    assert to_ulaw(np.zeros(4, "<i2")) == b"\xff" * 4
    assert not from_ulaw(b"\xff\x7f").any()


# ---- the same sound


@pytest.mark.parametrize("format", FORMATS, ids=name)
def test_a_tone_goes_out_and_comes_back(format: Format) -> None:
    pcm = tone(440, 1.0).tobytes()
    packets = packets_of(pcm, format)
    if format.encoding != "opus":
        assert {len(packet) for packet in packets} == {format.packet_bytes}
    heard = play(Uplink(format, STREAM), network(packets, format)).pcm
    back = np.frombuffer(heard, "<i2").astype(float)[4000:12000]
    spectrum = np.abs(np.fft.rfft(back * np.hanning(len(back))))
    assert np.argmax(spectrum) * RATE / len(back) == pytest.approx(440, abs=2)
    assert rms(heard[8000:24000]) == pytest.approx(8000 / 2**0.5, rel=0.1 if format.encoding == "opus" else 0.03)


@pytest.mark.parametrize("rate_hz", [24_000, 44_100, 48_000])
def test_what_16_khz_cannot_hold_is_filtered_out(rate_hz: int) -> None:
    """Without a filter, 11 kHz would be heard as 5 kHz."""
    decoder = make_decoder(Format("pcm16", rate_hz))
    high = decoder.decode(tone(11_000, 0.1, rate_hz).tobytes())
    assert rms(high[400:-400]) < 8000 / 2**0.5 / 100


def test_two_channels_are_mixed_and_doubled() -> None:
    left, right = tone(300, 0.1), np.zeros(1600, "<i2")
    mixed = make_decoder(Format(channels=2)).decode(np.stack([left, right], axis=1).tobytes())
    assert np.abs(np.frombuffer(mixed, "<i2").astype(int) - left // 2).max() <= 1
    (packet,) = make_encoder(Format(channels=2)).encode(left[:320].tobytes())
    both = np.frombuffer(packet, "<i2").reshape(-1, 2)
    assert (both[:, 0] == both[:, 1]).all()
    assert np.abs(both[:, 0].astype(int) - left[:320]).max() <= 1


def test_native_passes_as_it_is() -> None:
    frame = tone(440, 0.02).tobytes()
    uplink = Uplink(NATIVE, STREAM)
    for number in range(100):
        ((media_ns, same),) = uplink.push(frame, number, None, number * 20 * MS)
        assert (media_ns, same is frame) == (number * 20 * MS, True)
    assert Downlink(NATIVE).encode(frame)[0] is frame


# ---- how late


@pytest.mark.feature("F-090", "measured", "described")
@pytest.mark.parametrize("format", FORMATS, ids=name)
def test_each_way_keeps_back_a_bounded_number_of_samples(format: Format) -> None:
    """Both ways. Counted in samples, so that a slow machine changes nothing; what Opus looks ahead is in its sound."""
    pcm = sample("question").tobytes()[: 640 * 100]
    low_hz = RATE if format.encoding == "opus" else min(RATE, format.rate_hz)
    kept_max = -(-delay_samples(low_hz) * RATE // low_hz)
    encoder, sent = Downlink(format), 0
    packets = []
    for count, at in enumerate(range(0, len(pcm), 640), start=1):
        packets += (new := encoder.encode(pcm[at : at + 640]))
        sent += len(new)
        assert (count - sent) * 320 <= (320 if format.rate_hz != RATE or format.encoding == "opus" else 0)
    uplink, given = Uplink(format, STREAM), 0
    for count, packet in enumerate(packets):
        given += 320 * len(uplink.push(packet, count, None, count * 20 * MS))
        framed = 319 if kept_max else 0  # less than a frame waits to be one
        assert (count + 1) * 320 - given <= kept_max + framed
    heard = play(Uplink(format, STREAM), network(packets, format)).pcm
    shift = _shift(pcm, heard)
    assert abs(shift) <= (OPUS_DELAY_SAMPLES if format.encoding == "opus" else 1)

    known = uplink.describe()
    assert known["received"] == format.describe()
    assert known["handed_on"] == {"encoding": "pcm16", "rate_hz": 16_000, "channels": 1, "frame_ms": 20}
    is_transcoded = (format.encoding, format.rate_hz, format.channels) != ("pcm16", RATE, 1)
    assert uplink.stats.transcodes == (len(packets) if is_transcoded else 0)
    assert (0 < uplink.stats.transcode_ns_max <= uplink.stats.transcode_ns_sum) is is_transcoded


def _shift(before: bytes, after: bytes) -> int:
    """By how many samples the second one is later."""
    a = np.frombuffer(before, "<i2").astype(float)
    b = np.frombuffer(after, "<i2").astype(float)[: len(a)]
    a = a[: len(b)]
    size = 1 << (len(a) * 2).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    best = int(np.argmax(likeness))
    return best - size if best > size // 2 else best


def test_a_cancel_forgets_and_a_turns_end_fills_up() -> None:
    for format in (Format("ulaw", 8000, 1, 60), Format("pcm16", 48_000, 2, 40), Format("opus", 48_000, 1, 60)):
        downlink = Downlink(format)
        loud = tone(440, 0.02, peak=20_000).tobytes()
        assert downlink.encode(loud) == []
        downlink.flush()
        assert downlink.rest() == []
        assert downlink.encode(loud) == []
        (last,) = downlink.rest()
        heard = play(Uplink(format, STREAM), network([last] * 3, format)).pcm
        assert rms(heard[: 60 * 32]) > 1000
        assert downlink.rest() == []


def test_a_frame_may_be_shorter() -> None:
    downlink = Downlink(NATIVE)
    frame = tone(440, 0.04).tobytes()
    assert downlink.encode(frame[:600]) == []
    assert b"".join([*downlink.encode(frame[600:1240]), *downlink.encode(frame[1240:1280])]) == frame
    assert downlink.encode(frame[:640])[0] == frame[:640]
    assert downlink.encode(frame[:100]) == []
    assert downlink.rest() == [frame[:100].ljust(640, b"\0")]


# ---- what is no packet


@pytest.mark.parametrize(
    ("format", "packet"),
    [
        (format, packet)
        for format in (Format(), Format(channels=2), Format("ulaw", 8000), Format("pcm16", 44_100))
        for packet in (b"", bytes(3), bytes(100_001))
        if not (format.encoding == "ulaw" and len(packet) == 3)  # three samples
    ],
)
def test_what_is_no_packet_is_refused_by_its_form(format: Format, packet: bytes) -> None:
    uplink = Uplink(format, STREAM)
    with pytest.raises(AudioError, match=r"bytes are no packet of \w+ at \d+ Hz .*; usual are \d+") as caught:
        uplink.push(packet, 0, None, 0)
    assert "\n" not in str(caught.value)
    assert (uplink.stats.malformed, uplink.stats.packets) == (1, 1)


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_a_packet_of_opus_is_refused_or_as_long_as_it_says(packet: bytes) -> None:
    decoder = make_decoder(Format("opus"))
    try:
        duration_ns = decoder.duration_ns(packet)
        pcm = decoder.decode(packet)
    except AudioError:
        return
    kept = duration_ns * RATE // 1_000_000_000 - len(pcm) // 2
    assert 0 <= kept <= DELAY_SAMPLES


@given(st.data())
@settings(max_examples=200)
def test_what_the_form_allows_libopus_takes(data: st.DataObject) -> None:
    """The rules of RFC 6716 as we check them are those of libopus: nothing passes here that fails there, and the other
    way round."""
    toc = data.draw(st.integers(0, 255))
    body = data.draw(st.binary(max_size=120))
    packet = bytes((toc, *body))
    context = av.CodecContext.create("libopus", "r")
    context.layout = "mono"
    context.open()
    try:
        frames = context.decode(av.Packet(packet))
        theirs = sum(frame.samples for frame in frames) * 1_000_000 // 48_000
    except av.FFmpegError:
        theirs = 0
    try:
        ours = packet_us(packet)
    except AudioError:
        ours = 0
    assert ours == theirs


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
def test_a_packet_of_opus_says_how_long_it_is(frame_ms: int) -> None:
    packets = packets_of(sample("question").tobytes(), Format("opus", 48_000, 1, frame_ms))
    assert {packet_us(packet) for packet in packets} == {frame_ms * 1000}
    assert {frame_us(packet[0]) for packet in packets} == {frame_ms * 1000}


# ---- what is made up


def test_a_period_is_repeated_and_fades() -> None:
    concealer = Concealer()
    voice = tone(200, 0.08)
    for at in range(0, len(voice), 320):
        concealer.heard(voice[at : at + 320].tobytes())
    made = np.frombuffer(b"".join(concealer.make(320) for _ in range(5)), "<i2").astype(float)
    goes_on = tone(200, 0.18)[len(voice) :].astype(float)[:320]
    assert np.corrcoef(made[:320], goes_on)[0, 1] > 0.99
    levels = [rms(made[at : at + 320].astype("<i2").tobytes()) for at in range(0, 1600, 320)]
    assert 4000 < levels[0] < 5600
    assert levels == sorted(levels, reverse=True)
    assert levels[3:] == [0, 0]


def test_before_anything_was_heard_silence_is_made_up() -> None:
    assert Concealer().make(320) == bytes(640)


def test_libopus_conceals_its_own() -> None:
    packets = packets_of(sample("question").tobytes(), Format("opus"))
    decoder = make_decoder(Format("opus"))
    for packet in packets[:45]:
        decoder.decode(packet)
    levels = [rms(decoder.conceal(20 * MS)) for _ in range(6)]
    assert levels[0] > 1000
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 50


@pytest.mark.parametrize("rates", [(8000, 16_000), (16_000, 8000), (16_000, 44_100), (48_000, 16_000)], ids=str)
def test_another_rate_ends_where_it_ended(rates: tuple[int, int]) -> None:
    """What a resampler kept back comes at the end, once; a second sentence begins anew."""
    in_hz, out_hz = rates
    resampler = Resampler(in_hz, out_hz)
    second = tone(440, 1.0, in_hz, peak=32_767)
    for _ in range(2):
        pieces = [resampler.process(second[at : at + in_hz // 50]) for at in range(0, in_hz, in_hz // 50)]
        kept = out_hz - len(b"".join(pieces)) // 2
        assert 0 < kept <= -(-delay_samples(min(rates)) * out_hz // min(rates))
        assert abs(len(resampler.rest()) // 2 - kept) <= 2
        assert resampler.rest() == b""
    resampler.process(second[:1000])
    resampler.forget()
    assert resampler.rest() == b""
