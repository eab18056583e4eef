"""render: every generated file, as it is; readable, typed, and the same bytes anywhere."""

from __future__ import annotations

import ast
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from syrupy.assertion import SnapshotAssertion

from pipelines import HELLO, NAMES, ROOT, SHOP, compile_file, compile_text, golden, shipped, value
from rspp_compiler.emit.manifest import sha256
from rspp_compiler.emit.mermaid import mermaid
from rspp_compiler.ir.files import Files

PATHS = (
    ".gitignore", "README.md", "deploy/Containerfile", "pyproject.toml", "rspp.manifest.json", "setup.py",
    "src/{}/__init__.py", "src/{}/__main__.py", "src/{}/_kernel.pyi", "src/{}/_kernel.pyx", "src/{}/_layout.pxd",
    "src/{}/handlers.py", "src/{}/plan.py", "src/{}/py.typed", "src/{}/sourcemap.json", "tests/test_smoke.py",
)  # fmt: skip
BIN = Path(sys.executable).parent


def rendered(name: str) -> Files:
    made: Files = value(compile_file(shipped(name), until="render"), "render")
    return made


def shop() -> Files:
    made: Files = value(compile_text(SHOP, until="render", name="shop.rspp"), "render")
    return made


def on_disk(files: Files, folder: Path) -> Path:
    for path, data in files.contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.mark.parametrize("path", PATHS, ids=lambda path: PurePosixPath(path).name)
@pytest.mark.parametrize("name", NAMES)
def test_generated_file(name: str, path: str, snapshot: SnapshotAssertion) -> None:
    file = PurePosixPath(path.format(name))
    extension = file.suffix.removeprefix(".") or "txt"
    assert rendered(name).text(str(file)) == snapshot(name=f"{name}-{file.stem}", extension_class=golden(extension))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_other_file(name: str) -> None:
    resources = {path for path in rendered(name).contents if "/resources/" in path}
    assert set(rendered(name).contents) - resources == {path.format(name) for path in PATHS}


def test_protocols_of_python_nodes(snapshot: SnapshotAssertion) -> None:
    assert shop().text("src/shop/handlers.py") == snapshot(name="shop-handlers", extension_class=golden("py"))


def test_the_readme_names_the_users_own_nodes() -> None:
    page = shop().contents["README.md"].decode()
    assert "- `polish` is `shop_nodes:polish`\n" in page
    assert "Python nodes" not in rendered("voice_assistant").contents["README.md"].decode()


@pytest.mark.parametrize("text", [HELLO, SHOP], ids=["hello", "shop"])
def test_mermaid(text: str, snapshot: SnapshotAssertion) -> None:
    graph = value(compile_text(text, until="check"), "check")
    assert mermaid(graph) + "\n" == snapshot(name=graph.spec.name, extension_class=golden("mmd"))


@pytest.mark.parametrize("files", [rendered("hello"), rendered("voice_assistant"), shop()], ids=lambda f: f.name)
def test_python_files_are_laid_out_and_typed(files: Files, tmp_path: Path) -> None:
    folder = on_disk(files, tmp_path)
    python = [str(path) for path in sorted(folder.rglob("*.py"))]
    for command in (["check", "--select", "E,F,W,I,UP,B"], ["format", "--check"]):
        done = subprocess.run(
            [str(BIN / "ruff"), *command, "--no-cache", *python],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(
        [str(BIN / "mypy"), "--strict", "--no-incremental", "--config-file", os.devnull, f"src/{files.name}"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "MYPYPATH": f"src:{ROOT / 'runtime_base' / 'src'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_code_imports_only_the_runtime() -> None:
    for name in NAMES:
        for path, data in rendered(name).contents.items():
            if not path.endswith(".py") or path == "setup.py":
                continue
            for node in ast.walk(ast.parse(data)):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                for module in modules:
                    top = module.split(".")[0]
                    assert top in {"rspp_runtime", name} or top in sys.stdlib_module_names, (path, module)


def test_nothing_generated_knows_the_machine(tmp_path: Path) -> None:
    copy = tmp_path / "somewhere" / "else"
    shutil.copytree(ROOT / "pipelines", copy)
    for name in NAMES:
        made = value(compile_file(copy / f"{name}.rspp", until="render"), "render")
        assert made.contents == rendered(name).contents
        for path, data in made.contents.items():
            assert b"\r" not in data
            assert str(tmp_path).encode() not in data, path
            assert str(ROOT).encode() not in data, path


def test_same_bytes_whatever_the_hash_seed() -> None:
    script = (
        "import sys, hashlib; from pathlib import Path; from rspp_compiler.driver import compile_pipeline\n"
        "from rspp_compiler.ir.context import Options\n"
        "files = compile_pipeline([Path(sys.argv[1])], Options(until='render')).values['render'].contents\n"
        "print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script, str(shipped("voice_assistant"))],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }  # fmt: skip
    assert len(digests) == 1


def test_the_manifest_lists_every_file() -> None:
    files = rendered("voice_assistant")
    listed = json.loads(files.text("rspp.manifest.json"))["files"]
    assert listed == {path: sha256(data) for path, data in files.contents.items() if path != "rspp.manifest.json"}


@pytest.mark.parametrize("files", [rendered("voice_assistant"), shop()], ids=lambda f: f.name)
def test_the_source_map_leads_back_to_the_source(files: Files) -> None:
    """In the plan and in the kernel, each node, edge and reaction has a range that names it and its line."""
    mapped = json.loads(files.text(f"src/{files.name}/sourcemap.json"))["files"]
    plan = files.frozen.layout.plan
    things = [(node.name, node.line) for node in plan.nodes] + [(edge.name, edge.line) for edge in plan.edges]
    things += [(plan.events[reaction.event].name, reaction.line) for reaction in plan.reactions]
    for path in (f"src/{files.name}/plan.py", f"src/{files.name}/_kernel.pyx"):
        generated = files.text(path).split("\n")
        for name, line in things:
            rows = [row for row in mapped[path] if row["line"] == line and name in row["what"]]
            assert rows, (path, name)
            assert any(name in "\n".join(generated[row["from"] - 1 : row["to"]]) for row in rows)
        assert all(1 <= row["from"] <= row["to"] <= len(generated) for row in mapped[path])


def test_ranges_of_the_source_map_nest() -> None:
    """Two ranges of a file are apart, or one lies in the other: the narrowest is well defined."""
    files = rendered("voice_assistant")
    for rows in json.loads(files.text("src/voice_assistant/sourcemap.json"))["files"].values():
        for one, other in itertools.combinations(rows, 2):
            apart = one["to"] < other["from"] or other["to"] < one["from"]
            inside = one["from"] <= other["from"] and other["to"] <= one["to"]
            assert apart or inside, (one, other)


def test_plan_py_is_the_plan(tmp_path: Path) -> None:
    """What is printed and what was laid out are the same tables."""
    import dataclasses

    files = shop()
    folder = on_disk(files, tmp_path)
    script = "import shop.plan as p, dataclasses, json; print(json.dumps(dataclasses.asdict(p.PLAN)))"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    plan = dataclasses.asdict(files.frozen.layout.plan)
    assert json.loads(done.stdout) == json.loads(json.dumps(plan))
