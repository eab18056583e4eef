"""Execution profiles: the values a pipeline need not say, each with the line that gives it."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources

from rspp_compiler.ir.bound import Valued
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.language.units import COUNTS, DURATIONS, RATES, SIZES
from rspp_compiler.source import Source

_UNITS = {**DURATIONS, **SIZES, **RATES, **COUNTS, "%": 1}
_NOTHING: dict[str, Valued] = {}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+|%)")
_LINE = re.compile(r'\[([\w.]+)\]|(\w+)\s*=\s*("[^"]*")')


@dataclass(frozen=True, slots=True)
class ProfileTable:
    """A profile's values by section and key, and its text, which diagnostics quote."""

    source: Source
    sections: dict[str, dict[str, Valued]]

    def get(self, key: str) -> Valued:
        """The value of `budget.turn`; `KeyError` if the profile has no such line."""
        section, _, name = key.rpartition(".")
        return self.sections[section][name]

    def section(self, name: str) -> dict[str, Valued]:
        """The values of one table, by key; empty if there is none."""
        return self.sections.get(name, _NOTHING)


@functools.cache
def profile_table(name: str) -> ProfileTable:
    """The profile `simple/v1`. Its file is plain TOML, one value a line; this only adds where each value stands."""
    file = resources.files("rspp_compiler.sema.language").joinpath("profiles", f"{name.replace('/', '_')}.toml")
    text = file.read_text(encoding="utf-8")
    source = Source(f"execution_profile/{name}", text)
    sections: dict[str, dict[str, Valued]] = {}
    section = ""
    for number in range(1, source.line_count + 1):
        line = _LINE.match(source.line(number))
        if line and line[1]:
            section = line[1]
        elif line:
            start = source.offset(number, line.start() + 1)
            span = source.span(start, start + line.end())
            written = tomllib.loads(f"value = {line[3]}")["value"]
            sections.setdefault(section, {})[line[2]] = Valued(_value(written), Origin.profile(span))
    return ProfileTable(source, sections)


def _value(written: str) -> int | float | str:
    if quantity := _QUANTITY.fullmatch(written):
        return int(Decimal(quantity[1]) * _UNITS[quantity[2]])
    if re.fullmatch(r"\d+(\.\d+)?", written):
        return float(written) if "." in written else int(written)
    return written
