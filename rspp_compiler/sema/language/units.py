"""Units: what a number with a unit is in base units, and how a base value is written in the language."""

from __future__ import annotations

from decimal import Decimal

from rspp_compiler.sema.language.catalog import Setting, Type

DURATIONS = {
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
SIZES = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
RATES = {"Hz": 1, "kHz": 1_000}
COUNTS = {"items": 1, "chars": 1, "tokens": 1, "words": 1}
MONEY = {"usd": 1_000_000}
UNITS: dict[Type, dict[str, int]] = {
    "duration": DURATIONS, "bytes": SIZES, "rate": RATES, "percent": {"%": 1}, "money": MONEY, "gain": {"dB": 1},
}  # fmt: skip
EVERY_UNIT = {unit: type for type, units in UNITS.items() for unit in units}
WHAT: dict[Type, str] = {
    "duration": "a duration",
    "bytes": "a size",
    "rate": "a rate",
    "percent": "a percentage",
    "money": "an amount of money",
    "gain": "a gain",
}
ALIASES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds", "S"), "s"),
    **dict.fromkeys(("msec", "msecs", "millis", "MS", "milliseconds"), "ms"),
    **dict.fromkeys(("usec", "micros"), "us"),
    **dict.fromkeys(("m", "mins", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("b", "bytes"), "B"),
    **dict.fromkeys(("kb", "KB", "k", "KiB"), "kB"),
    **dict.fromkeys(("mb", "MiB"), "MB"),
    **dict.fromkeys(("gb", "GiB"), "GB"),
    **dict.fromkeys(("hz",), "Hz"),
    **dict.fromkeys(("khz", "KHz"), "kHz"),
    **dict.fromkeys(("db", "DB"), "dB"),
    **dict.fromkeys(("USD", "dollars", "usdollars"), "usd"),
    "percent": "%",
}


def likely_unit(type: Type, number: Decimal) -> str:
    """The unit that somebody who wrote the bare number will have meant."""
    if type == "duration":
        return "s" if number < 20 else "ms"
    if type == "rate":
        return "kHz" if number < 1000 else "Hz"
    return {"bytes": "kB", "percent": "%", "money": "usd", "gain": "dB"}[type]


def show_ns(nanoseconds: int) -> str:
    """A duration as the language writes it: `300ms`, `2s`, `7d`."""
    for unit in ("d", "h", "s"):
        if nanoseconds >= DURATIONS[unit] and nanoseconds % DURATIONS[unit] == 0:
            return f"{nanoseconds // DURATIONS[unit]}{unit}"
    for unit in ("ms", "us"):
        if nanoseconds >= DURATIONS[unit] and nanoseconds % (DURATIONS[unit] // 1000) == 0:
            return f"{Decimal(nanoseconds) / DURATIONS[unit]:f}{unit}"
    return f"{nanoseconds}ns" if nanoseconds else "0ms"


def show_bytes(size: int) -> str:
    """A size as the language writes it: `4096B`, `64kB`."""
    unit = next((unit for unit in ("GB", "MB", "kB") if size and size % SIZES[unit] == 0), "B")
    return f"{size // SIZES[unit]}{unit}"


def show(setting: Setting, value: float) -> str:
    """A number as its setting is written in the language."""
    if setting.type == "duration":
        return show_ns(int(value))
    if setting.type == "bytes":
        return show_bytes(int(value))
    if setting.type == "rate":
        return f"{value / 1000:g}kHz" if value >= 1000 else f"{value:g}Hz"
    if setting.type == "money":
        return f"{Decimal(int(value)) / MONEY['usd']:f}usd"
    number = str(int(value)) if value == int(value) else f"{value:g}"
    return number + {"percent": "%", "gain": "dB"}.get(setting.type, "") + (f" {setting.noun}" if setting.noun else "")
