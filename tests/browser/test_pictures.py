"""The pictures of docs/console.md: taken here, and kept where `make pictures` says; never compared."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WIDE, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("RSPP_PICTURES")
    return ROOT / kept if kept else tmp_path_factory.mktemp("pictures")


def size_of(picture: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


def test_the_console_is_pictured(browse: Callable[..., Any], microphone: Callable[..., Path], folder: Path) -> None:
    recording = microphone("pictured", 6.0, "question.wav", 6.0, "interruption.wav", 20.0)
    page = browse(recording, width=WIDE[0], height=WIDE[1], scheme="dark").page
    page.keyboard.press("m")
    page.locator("li.assistant[data-turn='2'] .coming").wait_for()
    page.locator("li.user", has_text="stop please").wait_for()
    page.locator("li.assistant[data-turn='3'] .heard", has_text="nine").wait_for()
    page.screenshot(path=folder / "console-speaking.png")
    page.locator("li.assistant[data-turn='3']:not([data-state=live])").wait_for()
    page.keyboard.press("m")
    page.keyboard.press("[")
    page.emulate_media(color_scheme="light")
    page.locator(".big.cut").wait_for()
    page.wait_for_timeout(6_500)  # the running waveform is quiet again
    page.screenshot(path=folder / "console-interrupted.png")
    page.keyboard.press("f")
    page.locator("#filter").fill("cancel")
    page.locator(".event", has_text="barge in").first.click()
    page.screenshot(path=folder / "console-events.png")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark")
    page.locator(".panes button", has_text="Talk").click()
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "console-phone.png")
    for name, size in (("speaking", WIDE), ("interrupted", WIDE), ("events", WIDE), ("phone", PHONE)):
        assert size_of(folder / f"console-{name}.png") == size


def test_the_document_shows_pictures_that_are_there() -> None:
    shown = re.findall(r"\]\((pictures/console-\w+\.png)\)", (ROOT / "docs" / "console.md").read_text(encoding="utf-8"))
    assert len(shown) == 4
    assert all((ROOT / "docs" / one).is_file() for one in shown)
