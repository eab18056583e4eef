"""Records what the public client sends in one spoken turn, from its page in Chromium: `turn.json.gz`.

    python tests/e2e/rtvi/record.py PACKAGE       with PYTHONPATH=tests/plugins

`test_rtvi_replay.py` says it again, where there is neither Node nor Chromium.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

import browser
import rtvi_page
from served import folder_served, served

SAMPLES = Path(__file__).parents[3] / "pipelines" / "samples"
RECORDING = Path(__file__).parent / "turn.json.gz"


def main() -> None:
    if reason := rtvi_page.missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        microphone = browser.microphone(Path(folder, "mic.wav"), [0.5, SAMPLES / "question.wav", 20.0])
        with (
            folder_served(rtvi_page.bundle(Path(folder))) as site,
            served(Path(sys.argv[1]), "--dev", "--origin", site, "--max-lag", "1000") as server,
            rtvi_page.connected(site, server, microphone, chunk=512) as client,
        ):
            client.wait_for("botStartedSpeaking")
            sent = client.evaluate("wire")
    began = sent[0][0]
    lines = [[at - began, message] for at, message in sent]
    RECORDING.write_bytes(gzip.compress(json.dumps(lines).encode(), mtime=0))
    print(f"{len(lines)} messages in {lines[-1][0]} ms, {RECORDING.stat().st_size} bytes")


if __name__ == "__main__":
    main()
