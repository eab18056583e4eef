"""For all tests of the project and of runtime_base: the `feature` marks, and no clock in hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from feature_catalogue import load
from feature_marks import FeatureMarks

# How fast the machine is, is nothing that a test finds out.
settings.register_profile(
    "rspp", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("rspp")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FeatureMarks(config, load()), "rspp-feature-marks")
