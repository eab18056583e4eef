"""Where invariants are put down: which outputs, or which moments, each of them looks at.

A check is a function of the book as it was *before* the output that it is shown; it returns what is wrong, or None.
Its name is the name of the invariant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book

OutputCheck = Callable[[Book, Output], str | None]
StepCheck = Callable[[Book], str | None]


ALWAYS, IN_A_TURN, CALLS_LIVE, ITEMS_WAIT = "always", "a turn is Active", "an invocation lives", "items wait"
WHEN = (ALWAYS, IN_A_TURN, CALLS_LIVE, ITEMS_WAIT)
"""When a check of a step can find something; the machine asks once for all of them."""


@dataclass(slots=True)
class Checks:
    """The invariants of one room."""

    decisions: dict[int, list[OutputCheck]] = field(default_factory=lambda: defaultdict(list))
    requests: dict[int, list[OutputCheck]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, list[StepCheck]] = field(default_factory=lambda: defaultdict(list))  # by `WHEN`
    names: dict[str, str] = field(default_factory=dict)  # with the first line of what each says

    def on(self, *what: Signal | Op) -> Callable[[OutputCheck], OutputCheck]:
        """The check looks at decisions of these signals, and at requests of these kinds."""

        def put(check: OutputCheck) -> OutputCheck:
            self._name(check)

            for one in what:
                (self.decisions if isinstance(one, Signal) else self.requests)[int(one)].append(check)
            return check

        return put

    def after_step(self, check: StepCheck) -> StepCheck:
        """The check looks at the book when a step had nothing more to do and was drained."""
        return self.while_(ALWAYS)(check)

    def while_(self, when: str) -> Callable[[StepCheck], StepCheck]:
        """As `after_step`, for a check that has something to look at only then: see `WHEN`."""

        def put(check: StepCheck) -> StepCheck:
            self._name(check)
            self.steps[when].append(check)
            return check

        return put

    def _name(self, check: Callable[..., str | None]) -> None:
        assert check.__doc__, check.__name__
        self.names[check.__name__] = " ".join(check.__doc__.split())


def claim(checks: Checks, function: Callable[..., None]) -> Callable[..., None]:
    """Names an invariant that the machine calls itself."""
    assert function.__doc__
    checks.names[function.__name__] = " ".join(function.__doc__.split())
    return function
