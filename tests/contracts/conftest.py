"""A recorded session of the runtime, by the fixtures of its own tests."""

from __future__ import annotations

from pathlib import Path

from loading import module_of

_module = module_of("rspp_recorded", Path(__file__).parents[2] / "runtime_base" / "tests" / "evidence" / "conftest.py")

record = _module.record
scripted = _module.scripted
