"""The public RTVI client, unmodified, in Chromium, against a served package: speaks, hears, interrupts, types."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import browser
import rtvi_page
from rtvi_page import Client, connected
from served import folder_served, served

pytestmark = pytest.mark.skipif(bool(reason := rtvi_page.missing()), reason=reason)

LEAD_MS = 200  # what a session is ahead of the loudspeaker: clients of RTVI 2.1 play what they have
LATE_MS = 400  # of a busy machine: what its audio thread has missed is played later, and the client never catches up


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with folder_served(rtvi_page.bundle(tmp_path_factory.mktemp("page"))) as address:
        yield address


@pytest.fixture(scope="module")
def server(package: Path, site: str) -> Iterator[str]:
    with served(package, "--dev", "--origin", site, "--max-lag", "1000") as address:
        yield address


def sessions(server: str) -> int:
    with urllib.request.urlopen(f"{server}/readyz", timeout=5) as answer:
        count: int = json.load(answer)["sessions"]
    return count


def texts(client: Client, event: str) -> list[str]:
    return [one["data"]["text"] for one in client.happened(event)]


def outputs(client: Client) -> dict[int, list[dict[str, Any]]]:
    """What is said aloud, by its pieces: what was told of each, in order."""
    pieces: dict[int, list[dict[str, Any]]] = {}
    for one in client.happened("botOutput"):
        pieces.setdefault(one["data"]["segment_id"], []).append(one["data"])
    return pieces


@pytest.mark.feature("F-084", "stream", "close")
@pytest.mark.parametrize("framing", ["protobuf", "json"])
def test_a_spoken_question_is_answered_aloud(
    site: str, server: str, samples: Path, tmp_path: Path, framing: str
) -> None:
    microphone = browser.microphone(tmp_path / "mic.wav", [2.0, samples / "question.wav", 20.0])
    with connected(site, server, microphone, framing=framing, chunk=512) as client:
        assert sessions(server) == 1
        stopped = client.wait_for("botStoppedSpeaking")["at"]
        ready = client.happened("botReady")[0]["data"]
        assert ready["version"] == "2.1.0"
        assert ready["capabilities"] == {
            "audio_in": True, "audio_out": True, "video_in": False, "screen_in": False, "video_out": False,
            "metrics": True,
        }  # fmt: skip
        transcripts = [one["data"] for one in client.happened("userTranscript")]
        finals = [one["text"] for one in transcripts if one["final"]]
        assert finals == ["what is the weather like in london"]
        assert [one["text"] for one in transcripts][:2] == ["what", "what is"], "it is told while it is said"
        order = ["userStartedSpeaking", "userStoppedSpeaking", "botLlmStarted", "botStartedSpeaking"]
        times = [client.happened(event)[0]["at"] for event in order]
        assert times == sorted(times)
        started = times[-1]
        spans = client.loud()
        heard_from, heard_to = spans[0][0], spans[-1][1]
        assert started - LATE_MS < heard_from < started + LATE_MS + LEAD_MS
        assert heard_to - heard_from > 2500, "the answer is heard to its end"
        assert heard_to < stopped + LEAD_MS + LATE_MS
        answer = "In London it is raining softly, so bring an umbrella."
        assert "".join(texts(client, "botLlmText")) == answer
        pieces = outputs(client)
        assert "".join(told[0]["text"] for told in pieces.values()) == answer
        assert {told[-1]["spoken_status"] for told in pieces.values()} == {"completed"}
        measured = [one["data"].get("ttfb", [{}])[0].get("processor") for one in client.happened("metrics")]
        assert {"stt", "llm", "voice", "turn"} <= set(measured)
        refused = client.call("request", "weather", {"city": "Oslo"})["refused"]
        assert refused["type"] == "error-response"
        assert "not supported" in refused["data"]["error"]
        assert client.complaints == []
        client.call("disconnect")
        limit = time.monotonic() + 5
        while sessions(server) and time.monotonic() < limit:
            time.sleep(0.05)
        assert sessions(server) == 0, "who disconnects is gone"


def test_who_talks_over_the_answer_is_listened_to(site: str, server: str, samples: Path, tmp_path: Path) -> None:
    microphone = browser.microphone(tmp_path / "mic.wav", [2.0, samples / "interruption.wav", 20.0])
    with connected(site, server, microphone, chunk=512) as client:
        client.wait_for("botStoppedSpeaking", 2)
        started, again = (one["at"] for one in client.happened("botStartedSpeaking"))
        interrupted = client.happened("userStartedSpeaking")[1]["at"]
        assert started < interrupted < again
        spans = client.loud()
        before = [span for span in spans if span[0] < again - LATE_MS]
        heard_from, heard_to = before[0][0], before[-1][1]
        next_from, next_to = spans[len(before)][0], spans[-1][1]
        assert heard_from < interrupted
        assert heard_to <= interrupted + LEAD_MS + LATE_MS, "the loudspeaker is silent"
        assert next_from >= again - LATE_MS
        assert next_to - next_from > 2000
        told = [one["data"] for one in client.happened("botOutput") if one["at"] <= again]
        heard = "".join(
            one["spoken_progress"]["accumulated_text"]
            for one in told
            if one["spoken_status"] in ("completed", "in-progress")
        )
        said = "".join(one["text"] for one in told if one["spoken_status"] == "new")
        assert said.startswith(heard)
        assert "oldest clock" in heard
        assert len(heard) < len(said) - 20, "what was cut off was not heard"
        finals = [one["data"]["text"] for one in client.happened("userTranscript") if one["data"]["final"]]
        assert len(finals) == 2
        assert finals[1].endswith("what time do you open")
        assert client.complaints == []


def test_typed_text_is_answered_and_stops_what_is_being_said(site: str, server: str, tmp_path: Path) -> None:
    microphone = browser.microphone(tmp_path / "mic.wav", [60.0])
    with connected(site, server, microphone, chunk=512) as client:
        client.call("sendText", "tell me about the oldest clock")
        client.wait_for("botStartedSpeaking")
        client.call("sendText", "hello")
        client.wait_for("botStartedSpeaking", 2)
        client.wait_for("botStoppedSpeaking", 2)
        assert texts(client, "userLlmText") == ["tell me about the oldest clock", "hello"]
        assert "Hello again." in "".join(texts(client, "botLlmText"))
        again = client.happened("botStartedSpeaking")[1]["at"]
        assert 2000 < client.loud()[-1][1] - again < 6000, "the new answer to its end, and not the old one, of 11 s"
        assert client.complaints == []


def test_a_recorder_that_is_left_alone_is_understood(site: str, server: str, samples: Path, tmp_path: Path) -> None:
    """24 kHz in packets of 8192 bytes, as the client's `WavMediaManager` records if it is not told otherwise."""
    microphone = browser.microphone(tmp_path / "mic.wav", [2.0, samples / "question.wav", 20.0])
    with connected(site, server, microphone, rateHz=24000) as client:
        client.wait_for("botStartedSpeaking")
        finals = [one["data"]["text"] for one in client.happened("userTranscript") if one["data"]["final"]]
        assert finals == ["what is the weather like in london"]
        assert client.complaints == []


def test_a_recorder_that_lies_about_its_rate_is_found_out(
    site: str, server: str, samples: Path, tmp_path: Path
) -> None:
    """`new WavMediaManager()` records at 24 kHz, and the transport says 16 kHz."""
    microphone = browser.microphone(tmp_path / "mic.wav", [samples / "question.wav", 60.0])
    with connected(site, server, microphone, rateHz=24000, claimsHz=16000) as client:
        error = client.wait_for("error")["data"]["data"]
        assert error["fatal"]
        assert "declared with 16000 Hz" in error["error"]
        client.wait_for("disconnected")
