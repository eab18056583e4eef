"""`rspp contracts validate`: samples against the contracts."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure
from rspp_runtime.contracts.validation import NoSamples, Sample, as_data
from rspp_runtime.contracts.validation import validate as look_at

_WAS = {
    ("valid", "invalid"): "is said to be valid, and is refused",
    ("invalid", "valid"): "is said to be invalid, and nothing is wrong with it",
    ("valid", "unread"): "cannot be read",
    ("invalid", "unread"): "cannot be read",
}


def validate(folder: Path, json: bool) -> None:
    """Raises `Failure`, and `SystemExit` with exit code 1 if a sample is not what its folder says."""
    try:
        found, passed_over = look_at(folder)
    except NoSamples as error:
        raise Failure(EXIT_USAGE, _printable(str(error))) from None
    if json:
        print(json_module.dumps(as_data(found, passed_over), indent=2))
    else:
        for sample in found:
            print("\n".join(_lines(sample)))
        wrong = sum(not sample.is_as_expected for sample in found)
        print(f"\n{len(found)} samples: {len(found) - wrong} as expected, {wrong} not")
        for name in passed_over:
            print(f"note: {_printable(name)} is no artifact, and was not looked at", file=sys.stderr)
    if not all(sample.is_as_expected for sample in found):
        raise SystemExit(EXIT_FINDINGS)


def _lines(sample: Sample) -> list[str]:
    """What was expected and found of one sample; every rule that it breaks, with the place."""
    file = _printable(sample.file)
    if sample.is_as_expected:
        first = f"ok     {file}: {'taken' if sample.expected == 'valid' else 'refused'}"
    else:
        first = f"WRONG  {file} {_WAS[sample.expected, sample.found]}"
    return [first, *(f"       {finding.line}:{finding.column}  {_printable(finding.message)}{_at(finding.path)}"
                     for finding in sample.findings)]  # fmt: skip


def _at(path: str) -> str:
    """The path of a field that stands in another one; of others the message says the name."""
    return f"  ({_printable(path)})" if "." in path else ""


def _printable(text: str) -> str:
    """Names of files and fields may hold anything: bytes that are no text, and what moves a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
