"""A person and the console: questions spoken and typed, an interruption, a lost connection, hostile words, keys."""

from __future__ import annotations

import json
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from rspp_runtime.abi.codes import Control, In, Op, Origin, Signal
from rspp_runtime.evidence.entries import Input, Out
from rspp_runtime.evidence.log import read

END_UTTERANCE = (In.CONTROL, Control.END_UTTERANCE)
SAMPLES = Path(__file__).parents[2] / "pipelines" / "samples"
SILENT_MS_MAX = 200
HOSTILE = '<img src=x onerror="window.owned=1"><script>window.owned=1</script> \u202egnirts lived\u202c'


def root_mean_square(samples: list[float]) -> float:
    return (sum(one * one for one in samples) / len(samples)) ** 0.5 if samples else 0.0


def until(what: Callable[[], Any], why: str) -> None:
    """Asked again and again: what Playwright itself polls in the page is forbidden there by the page's policy."""
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.05)


def answer(opened: Any, turn: int = 1) -> str:
    """What the assistant has said in that turn, once it is complete."""
    line = opened.page.locator(f"li.assistant[data-turn='{turn}']")
    line.wait_for()
    until(lambda: line.get_attribute("data-state") != "live", f"turn {turn} does not end")
    return str(line.locator("bdi").inner_text())


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id"))


def typed(opened: Any, text: str) -> None:
    opened.page.locator("#say").fill(text)
    opened.page.keyboard.press("Enter")


@pytest.mark.feature("F-084", "stream")
def test_a_spoken_question_is_answered_audibly(browse: Callable[..., Any], microphone: Callable[..., Path]) -> None:
    opened = browse(microphone("question", 6.0, "question.wav", 20.0))
    opened.page.keyboard.press("m")
    opened.page.get_by_text("Listening").wait_for()
    assert answer(opened) == "In London it is raining softly, so bring an umbrella."
    assert opened.page.locator(".line.user p").inner_text() == "what is the weather like in london"
    loud = opened.loud()
    heard_ms = sum(block["to"] - block["from"] for block in loud)
    assert heard_ms > 1_500, f"{heard_ms:.0f} ms were heard"
    assert root_mean_square(opened.test("pcm")) > 0.02
    took = float(opened.page.locator(".figures .number").first.inner_text().replace(",", ""))
    assert 0 < took < 2_000
    assert opened.page.locator(".picture").get_attribute("aria-label") == f"Turn 1: first sound after {took:.0f} ms."


@pytest.mark.feature("F-042", "finalizes", "prompt")
def test_push_to_talk_ends_the_utterance_when_the_key_is_let_go(
    browse: Callable[..., Any], microphone: Callable[..., Path], server: Any
) -> None:
    opened = browse(microphone("held", 6.0, twice("question.wav"), 20.0))
    page = opened.page
    page.locator("body").press("Shift")  # the page has the focus, and no field has
    page.keyboard.down(" ")
    page.locator("li.user", has_text="weather like in london").wait_for()  # and is asked again: nobody pauses
    page.keyboard.up(" ")
    page.locator(".talkbutton[aria-pressed=false]").wait_for()
    assert "umbrella" in answer(opened)
    page.wait_for_timeout(800)
    page.keyboard.press("f")
    page.locator("#filter").fill("end utterance")
    page.locator(".event", has_text="end utterance").wait_for()
    log = read(server.log_dir / f"{page.locator('.under .id').inner_text()}.rspplog")
    asked = next(one for one in log.entries if isinstance(one, Input) and (one.op, one.port) == END_UTTERANCE)
    proposed = next(
        one for one in log.entries
        if isinstance(one, Out) and (one.op, one.code) == (Op.DECISION, Signal.TURN_OPEN_PROPOSED)
    )  # fmt: skip
    assert proposed.x == Origin.API, "it was the key that ended it, before the detector could"
    assert 0 <= proposed.t_ns - asked.now_ns < 20_000_000
    assert page.locator(".line.user").count() == 1
    assert page.locator(".line.assistant").count() == 1


def twice(name: str) -> bytes:
    """A sample said twice, without a pause between."""
    with wave.open(str(SAMPLES / name)) as sample:
        pcm = sample.readframes(sample.getnframes())
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > 600)
    first, last = 2 * int(loud[0]), 2 * int(loud[-1])
    return pcm[:last] + pcm[first:]


