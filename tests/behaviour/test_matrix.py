"""Every pair of state and input is handled, or refused with a diagnostic; docs/simulation.md says which."""

from __future__ import annotations

import pytest
from matrix import DIAGNOSTICS, INPUTS, PAGE, STATES, answer, table, written

from rspp_runtime.abi import Op, Result


@pytest.mark.parametrize("state", STATES)
def test_every_input_is_handled_or_refused_with_a_diagnostic(state: str) -> None:
    """Both kernels agree, all invariants hold (the machine checks them), and a refusal says why."""
    for given in INPUTS:
        result, outputs = answer(state, given)
        assert result != Result.FULL, given
        if result == Result.REFUSED:
            told = {output.code for output in outputs if output.op == Op.DECISION}
            assert told & DIAGNOSTICS, given


def test_the_page_shows_this_table() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, table()), "python tests/behaviour/matrix.py --write"
