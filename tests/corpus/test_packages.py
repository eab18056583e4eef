"""Pipelines of the corpus as pure packages: each is built, imported from its wheel, and opens a session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from good_corpus import CASES, compiled
from pipelines import compile_file, value

# A mode, guards, files of its own, Python nodes inside and outside of a turn.
BUILT = ("hotel_lobby", "kiosk", "library", "museum_guide")
CONNECT = """
import sys
from importlib import import_module
from rspp_runtime.abi import Control, In, Inbound, Signal

package = import_module(sys.argv[1])
session = package.open_session("corpus", 1, [lambda _item: []] * len(package.HANDLERS), "pure")
session.ingest(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1), 0)
session.advance(0)
print(package.TEMPLATE_HASH, Signal(session.drain()[0].code).name, *sorted(package.RESOURCES))
session.close()
"""


@pytest.mark.parametrize("name", BUILT)
def test_imports_and_opens_a_session(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSPP_CACHE", str(tmp_path / "cache"))
    built = value(compile_file(CASES[name], "compile", output=tmp_path, backend="python", install=False), "compile")
    monkeypatch.setenv("PYTHONPATH", str(built.wheel))
    line = [sys.executable, "-P", "-c", CONNECT, name]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    frozen = value(compiled(name), "freeze")
    files = sorted(resource.path for resource in frozen.resources)
    assert done.stdout.split() == [frozen.template_hash, "CONNECTED", *files], done.stderr
