"""docs/semantics.md: its commands run, and its pictures show what the tools draw today."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from page_pictures import PICTURES, make

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
BUILDS = "rsppc build"  # the package is here already, and another test may be using it


def _commands() -> Iterator[list[str]]:
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if not line.startswith(BUILDS):
                yield line.split("#")[0].split()


def test_its_commands_run(tmp_path: Path) -> None:
    for name in ("pipelines", "generated"):
        (tmp_path / name).symlink_to(ROOT / name)
    ran = 0
    for tool, *arguments in _commands():
        program = Path(sys.executable).parent / tool
        done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{tool} {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        ran += 1
    assert ran >= 8
    assert (tmp_path / "cut.svg").stat().st_size > 10_000


def test_its_pictures_are_what_the_tools_draw(tmp_path: Path) -> None:
    """Texts and shapes; not the last digit of a time, which is the machine's."""
    made = make(tmp_path)
    assert {f"pictures/{name}.svg" for name in made} == set(re.findall(r"\]\((pictures/.*?)\)", PAGE))
    for name, svg in made.items():
        kept = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert _shown(svg) == _shown(kept), f"{name}.svg has changed: python tests/plugins/page_pictures.py --write"


def _shown(svg: str) -> list[str]:
    """What a reader sees, in order, without figures."""
    return [
        re.sub(r"[0-9.]+", "0", "".join(one.itertext()))
        for one in ET.fromstring(svg).iter()
        if one.tag.endswith(("}text", "}path"))
    ]


@pytest.mark.parametrize("name", ["turns", "lanes", "cancel", "replay"])
def test_it_explains_what_it_promises(name: str) -> None:
    assert re.search(rf"^## .*{name}", PAGE, re.MULTILINE | re.IGNORECASE)
