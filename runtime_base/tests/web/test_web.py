"""The client's own tests, the types of both, and that the console in the package is what its sources give."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
CONSOLE = Path(__file__).parents[2] / "src" / "rspp_runtime" / "console"

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_types_hold(run: Run) -> None:
    done = run("node_modules/.bin/tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


def test_the_clients_own_tests(run: Run) -> None:
    built = run("node", "build.mjs", "--tests")
    assert built.returncode == 0, built.stderr
    files = sorted(str(path.relative_to(WEB)) for path in (WEB / "out" / "test").glob("*/test/*.test.js"))
    done = run("node", "--test", *files)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.findall(r"^# pass (\d+)", done.stdout, re.MULTILINE)[-1]) > 50
    assert re.findall(r"^# (?:skipped|cancelled) ([1-9]\d*)", done.stdout, re.MULTILINE) == []


def test_the_console_in_the_package_is_built_from_its_sources(run: Run, tmp_path: Path) -> None:
    done = run("node", "build.mjs", "--out", str(tmp_path / "console"))
    assert done.returncode == 0, done.stderr
    built = {path.name: path.read_bytes() for path in (tmp_path / "console").iterdir()}
    committed = {path.name: path.read_bytes() for path in CONSOLE.iterdir()}
    assert sorted(built) == sorted(committed)
    differing = [name for name in built if built[name] != committed[name]]
    assert not differing, f"{differing}: run `npm run build` in runtime_base/web, and commit what it wrote"


def test_a_wheel_brings_the_console_and_needs_no_node() -> None:
    names = {path.name for path in CONSOLE.iterdir()}
    assert {"index.html", "app.js", "style.css", "player.js", "capture.js", "LICENSES.txt"} <= names
    pyproject = (WEB.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert '"rspp_runtime" = ["console/*"]' in pyproject
    assert sum(path.stat().st_size for path in CONSOLE.iterdir()) < 300_000


def test_versions_are_exact_and_no_registry_is_named() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} {version}"
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_what_is_said_is_only_ever_text() -> None:
    """No way in the page's sources to make HTML, code or style of data."""
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|srcdoc"
    )
    found = [
        f"{path.name}: {match.group()}"
        for path in (WEB / "console" / "src").rglob("*.ts*")
        for match in ways.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    page = (WEB / "console" / "index.html").read_text(encoding="utf-8")
    assert "style=" not in page
    assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
    assert re.search(r"https?://", page) is None
