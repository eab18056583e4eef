"""pytest plugin: checks every `feature` mark against the catalogue, and writes down what the marked tests showed.

The record, `out/features.json`, is written only by a run of the whole suite: half a run knows half the truth.
Its form: `{"tests": {node id without parameters: {"passed": bool, "skipped": bool, "shows": {feature id: [step]}}}}`. A
test passed when each of its parametrisations ran and passed; a skipped or expectedly failing one did not.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from feature_catalogue import Feature, complaint

PROPERTY = "rspp_feature"  # travels with a test's report, also from pytest-xdist's workers


class FeatureMarks:
    def __init__(self, config: pytest.Config, features: Mapping[str, Feature]) -> None:
        self._config = config
        self._features = features
        self._shows: dict[str, dict[str, set[str]]] = {}
        self._bad: set[str] = set()
        self._ran: set[str] = set()
        self._skipped: set[str] = set()
        self._uncollected = False

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A wrong mark is an error of collection: the file's tests do not run until it is put right."""
        report = yield
        complaints: dict[str, None] = {}
        for item in report.result or ():
            if isinstance(item, pytest.Item):
                for mark in item.iter_markers("feature"):
                    wrong = complaint(self._features, mark.args, mark.kwargs)
                    if wrong:
                        complaints[f"{_test(item.nodeid)}: {wrong}"] = None
                    else:
                        item.user_properties.append((PROPERTY, list(mark.args)))
        if complaints:
            report.outcome, report.result, report.longrepr = "failed", [], "\n".join(complaints)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._uncollected |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = _test(report.nodeid)
        for name, value in report.user_properties:
            if name == PROPERTY:
                feature_id, *steps = cast("list[str]", value)
                self._shows.setdefault(test, {}).setdefault(feature_id, set()).update(steps)
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped.add(test)
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            self._bad.add(test)
        elif report.when == "call":
            self._ran.add(test)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if hasattr(self._config, "workerinput") or not self._whole_run(exitstatus):
            return
        tests = {
            test: {
                "passed": test in self._ran and test not in self._bad,
                "skipped": test in self._skipped,
                "shows": {feature_id: sorted(steps) for feature_id, steps in sorted(shows.items())},
            }
            for test, shows in sorted(self._shows.items())
        }
        out = self._config.rootpath / "out"
        out.mkdir(exist_ok=True)
        (out / "features.json").write_text(json.dumps({"tests": tests}, indent=1) + "\n", encoding="utf-8")

    def _whole_run(self, exitstatus: int) -> bool:
        option: Any = self._config.option
        narrowed = (
            "keyword", "markexpr", "lf", "failedfirst", "stepwise", "deselect", "ignore", "ignore_glob",
            "collectonly", "maxfail",
        )  # fmt: skip
        return (
            not self._uncollected
            and self._config.args_source is pytest.Config.ArgsSource.TESTPATHS
            and not any(getattr(option, name, None) for name in narrowed)
            and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        )


def _test(node_id: str) -> str:
    """`tests/a.py::test_b[x-1]` -> `tests/a.py::test_b`; pytest-xdist's `@group` suffix goes too."""
    head, separator, name = node_id.rpartition("::")
    return Path(head).as_posix() + separator + name.partition("[")[0].partition("@")[0]
