"""What a server's log says when new sessions are kept out: that it is so, and how many, however many come."""

from __future__ import annotations

import logging

import pytest

from rspp_runtime.serving.admission import MS_NS, Admission, Limits
from rspp_runtime.serving.operations import REFUSALS_EVERY, Overload


@pytest.mark.feature("NF-006", "visible")
def test_overload_is_told_and_the_end_of_it(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(Limits(lag_ns_max=60 * MS_NS))
    overload = Overload(admission)
    with caplog.at_level(logging.WARNING):
        for lag_ms in (10, 61, 80, 61, 31, 20, 10):
            overload.lag(lag_ms * MS_NS)
    assert [record.message for record in caplog.records] == [
        "the loop is late: nobody new is taken",
        "the loop is in time again",
    ]


@pytest.mark.feature("NF-006", "visible")
@pytest.mark.feature("F-098", "observable")
def test_refusals_are_a_line_for_each_reason_however_many(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(Limits(sessions_max=1, attempts_per_s_max=10))
    overload = Overload(admission)
    admission.opened("acme")
    for number in range(1_000):
        admission.knock("10.0.0.1", number)
        admission.ask("acme", "", number * 1_000 * MS_NS)
    with caplog.at_level(logging.WARNING):
        for _ in range(3 * REFUSALS_EVERY):
            overload.lag(0)
    told = {record.__dict__["reason"]: record.__dict__["count"] for record in caplog.records}
    assert told == {"attempt_rate": 990, "capacity": 1_000}
    assert len(caplog.records) == 2
