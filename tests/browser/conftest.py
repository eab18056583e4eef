"""The console in a real browser, against the real server: Chromium with a microphone that plays a recording.

What the page plays is recorded behind its player, block by block, by a node of the test's own: nothing in the page
knows of it. Every page is watched for errors and for violations of its content security policy.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import assistant
from browser import FLAGS

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "pipelines" / "samples"
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
RATE_HZ = 16_000
WAIT_MS = 30_000

WATCH = """
window.test = { violations: [], blocks: [], pcm: [], words: [], sockets: [] };
addEventListener("securitypolicyviolation", (e) => test.violations.push(`${e.violatedDirective}: ${e.blockedURI}`));
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    const context = this.context;
    const node = context.createScriptProcessor(256, 1, 1);
    node.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      const input = inputBuffer.getChannelData(0);
      let peak = 0;
      for (const one of input) peak = Math.max(peak, Math.abs(one));
      const clock = context.getOutputTimestamp();
      const from = clock.performanceTime + (playbackTime - clock.contextTime) * 1000;
      test.blocks.push({ peak, from, to: from + (1000 * input.length) / context.sampleRate });
      if (peak > 0.001 && test.pcm.length < 30 * 16000) test.pcm.push(...input.filter((_, i) => i % 3 === 0));
    };
    connect.call(this, node);
    connect.call(node, to); // it gives silence, and is only called while it leads somewhere
  }
  return connect.call(this, to, ...rest);
};
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...args) {
    super(...args);
    test.sockets.push(this);
    this.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : new TextDecoder("latin1").decode(data);
      if (typeof data === "string") return;
      for (const word of ["barge_in", "flush", "playback_started"])
        if (text.includes(word)) test.words.push({ word, at: performance.now() });
    });
  }
};
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assistant.built(tmp_path_factory.mktemp("generated"))


@dataclass
class Served:
    port: int
    log_dir: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"


@pytest.fixture(scope="session")
def server(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`rspp serve --dev`, at a free port."""
    log_dir = tmp_path_factory.mktemp("logs")
    command = [sys.executable, "-m", "rspp_runtime.cli", "serve", str(package), "--dev", "--port", "0", "--json"]
    said = (log_dir / "stderr.txt").open("w")
    process = subprocess.Popen(
        [*command, "--log-dir", str(log_dir), "--level", "L1", "--grace", "0"],
        stdout=subprocess.PIPE, stderr=said, text=True, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")  # its log goes there too
        port = next((int(found[1]) for line in lines if (found := re.search(r'"port": (\d+)', line))), None)
        assert port is not None, (log_dir / "stderr.txt").read_text()
        threading.Thread(target=process.stdout.read, daemon=True).start()  # what it logs must not fill the pipe
        yield Served(port, log_dir)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        said.close()


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A recording for the fake microphone: parts are seconds of silence, samples by name, or PCM."""
    folder = tmp_path_factory.mktemp("microphone")

    def make(name: str, *parts: float | str | bytes) -> Path:
        path = folder / f"{name}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            for part in parts:
                if isinstance(part, str):
                    with wave.open(str(SAMPLES / part)) as sample:
                        assert sample.getframerate() == RATE_HZ
                        out.writeframes(sample.readframes(sample.getnframes()))
                elif isinstance(part, bytes):
                    out.writeframes(part)
                else:
                    out.writeframes(bytes(2 * int(part * RATE_HZ)))
        return path

    return make


@dataclass
class Opened:
    """A page that is open, and what was said about it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    forgives: str = "(?!)"  # a pattern of errors that belong to the test

    def test(self, expression: str) -> Any:
        """A part of what the test's own script has seen."""
        return self.page.evaluate(f"() => test.{expression}")

    def loud(self, above: float = 0.01) -> list[dict[str, float]]:
        """Blocks that were played and not silent; times in ms of the page's clock."""
        return [block for block in self.test("blocks") if block["peak"] > above]


@pytest.fixture
def browse(server: Served) -> Iterator[Callable[..., Opened]]:
    """Opens the console; `microphone` is what is spoken into it. Errors and violations fail the test when it ends."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).is_file():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    opened: list[Opened] = []
    with ExitStack() as stack:
        driver = stack.enter_context(playwright.sync_playwright())

        def open_page(
            microphone: Path | None = None, url: str = "", width: int = 1440, height: int = 900, scheme: str = "light"
        ) -> Opened:
            flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else FLAGS
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
            stack.callback(browser.close)
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, permissions=["microphone"]
            )
            context.set_default_timeout(WAIT_MS)
            page = context.new_page()
            one = Opened(page)
            page.on("pageerror", lambda error: one.errors.append(str(error)))
            page.on("console", lambda said: one.errors.append(said.text) if _is_error(said) else None)
            page.add_init_script(WATCH)
            page.goto(url or server.url)
            page.get_by_role("heading", name="voice assistant").wait_for()
            opened.append(one)
            return one

        yield open_page
        for one in opened:
            assert one.test("violations") == []
            assert [error for error in one.errors if not re.search(one.forgives, error)] == []


def _is_error(said: Any) -> bool:
    """Asked while Chromium starts on two cores the server may be late, says so (503), and is asked again."""
    return bool(said.type == "error" and "status of 503" not in said.text)


class Cable:
    """A TCP connection between the browser and the server that can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    def cut(self) -> None:
        """Everything that is open is gone, and nothing new gets through."""
        self.is_cut = True
        for pair in self._pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            if self.is_cut:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self._to))
            self._pairs.append((here, there))
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=_carry, args=(a, b), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for one in (source, sink):
        with suppress(OSError):
            one.close()


@pytest.fixture
def cable(server: Served) -> Iterator[Cable]:
    one = Cable(server.port)
    yield one
    one.close()
