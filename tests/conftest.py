"""For all tests of the project: the `feature` marks, as a plugin, so that they hold in runtime_base/tests too."""

from __future__ import annotations

import pytest

from feature_catalogue import load
from feature_marks import FeatureMarks


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FeatureMarks(config, load()), "rspp-feature-marks")
