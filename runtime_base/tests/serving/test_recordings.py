"""Recordings for operators: found by name in one folder, whole or bare, decided again as a whole or one turn."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.serving import recordings as module
from rspp_runtime.serving.recordings import BusyError, Recordings, TooLongError, UnreadableError

looking = module_of("serving_looking_recordings", Path(__file__).with_name("looking.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    looking.held(reveals=True, log=folder / "s-1.rspplog", session_id="s-1")
    return folder


@pytest.fixture
def ask(folder: Path) -> Callable[..., Any]:
    def asking(what: str, session_id: str = "s-1", *args: Any, of: Path | None = folder) -> Any:
        made = Recordings(looking.SCRIPTED.package(looking.SCRIPTED.plan()), of, None)
        return asyncio.run(getattr(made, what)(session_id, *args))

    return asking


def test_a_log_is_given_as_lines_that_the_tools_read(ask: Callable[..., Any], tmp_path: Path) -> None:
    from rspp_runtime.evidence.log import read

    path = tmp_path / "taken.jsonl"
    path.write_bytes(ask("lines", "s-1", True))
    log = read(path)
    assert log.header.session_id == "s-1"
    assert any(b"three" in (getattr(entry, "payload", None) or b"") for entry in log.entries)


def test_a_bare_log_says_nothing_that_was_said_and_still_decides_the_same(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    bare = ask("lines", "s-1", False)
    rows = [json.loads(line) for line in bare.splitlines()]
    assert [row for row in rows if row.get("payload") and row.get("op") != "DECISION"] == []
    whole = [json.loads(line) for line in ask("lines", "s-1", True).splitlines()]
    assert len([row for row in whole if row.get("payload") and row.get("op") != "DECISION"]) > 10
    (tmp_path / "s-2.rspplog").write_bytes(bare)
    assert ask("replay", "s-2", 0, of=tmp_path)["identical"]
    assert "seven" not in ask("timeline", "s-1", False)


def test_the_picture_is_a_page_with_its_texts_escaped(ask: Callable[..., Any]) -> None:
    page = ask("timeline", "s-1", True)
    assert "<svg" in page
    assert "&lt;six&gt;" in page
    assert "<six>" not in page


def test_everything_is_decided_again(ask: Callable[..., Any]) -> None:
    told = ask("replay", "s-1", 0)
    assert told["identical"]
    assert told["decisions"] > 10
    assert told["proved"].startswith("L1")
    assert told["differences"] == []


def test_one_turn_is_decided_again_with_what_led_to_it(ask: Callable[..., Any]) -> None:
    whole, first, second = (ask("replay", "s-1", turn) for turn in (0, 1, 2))
    assert first["identical"]
    assert second["identical"]
    assert 0 < first["decisions"] < whole["decisions"]
    assert first["steps"] + second["steps"] <= whole["steps"] + 2
    with pytest.raises(UnreadableError, match="turn 9 is not in the log"):
        ask("replay", "s-1", 9)


def test_a_decision_that_was_changed_is_found_in_its_turn_and_not_in_another(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    lines = ask("lines", "s-1", True).decode().splitlines()
    at = next(i for i, line in enumerate(lines) if '"ABORT"' in line)
    lines[at] = lines[at].replace('"ABORT"', '"COMMIT"')
    (tmp_path / "s-3.rspplog").write_text("\n".join(lines) + "\n")
    assert not ask("replay", "s-3", 0, of=tmp_path)["identical"]
    found = ask("replay", "s-3", 1, of=tmp_path)
    assert found["differences"][0]["class"] == "OUTCOME_DIVERGENCE"
    assert found["differences"][0]["record"] == at + 1
    assert ask("replay", "s-3", 2, of=tmp_path)["identical"]


@pytest.mark.parametrize("name", ["../s-1", "..", ".", "/etc/passwd", "s-1/../s-1", "no", "s-1.rspplog", "a\x00b"])
def test_only_a_session_of_the_folder_is_found(ask: Callable[..., Any], name: str) -> None:
    with pytest.raises((FileNotFoundError, ValueError)):
        ask("lines", name, True)


def test_a_link_out_of_the_folder_is_not_followed(ask: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    (tmp_path / "s-9.rspplog").symlink_to(folder / "s-1.rspplog")
    with pytest.raises(FileNotFoundError):
        ask("lines", "s-9", True, of=tmp_path)


def test_nothing_is_recorded_without_a_folder(ask: Callable[..., Any]) -> None:
    with pytest.raises(FileNotFoundError):
        ask("lines", "s-1", True, of=None)


def test_garbage_is_an_answer_not_an_accident(ask: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "s-4.rspplog").write_bytes(b"\x00garbage" * 100)
    for what, arg in (("lines", True), ("timeline", True), ("replay", 0)):
        with pytest.raises(UnreadableError):
            ask(what, "s-4", arg, of=tmp_path)


def test_a_log_of_another_build_cannot_be_decided_again(ask: Callable[..., Any], tmp_path: Path) -> None:
    lines = ask("lines", "s-1", True).decode().splitlines()
    head = json.loads(lines[0])
    head["template_hash"] = "f" * 64
    (tmp_path / "s-5.rspplog").write_text("\n".join([json.dumps(head), *lines[1:]]) + "\n")
    with pytest.raises(UnreadableError, match="cannot be decided again"):
        ask("replay", "s-5", 0, of=tmp_path)


def test_work_has_a_deadline(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORK_S_MAX", -1.0)
    with pytest.raises(TooLongError):
        ask("replay", "s-1", 0)
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    with pytest.raises(TooLongError):
        ask("lines", "s-1", True)


def test_so_many_wait_and_no_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    real = module.read

    def slow(path: Path) -> Any:
        gate.wait(10)
        return real(path)

    monkeypatch.setattr(module, "read", slow)

    async def crowd() -> None:
        made = Recordings(looking.SCRIPTED.package(looking.SCRIPTED.plan()), folder, None)
        asking = [asyncio.ensure_future(made.lines("s-1", True)) for _ in range(module.WAITING_MAX)]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await made.lines("s-1", True)
        gate.set()
        assert len({len(one) for one in await asyncio.gather(*asking)}) == 1
        await made.lines("s-1", True)

    asyncio.run(crowd())