def interrupted_later(by_ms: int) -> bytes:
    """interruption.wav with the pause before the interruption longer, or shorter, by that."""
    with wave.open(str(SAMPLES / "interruption.wav")) as sample:
        pcm = sample.readframes(sample.getnframes())
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > 30)
    gaps = np.diff(loud)
    middle = 2 * int(loud[gaps.argmax()] + gaps.max() // 2)
    size = 2 * (abs(by_ms) * 16)
    if by_ms < 0:
        return pcm[: middle - size // 2] + pcm[middle + size - size // 2 :]
    return pcm[:middle] + bytes(size) + pcm[middle:]


@pytest.mark.feature("F-033", "silence")
def test_an_interruption_silences_the_page(browse: Callable[..., Any], microphone: Callable[..., Path]) -> None:
    """Measured where the voice is loud as `barge_in` comes: between two of its words there would be nothing to see."""
    measured: list[float] = []
    for by_ms in (-350, -250, -450, 150):
        silent_ms, was_loud = interrupted(browse(microphone(f"cut{by_ms}", 6.0, interrupted_later(by_ms), 20.0)))
        print(f"{by_ms} ms: silent {silent_ms:.1f} ms after barge_in came to the page; it was loud then: {was_loud}")
        assert silent_ms <= SILENT_MS_MAX
        measured += [silent_ms] if was_loud else []
        if measured:
            return
    pytest.fail("the voice was between two words each time: nothing was measured")


def interrupted(opened: Any) -> tuple[float, bool]:
    """Ms from `barge_in` coming to the page to the last sound of that answer; whether there was one right before."""
    page = opened.page
    page.keyboard.press("m")
    said = answer(opened)
    struck = page.locator(".line.assistant del").first
    struck.wait_for()
    heard = page.locator(".line.assistant .heard").first.inner_text()
    assert heard.startswith("Our oldest clock")
    assert said == heard + struck.inner_text()
    assert said.endswith("It has kept perfect time ever since.")
    page.wait_for_timeout(600)
    words = opened.test("words")
    barge_in = next(one["at"] for one in words if one["word"] == "barge_in")
    again = min(
        (one["at"] for one in words if one["word"] == "playback_started" and one["at"] > barge_in), default=1e12
    )
    loud = [block for block in opened.loud(0.003) if block["to"] < again]
    assert any(block["to"] > barge_in - 600 for block in loud), "it was speaking when it was interrupted"
    was_loud = any(barge_in - 60 < block["to"] <= barge_in for block in loud)
    return max(0.0, max(block["to"] for block in loud) - barge_in), was_loud


def test_a_lost_connection_comes_back_with_its_conversation(browse: Callable[..., Any], cable: Any) -> None:
    opened = browse(url=cable.url)
    opened.forgives = "WebSocket connection|ERR_"  # Chromium tells of each attempt that failed
    page = opened.page
    typed(opened, "hello")
    assert answer(opened).startswith("Hello")
    session = page.locator(".under .id").inner_text()
    cable.cut()
    page.get_by_text("Reconnecting").wait_for()
    typed(opened, "what is the weather in Paris")
    cable.mend()
    page.get_by_text("connection is back").wait_for()
    assert "Paris" in answer(opened, 2)
    assert page.locator(".under .id").inner_text() == session
    assert page.locator(".line.user").count() == 2


def test_hostile_words_are_text(browse: Callable[..., Any]) -> None:
    opened = browse()
    page = opened.page
    typed(opened, HOSTILE)
    answer(opened)
    typed(opened, "what did i ask")
    echoed = answer(opened, 2)
    assert "<img src=x" in echoed, echoed
    assert page.locator(".line.user p").first.inner_text() == HOSTILE
    typed(opened, "x" * 1000)
    answer(opened, 3)
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.locator("#filter").fill("img onerror")
    page.locator(".event").filter(has_text="<img").first.click()
    assert "<img" in page.locator(".inspector pre").inner_text()
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.owned") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is pushed out of the page"
    box = page.locator(".line.user").nth(2).bounding_box()
    assert box["width"] < 500


def test_everything_is_done_with_the_keyboard(browse: Callable[..., Any]) -> None:
    opened = browse()
    page = opened.page
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("/")
    until(lambda: focused(page) == "say", "the field has not the focus")
    page.keyboard.type("tell me about the oldest clock")
    page.keyboard.press("Enter")
    page.locator(".pin").wait_for()
    page.keyboard.press("Escape")  # leaves the field
    page.keyboard.press("Escape")  # stops the answer
    page.locator(".line.assistant[data-state=cut]").wait_for()
    page.keyboard.press("/")
    assert focused(page) == "say", "who types right after the key loses nothing"
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    answer(opened, 2)
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    page.get_by_role("heading", name="Turn 1").wait_for()
    page.keyboard.press("]")
    page.get_by_role("heading", name="Turn 2").wait_for()
    for key, tab in (("2", "Events"), ("3", "Recording"), ("1", "Pipeline")):
        page.keyboard.press(key)
        page.locator("[role=tab][aria-selected=true]", has_text=tab).wait_for()
    page.keyboard.press("f")
    until(lambda: focused(page) == "filter", "the filter has not the focus")
    page.keyboard.type("turn open")
    names = page.locator(".event .kind").all_inner_texts
    until(lambda: names() and all("turn open" in name for name in names()), "the filter does not filter")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.locator("html[data-theme=dark]").wait_for()
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"talkbutton", "say", "filter"} <= {word for name in seen for word in name.split()}


def test_a_turn_is_decided_again_and_its_recording_taken_away(browse: Callable[..., Any], server: Any) -> None:
    opened = browse()
    page = opened.page
    typed(opened, "how much is a ticket")
    answer(opened)
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.wait_for_timeout(300)  # what was decided is on its way to the log
    page.get_by_role("button", name="Decide again").click()
    outcome = page.locator("td .outcome")
    page.locator("td .outcome:is(.good, .bad)").wait_for()
    assert "identical" in outcome.inner_text(), outcome.get_attribute("title")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download log").click()
    lines = Path(taken.value.path()).read_text().splitlines()
    assert json.loads(lines[0])["pipeline"] == "voice_assistant"
    assert any("how much is a ticket" in line for line in lines) or len(lines) > 50
    with page.expect_download() as taken:
        page.get_by_role("button", name="Timeline").click()
    assert "<svg" in Path(taken.value.path()).read_text()


def test_the_page_needs_nothing_from_elsewhere(browse: Callable[..., Any], server: Any) -> None:
    opened = browse()
    addresses = opened.page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert addresses
    assert {one.split("/")[2] for one in addresses} == {f"localhost:{server.port}"}
    with urlopen(Request(server.url), timeout=10) as page:
        policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert (
        opened.page.evaluate("document.querySelectorAll('[style*=expression], script:not([src]), style').length") == 0
    )


def test_motion_is_reduced_where_that_is_asked_for(browse: Callable[..., Any]) -> None:
    opened = browse()
    opened.page.emulate_media(reduced_motion="reduce")
    assert opened.page.evaluate("getComputedStyle(document.querySelector('.dot')).animationName") == "none"
