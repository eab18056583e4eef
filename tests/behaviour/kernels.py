"""Both kernels of the stub plans, built once."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

STUB = Path(__file__).parents[2] / "runtime_base" / "tests" / "stub"
if str(STUB) not in sys.path:
    sys.path.insert(0, str(STUB))

from build import build, committed  # noqa: E402
from plans import PLANS  # noqa: E402

from rspp_runtime.abi import Plan, Session  # noqa: E402
from rspp_runtime.reference import Session as Pure  # noqa: E402

Factory = Callable[..., Session]


@functools.cache
def compiled(name: str) -> Factory:
    """The session class of a stub's compiled kernel."""
    factory: Factory = build(name, committed(name)).Session
    return factory


@functools.cache
def plan_of(name: str) -> Plan:
    """A stub's plan, with the size of the compiled kernel's block."""
    plan = PLANS[name]()
    session = compiled(name)(plan, "size", 1, [None, None])
    return dataclasses.replace(plan, memory_bytes=session.stats()["memory_bytes"])


def pure(name: str) -> Factory:
    """The twin, which executes any plan."""
    return Pure
