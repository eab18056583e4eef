"""Every code's page is executed: the bad example causes the code, the good one is clean."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Options

CODES_FOLDER = Path(sys.modules["rspp_compiler.diagnostics.catalog"].__file__ or "").parent / "codes"
# The pages of the later passes are executed by those passes' own tests.
FRONT = sorted(code for code in CODES if code[:3] in ("E01", "E02", "E03", "E08", "E09"))


def examples(code: str) -> dict[str, tuple[str, str]]:
    """`bad` and `good`, each as (language, text)."""
    page = (CODES_FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {CODES[code].title}\n")
    return {fence[2]: (fence[1], fence[3]) for fence in re.finditer(r"```(\w+) (bad|good)\n(.*?)```", page, re.DOTALL)}


def codes_of(text: str, folder: Path) -> list[str]:
    file = folder / "example.rspp"
    file.write_text(text, encoding="utf-8")
    return [found.code for found in compile_pipeline([file], Options(until="check")).diagnostics]


@pytest.mark.parametrize("code", FRONT)
def test_bad_example_causes_the_code(code: str, tmp_path: Path) -> None:
    language, text = examples(code)["bad"]
    if language == "rspp":
        assert code in codes_of(text, tmp_path)
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"[{code}]" in shell.stdout + shell.stderr


@pytest.mark.parametrize("code", FRONT)
def test_good_example_is_clean(code: str, tmp_path: Path) -> None:
    language, text = examples(code)["good"]
    assert language == "rspp"
    found = codes_of(text, tmp_path)
    assert [one for one in found if one != "E0909"] == []
