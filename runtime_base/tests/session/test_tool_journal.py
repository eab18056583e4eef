"""The journal of tools with `once`: what it knows after a crash, at any byte (docs/tools.md, Once)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rspp_runtime.tools.journal import UNKNOWN, Journal, JournalError

ARGUMENTS = {"number": 7}


def test_a_key_is_of_the_session_the_tool_and_the_arguments() -> None:
    """The order in which arguments stand is none of it."""
    one, other = Journal("a"), Journal("b")
    assert one.key("refund", {"x": 1, "y": 2}) == one.key("refund", {"y": 2, "x": 1})
    keys = {
        one.key("refund", ARGUMENTS), one.key("find", ARGUMENTS), one.key("refund", {}), other.key("refund", ARGUMENTS)
    }  # fmt: skip
    assert len(keys) == 4


def test_it_knows_what_ran(tmp_path: Path) -> None:
    path = tmp_path / "call.tools"
    journal = Journal("s", path)
    key = journal.key("refund", ARGUMENTS)
    assert journal.begin(key, "refund", ARGUMENTS) is None
    journal.end(key, {"result": {"paid": 7}})
    assert journal.begin(key, "refund", ARGUMENTS) == {"result": {"paid": 7}}
    journal.close()
    assert Journal("s", path).begin(key, "refund", ARGUMENTS) == {"result": {"paid": 7}}


def test_what_began_before_a_kill_is_never_begun_again(tmp_path: Path) -> None:
    """A process dies while the function runs: the key was on the disk before."""
    path = tmp_path / "call.tools"
    died = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; from pathlib import Path; from rspp_runtime.tools.journal import Journal\n"
            "j = Journal('s', Path(sys.argv[1])); j.begin(j.key('refund', {'number': 7}), 'refund', {'number': 7})\n"
            "os.kill(os.getpid(), 9)",
            str(path),
        ],
        check=False,
    )
    assert died.returncode == -9
    journal = Journal("s", path)
    assert journal.begin(journal.key("refund", ARGUMENTS), "refund", ARGUMENTS) == {"error": UNKNOWN}


def test_torn_at_any_byte_it_knows_what_was_whole(tmp_path: Path) -> None:
    """And goes on behind it: a record that was not whole had not begun to run, or its outcome is unknown."""
    path = tmp_path / "call.tools"
    journal = Journal("s", path)
    key = journal.key("refund", ARGUMENTS)
    begun_at = path.stat().st_size
    journal.begin(key, "refund", ARGUMENTS)
    ended_at = path.stat().st_size
    journal.end(key, {"result": 7})
    journal.close()
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        again = Journal("s", path)
        known = again.begin(key, "refund", ARGUMENTS)
        assert known == (None if size < ended_at else {"error": UNKNOWN}), size
        if known is None:
            again.end(key, {"result": 8})
        again.close()
        if size >= begun_at and known is None:
            assert Journal("s", path).begin(key, "refund", ARGUMENTS) == {"result": 8}


def test_what_was_not_done_frees_its_key(tmp_path: Path) -> None:
    path = tmp_path / "call.tools"
    journal = Journal("s", path)
    key = journal.key("refund", ARGUMENTS)
    journal.begin(key, "refund", ARGUMENTS)
    journal.end(key, {"undone": "closed", "error": "closed"})
    journal.close()
    assert Journal("s", path).begin(key, "refund", ARGUMENTS) is None


@pytest.mark.parametrize("at", [3, 20, 70, 100])
def test_one_that_was_changed_is_refused(at: int, tmp_path: Path) -> None:
    """With whole records behind the place, it is no torn end."""
    path = tmp_path / "call.tools"
    journal = Journal("s", path)
    for number in range(4):
        key = journal.key("refund", {"number": number})
        journal.begin(key, "refund", {"number": number})
        journal.end(key, {"result": number})
    journal.close()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(JournalError) as caught:
        Journal("s", path)
    assert str(path) in str(caught.value)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "call.tools"
    Journal("s", path).close()
    assert path.stat().st_mode & 0o077 == 0
