"""Chromium for tests of pages: the machine's own, driven by Playwright, with a file as its microphone.

    with browser.chromium(microphone=browser.microphone(tmp / "mic.wav", [2.0, question])) as chromium:
        page = chromium.new_page()

Where there is no Chromium, or no Playwright, `missing()` says so: tests skip with it as their reason.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
RATE_HZ = 16_000
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


def missing() -> str:
    """Why no browser can be driven here; empty if one can."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (requirements/dev.txt)"
    if _executable() is None:
        return "there is no Chromium on this machine (Debian: apt-get install chromium)"
    return ""


@contextmanager
def chromium(microphone: Path | None = None) -> Iterator[Browser]:
    """A browser without a window. Its microphone plays the file once, from when a page opens it."""
    from playwright.sync_api import sync_playwright

    flags = [*FLAGS, *([f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(), headless=True, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def microphone(path: Path, parts: Sequence[float | Path]) -> Path:
    """Writes a file for a microphone: seconds of silence, and recordings, one after the other."""
    pieces = [_silence(part) if isinstance(part, float | int) else _recording(part) for part in parts]
    soundfile.write(path, np.concatenate(pieces), RATE_HZ, subtype="PCM_16")
    return path


def _silence(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def _recording(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    pcm, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == RATE_HZ, f"{path}: {rate_hz} Hz"
    assert pcm.ndim == 1, f"{path} is not mono"
    return np.asarray(pcm, np.int16)


def _executable() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)
