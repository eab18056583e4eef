"""A recorded session of the runtime, by the fixtures of its own tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_FIXTURES = Path(__file__).parents[2] / "runtime_base" / "tests" / "evidence" / "conftest.py"
_spec = importlib.util.spec_from_file_location("rspp_recorded", _FIXTURES)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

record = _module.record
scripted = _module.scripted
