"""The catalogue is whole, marks are checked when tests are collected, and the report says what the tests showed."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from feature_catalogue import Feature, complaint, load
from feature_report import REPORT, render, standings

PLUGINS = Path(__file__).parent / "plugins"

CATALOGUE = {
    "F-001": Feature(
        "F-001", "Edges", "mvp", "A bounded queue", {"bound": "never more than N", "strategy": "as declared"}
    ),
    "F-002": Feature("F-002", "Lanes", "later", "Control first | always", {"first": "control before data"}),
}


# ---- the catalogue


def test_the_catalogue_has_every_feature_once() -> None:
    features = load()
    assert list(features) == [f"F-{n:03}" for n in range(1, 177)] + [f"NF-{n:03}" for n in range(1, 39)]
    assert Counter(feature.phase for feature in features.values()) == {"mvp": 189, "later": 25}


def test_every_line_and_step_is_short_and_says_something() -> None:
    for feature in load().values():
        for text in (feature.line, *feature.steps.values()):
            assert 3 <= len(text.split()) <= 40, f"{feature.id}: {text}"
            assert not text.endswith("."), f"{feature.id}: {text}"
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in feature.steps), feature.id


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('id = "F-001"', "missing group, line, phase, steps"),
        ('id = "F-001"\ngroup = "g"\nphase = "now"\nline = "l"\nsteps = ["a: b"]', 'phase is "mvp" or "later"'),
        ('id = "F-001"\ngroup = "g"\nphase = "mvp"\nline = "l"\nsteps = ["no key"]', '"key: what must be seen"'),
        ('id = "F-001"\ngroup = "g"\nphase = "mvp"\nline = "l"\nsteps = ["a: b", "a: c"]', "two steps"),
        ('id = "F-001"\ngroup = "g"\nphase = "mvp"\nline = "l"\nsteps = []', "can never be shown"),
    ],
)
def test_a_malformed_entry_is_named(tmp_path: Path, entry: str, says: str) -> None:
    file = tmp_path / "features.toml"
    file.write_text(f"[[feature]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        load(file)
    assert "entry 1 (F-001)" in str(caught.value)


# ---- marks


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("F-001", "bound", "strategy"), None),
        (("F-001",), None),
        (("F-01",), "no feature 'F-01' in the catalogue, did you mean 'F-001'?"),
        (("F-001", "bounds"), "F-001 has no step 'bounds', did you mean 'bound'?; it has bound, strategy"),
        ((), "a mark reads"),
        ((1,), "a mark reads"),
    ],
)
def test_a_mark_is_checked(args: tuple[object, ...], says: str | None) -> None:
    found = complaint(CATALOGUE, args, {})
    assert (found is None) if says is None else (found is not None and says in found)


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A small project with the plugin and a catalogue of its own."""
    pytester.makeini(
        f"[pytest]\npythonpath = {PLUGINS}\ntestpaths = tests\n"
        "addopts = --strict-markers\nmarkers = feature(id, *steps): x\n"
    )
    pytester.makeconftest(
        "from feature_catalogue import Feature\nfrom feature_marks import FeatureMarks\n"
        "def pytest_configure(config):\n"
        "    steps = {'bound': 'never more than N', 'strategy': 'as declared'}\n"
        "    feature = Feature('F-001', 'Edges', 'mvp', 'A bounded queue', steps)\n"
        "    config.pluginmanager.register(FeatureMarks(config, {'F-001': feature}))\n"
    )
    pytester.mkdir("tests")
    return pytester


MARKED = """
import pytest

@pytest.mark.feature("F-001", "bound")
@pytest.mark.parametrize("n", [1, 2])
def test_bound(n): pass

@pytest.mark.feature("F-001", "strategy")
def test_fails(): assert False

@pytest.mark.feature("F-001", "strategy")
def test_skipped(): pytest.skip("not here")

@pytest.mark.feature("F-001", "strategy")
@pytest.mark.parametrize("n", [1, 2])
def test_half(n): assert n == 1

@pytest.mark.feature("F-001", "strategy")
@pytest.mark.xfail
def test_expected_to_fail(): assert False

def test_unmarked(): pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_whole_run_writes_down_what_passed(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    (project.path / "tests" / "test_x.py").write_text(MARKED)
    project.runpytest_subprocess(*workers)
    record = json.loads((project.path / "out" / "features.json").read_text())["tests"]
    assert {test.split("::")[1]: seen["passed"] for test, seen in record.items()} == {
        "test_bound": True,
        "test_fails": False,
        "test_skipped": False,
        "test_half": False,
        "test_expected_to_fail": False,
    }
    assert record["tests/test_x.py::test_bound"]["shows"] == {"F-001": ["bound"]}


@pytest.mark.parametrize("narrowed", [("-k", "bound"), ("tests/test_x.py",), ("--lf",), ("--collect-only",)])
def test_a_part_of_a_run_writes_nothing(project: pytest.Pytester, narrowed: tuple[str, ...]) -> None:
    (project.path / "tests" / "test_x.py").write_text(MARKED)
    project.runpytest_subprocess(*narrowed)
    assert not (project.path / "out").exists()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_wrong_mark_is_an_error_of_collection(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    (project.path / "tests" / "test_x.py").write_text(
        'import pytest\n\nclass TestIn:\n    @pytest.mark.feature("F-001", "bounds")\n    def test_a(self): pass\n'
    )
    result = project.runpytest_subprocess(*workers)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*TestIn::test_a: F-001 has no step 'bounds', did you mean 'bound'?*"])
    assert not (project.path / "out").exists()


# ---- the report


def states(tests: dict[str, dict[str, object]]) -> dict[str, str]:
    return {row.feature.id: row.state for row in standings(CATALOGUE, tests)}


def test_only_passing_tests_that_name_every_step_show_a_feature() -> None:
    half = {"passed": True, "shows": {"F-001": ["bound"]}}
    rest = {"passed": True, "shows": {"F-001": ["strategy"]}}
    assert states({}) == {"F-001": "not yet", "F-002": "not yet"}
    assert states({"t::a": half}) == {"F-001": "partly", "F-002": "not yet"}
    assert states({"t::a": {"passed": True, "shows": {"F-001": []}}})["F-001"] == "partly"
    assert states({"t::a": half, "t::b": rest})["F-001"] == "shown"
    assert states({"t::a": half, "t::b": rest | {"passed": False}})["F-001"] == "partly"
    assert states({"t::a": {"passed": False, "shows": {"F-001": ["bound", "strategy"]}}})["F-001"] == "not yet"


def test_the_report_lists_what_is_missing_and_who_shows_what() -> None:
    page = render(standings(CATALOGUE, {"tests/a.py::test_b": {"passed": True, "shows": {"F-001": ["bound"]}}}))
    assert "| F-001 | A bounded queue | partly, without: strategy | `tests/a.py::test_b` |" in page
    assert "| F-002 | Control first \\| always *(later)* | not yet |  |" in page
    assert "| mvp | 1 | 0 | 1 | 0 |" in page


def test_the_written_report_knows_the_whole_catalogue() -> None:
    rows = re.findall(r"^\| (N?F-\d{3}) \|", REPORT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(rows) == sorted(load())
