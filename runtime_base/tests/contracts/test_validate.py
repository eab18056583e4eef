"""`rspp contracts validate`: what it says of a folder, in text and as JSON, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rspp_runtime.cli.app import run_app

OUTCOME = {
    "outcome_kind": "admit", "phase": "pre_turn", "scope": "session", "session_id": "s", "event_id": "s/e1",
    "runtime_timestamp_ms": 1, "wall_clock_timestamp_ms": 1, "emitted_by": "RK-25", "reason": "admitted",
}  # fmt: skip
STEP = {"from_state": "Opening", "trigger": "turn_open", "to_state": "Active", "deterministic": True}


def put(folder: Path, file: str, data: object) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data, indent=1).encode())


def rspp(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        run_app(["contracts", "validate", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    assert "Traceback" not in err
    return left.value.code, out, err


def test_all_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "decision_outcome/valid/admitted.json", OUTCOME)
    put(tmp_path, "decision_outcome/invalid/guard.json", OUTCOME | {"emitted_by": "RK-24"})
    put(tmp_path, "turn_transition/valid/opens.json", STEP)
    code, out, err = rspp(capsys, tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ok     decision_outcome/valid/admitted.json: taken",
        "ok     decision_outcome/invalid/guard.json: refused",
        "       9:16  `emitted_by` is `RK-25` or `CP-05` where `outcome_kind` is `admit`, not `RK-24`",
        "ok     turn_transition/valid/opens.json: taken",
        "",
        "3 samples: 3 as expected, 0 not",
    ]


def test_a_valid_one_that_is_refused_and_an_invalid_one_that_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "turn_transition/valid/leaps.json", STEP | {"from_state": "Idle"})
    put(tmp_path, "turn_transition/invalid/opens.json", STEP)
    code, out, _ = rspp(capsys, tmp_path)
    assert code == 1
    assert "WRONG  turn_transition/valid/leaps.json is said to be valid, and is refused" in out
    assert "`trigger` is `turn_open_proposed` where `from_state` is `Idle`, not `turn_open`" in out
    assert "WRONG  turn_transition/invalid/opens.json is said to be invalid, and nothing is wrong with it" in out
    assert out.endswith("2 samples: 0 as expected, 2 not\n")


@pytest.mark.parametrize("file", ["turn_transition/valid/a.json", "turn_transition/invalid/a.json"])
def test_either_alone_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str) -> None:
    put(tmp_path, file, STEP if "invalid" in file else {})
    assert rspp(capsys, tmp_path)[0] == 1


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "turn_transition/valid/again.json", b'{"from_state": "Idle",\n "from_state": "Idle"}')
    put(tmp_path, "turn_transition/invalid/none.json", {k: v for k, v in STEP.items() if k != "trigger"})
    put(tmp_path, "evnet/valid/a.json", {})
    code, out, _ = rspp(capsys, tmp_path, "--json")
    assert code == 1
    assert json.loads(out) == {
        "files": [
            {
                "file": "turn_transition/valid/again.json", "artifact": "turn_transition", "expected": "valid",
                "found": "invalid", "as_expected": False,
                "findings": [{
                    "line": 2, "column": 2, "path": "", "rule": "json", "message": "`from_state` stands here twice",
                }],
            },
            {
                "file": "turn_transition/invalid/none.json", "artifact": "turn_transition", "expected": "invalid",
                "found": "invalid", "as_expected": True,
                "findings": [{
                    "line": 1, "column": 1, "path": "trigger", "rule": "trigger__required",
                    "message": "`trigger` is missing",
                }],
            },
        ],
        "passed_over": ["evnet/"],
        "as_expected": 1,
        "not_as_expected": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"{" * 100_000, b"\xff\xfe{}", b'{"a": 1, "a": 1}', b"NaN", b"[1e999]", b'"\\ud800"', b"[]", b"null",
     b"7" * 9000, b" " * (2 << 20)],
)  # fmt: skip
def test_rubbish_is_a_finding_with_a_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    for kind in ("valid", "invalid"):
        put(tmp_path, f"event/{kind}/a.json", data)
    code, out, err = rspp(capsys, tmp_path, "--json")
    valid, invalid = json.loads(out)["files"]
    assert (code, err) == (1, "")
    assert (valid["as_expected"], invalid["as_expected"]) == (False, True)
    (finding,) = valid["findings"]
    assert finding["line"] >= 1 <= finding["column"]
    assert finding["message"]


def test_what_cannot_be_opened_is_neither(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe is not waited for."""
    put(tmp_path, "event/invalid/folder.json/a.txt", {})
    (tmp_path / "event/invalid/link.json").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "event/invalid/pipe.json")
    code, out, _ = rspp(capsys, tmp_path)
    assert code == 1
    assert out.count("cannot be read") == 3
    assert "the link leads nowhere" in out
    assert out.count("this is no file") == 2


def test_names_that_are_no_text_and_would_move_the_cursor(tmp_path: Path) -> None:
    """In a process of its own: what a terminal would get."""
    put(tmp_path, "turn_transition/valid/a.json", STEP | {"\x1b[2J": 1})
    name = os.fsencode(tmp_path / "turn_transition" / "invalid")
    os.mkdir(name)  # noqa: PTH102 - a name in bytes
    with open(os.path.join(name, b"\xff.json"), "wb") as file:  # noqa: PTH118, PTH123 - a name in bytes
        file.write(b"{}")
    command = [sys.executable, "-m", "rspp_runtime.cli", "contracts", "validate", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "\x1b" not in done.stdout
    assert "\\udcff.json: refused" in done.stdout


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "holds no sample; they are expected at <artifact>/<valid|invalid>/*.json"),
        (("event/a.json", "events/valid/a.json", "event/valid/a.txt"), "holds no sample"),
    ],
)
def test_a_folder_without_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: tuple[str, ...], said: str
) -> None:
    for file in files:
        put(tmp_path, file, {})
    code, out, err = rspp(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no such folder" in rspp(capsys, tmp_path / "gone")[2]
    put(tmp_path, "file", {})
    code, _, err = rspp(capsys, tmp_path / "file")
    assert (code, "this is no folder" in err) == (2, True)
    assert rspp(capsys)[0] == 2


def test_what_lies_beside_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "turn_transition/valid/a.json", STEP)
    put(tmp_path, "turn_transitions/valid/a.json", {})
    code, _, err = rspp(capsys, tmp_path)
    assert (code, err) == (0, "note: turn_transitions/ is no artifact, and was not looked at\n")
