"""The binary interface: its numbers, its fingerprint, its hash function."""

from __future__ import annotations

import enum
import re
from pathlib import Path

import pytest

from rspp_runtime.abi import ABI_HASH, codes, fingerprint
from rspp_runtime.providers.contract import Outcome

GROUPS: dict[str, type[enum.IntEnum] | type[enum.IntFlag]] = {
    "RESULT": codes.Result,
    "IN": codes.In,
    "CONTROL": codes.Control,
    "OP": codes.Op,
    "UNIT": codes.Unit,
    "SIGNAL": codes.Signal,
    "CAUSE": codes.Cause,
    "FOLLOW": codes.Follow,
    "CIRCUIT": codes.CircuitState,
    "SCOPE": codes.Scope,
    "BASIS": codes.Basis,
    "ATTRIBUTE": codes.Attribute,
    "CANCEL_MODE": codes.CancelMode,
    "ORIGIN": codes.Origin,
    "TURN": codes.Turn,
    "SESSION": codes.SessionState,
    "FLAG": codes.Flag,
    "OUTCOME": Outcome,
}


def test_numbers_for_c_are_those_of_python() -> None:
    text = (fingerprint.DECLARATIONS / "codes.pxd").read_text()
    written = {name: int(value) for name, value in re.findall(r"^    ([A-Z_]+) = (\d+)$", text, re.MULTILINE)}
    assert written == {f"{prefix}_{member.name}": int(member) for prefix, group in GROUPS.items() for member in group}


def test_fingerprint_is_current() -> None:
    """`python -m rspp_runtime.abi.fingerprint --write` after a change of a declaration."""
    assert fingerprint.fingerprint() == ABI_HASH


def declarations(folder: Path, body: str) -> str:
    (folder / "edges.pxd").write_text(body)
    return fingerprint.fingerprint(folder)


def test_fingerprint_sees_bodies_and_not_prose(tmp_path: Path) -> None:
    before = declarations(tmp_path, '"""Edges."""\ncdef inline int f(int x):\n    """Doc."""\n    return x   # why\n')
    assert declarations(tmp_path, '"""Other."""\n\ncdef inline int f(int x):\n    return x\n') == before
    assert declarations(tmp_path, "cdef inline int f(int x):\n    return x + 1\n") != before
    verbatim = 'cdef extern from *:\n    """\n    #define N 1\n    """\n    int N\n'
    assert declarations(tmp_path, verbatim) != declarations(tmp_path, verbatim.replace("N 1", "N 2"))


def test_write_changes_one_line_and_refuses_a_file_without_it(tmp_path: Path) -> None:
    file = tmp_path / "version.py"
    file.write_text(f'ABI_HASH = "{"0" * 64}"\n')
    assert fingerprint.write("1" * 64, file) == [file]
    assert fingerprint.write("1" * 64, file) == []
    file.write_text("nothing\n")
    with pytest.raises(ValueError, match="is needed"):
        fingerprint.write("1" * 64, file)
