"""The page with the public RTVI client (tests/e2e/rtvi), bundled and driven."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

ASSETS = Path(__file__).parents[1] / "e2e" / "rtvi"
ESBUILD = ASSETS / "node_modules" / ".bin" / "esbuild"
LOUD = 0.005  # of full scale: silence is 0
GAP_MS = 500  # a voice makes no longer pause between two sentences


def missing() -> str:
    """Why the page cannot be shown here; empty if it can."""
    if reason := browser.missing():
        return reason
    if shutil.which("node") is None:
        return "there is no Node on this machine"
    if not ESBUILD.exists():
        return "the public client is not installed: npm ci --ignore-scripts --prefix tests/e2e/rtvi"
    return ""


def bundle(folder: Path) -> Path:
    """The page, with the client in it."""
    command = [
        str(ESBUILD),
        "page.mjs",
        "--bundle",
        "--format=esm",
        "--log-level=warning",
        f"--outfile={folder}/page.js",
    ]
    subprocess.run(command, cwd=ASSETS, check=True, timeout=60)
    shutil.copy(ASSETS / "page.html", folder / "index.html")
    return folder


class Client:
    """The client of a page that is connected."""

    def __init__(self, page: Page, complaints: list[str]) -> None:
        self._page = page
        self.complaints = complaints  # errors of the page's console

    def happened(self, event: str = "") -> list[dict[str, Any]]:
        """What the client has said since it began: `at` in ms, `event`, `data`."""
        found: list[dict[str, Any]] = self._page.evaluate("() => happened")
        return [one for one in found if not event or one["event"] == event]

    def wait_for(self, event: str, count: int = 1, timeout_s: float = 30) -> dict[str, Any]:
        """The event, the so many'th of its kind."""
        self._page.wait_for_function(
            "([event, count]) => happened.filter((one) => one.event === event).length >= count",
            arg=[event, count],
            timeout=timeout_s * 1000,
        )
        return self.happened(event)[count - 1]

    def loud(self) -> list[tuple[int, int]]:
        """When the loudspeaker was loud: from, to, in ms; pauses of speech are no end."""
        spans: list[tuple[int, int]] = []
        for at, level in self._page.evaluate("() => levels"):
            if level < LOUD:
                continue
            if spans and at - spans[-1][1] < GAP_MS:
                spans[-1] = (spans[-1][0], at)
            else:
                spans.append((at, at))
        return spans

    def evaluate(self, expression: str) -> Any:
        return self._page.evaluate(expression)

    def call(self, function: str, *arguments: Any) -> Any:
        """A function of the page."""
        return self._page.evaluate(f"(given) => {function}(...given)", list(arguments))


@contextmanager
def connected(site: str, server: str, microphone: Path, **options: Any) -> Iterator[Client]:
    """The page of `site`, its client connected to `server` as an application would: by the address to ask at."""
    with browser.chromium(microphone) as chromium:
        page = chromium.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site)
        page.wait_for_function("() => typeof window.start === 'function'")
        page.evaluate("(given) => start(given)", {"endpoint": f"{server}/rtvi/connect", **options})
        yield Client(page, complaints)
