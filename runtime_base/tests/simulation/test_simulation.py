"""`rspp simulate` keeps its own promises: it repeats itself, it finds, it makes small, it tells."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rspp_runtime.abi import Handler, Inbound, Op, Output, Session, Signal
from rspp_runtime.cli.app import run_app
from rspp_runtime.reference import Session as Pure
from rspp_runtime.simulation.campaign import simulate
from rspp_runtime.simulation.faults import FAULTS, parse
from rspp_runtime.simulation.invariants import NAMES
from rspp_runtime.simulation.minimise import minimise, replay
from rspp_runtime.simulation.picture import picture
from rspp_runtime.simulation.tables import tables
from rspp_runtime.simulation.tally import percentile

STUB = Path(__file__).parents[1] / "stub"
if str(STUB) not in sys.path:
    sys.path.insert(0, str(STUB))

from plans import assistant, patience, tollgate, workshop  # noqa: E402

PLANS = {"assistant": assistant(), "patience": patience(), "tollgate": tollgate(), "workshop": workshop()}


class LosesAClose(Pure):
    """A twin with a bug: the third turn is never closed."""

    def drain(self) -> list[Output]:
        return [
            output
            for output in super().drain()
            if not (output.op == Op.DECISION and output.code == Signal.CLOSE and output.turn == 3)
        ]


def opener_of(plan: Any, factory: Any = Pure) -> Any:
    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        return [factory(plan, session_id, epoch, list(handlers) or [None, None])]

    return opener


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("faults", ["none", *FAULTS, "all"])
def test_the_twin_keeps_every_promise(name: str, faults: str) -> None:
    plan = PLANS[name]
    tally, found = simulate(plan, opener_of(plan), turns=8, seed=100, faults=parse(faults))
    assert found is None, found.violation if found else ""
    assert tally.turns >= 8
    wanted = set(parse(faults))
    assert {fault for fault, _ in tally.faults} <= wanted


def test_a_case_is_a_function_of_its_seed() -> None:
    plan = PLANS["assistant"]
    one, other = (simulate(plan, opener_of(plan), turns=8, seed=5, faults=parse("all"))[0] for _ in range(2))
    assert one == other


def test_turns_are_real() -> None:
    """The median has a hundred data events and an invocation; a third is disturbed (the page promises 30 %)."""
    plan = PLANS["assistant"]
    tally, _ = simulate(plan, opener_of(plan), turns=60, seed=1, faults=parse("all"))
    assert percentile(tally.sizes, 50) >= 100
    assert percentile(tally.calls, 50) >= 1
    assert tally.disturbed / tally.turns >= 0.3


def test_a_find_is_made_small_and_repeats() -> None:
    plan = PLANS["assistant"]
    read, opener = tables(plan), opener_of(plan, LosesAClose)
    _, found = simulate(plan, opener, turns=200, seed=1, faults=())
    assert found is not None
    assert found.violation.name in NAMES
    small = minimise(plan, read, opener, found.seed, found.trace, found.violation, seconds=10)
    assert len(small) < len(found.trace) / 10
    again = replay(plan, read, opener, found.seed, small)
    assert again is not None
    assert again.name == found.violation.name
    assert replay(plan, read, opener_of(plan), found.seed, small) is None
    assert "<svg" in picture(plan, read, opener, found.seed, small)


def test_every_trace_of_the_world_is_a_legal_use_without_it() -> None:
    """Delta debugging rests on it: parts of a trace break no promise of a right kernel."""
    plan = PLANS["assistant"]
    read, opener = tables(plan), opener_of(plan)
    _, found = simulate(plan, opener_of(plan, LosesAClose), turns=200, seed=2, faults=parse("all"))
    assert found is not None
    for start in range(0, 7):
        part = [action for index, action in enumerate(found.trace) if index % 7 != start]
        assert replay(plan, read, opener, found.seed, part) is None


def test_unknown_faults_are_named() -> None:
    with pytest.raises(ValueError, match="there is no F9"):
        parse("F1,F9")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as leave:
        run_app(list(arguments))
    out, err = capsys.readouterr()
    return int(leave.value.code or 0), out, err


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package around a stub plan, with the twin; BROKEN=1 gives it the bug."""
    folder = tmp_path / "src" / "simulated_stub"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(STUB)!r})\n"
        "from plans import assistant\n"
        "from rspp_runtime.reference import Session\n"
        "PLAN, PROVIDERS, HANDLERS = assistant(), {}, {}\n"
        "TEMPLATE_HASH = PLAN.template_hash\n"
        "def open_session(session_id, epoch, handlers=(), kernel=None):\n"
        "    if kernel == 'compiled': raise ImportError('none here')\n"
        "    from rspp_runtime.abi import Op, Signal\n"
        "    session = Session(PLAN, session_id, epoch, handlers)\n"
        "    if not os.environ.get('BROKEN'): return session\n"
        "    drain = session.drain\n"
        "    def no_close():\n"
        "        return [o for o in drain() if not (o.op == Op.DECISION and o.code == Signal.CLOSE)]\n"
        "    session.drain = no_close\n"
        "    return session\n",
        encoding="utf-8",
    )
    monkeypatch.delitem(sys.modules, "simulated_stub", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return str(tmp_path)


def test_the_command_tells_figures(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "simulate", package, "--turns", "20", "--kernel", "pure")
    assert code == 0
    assert "turns/s" in out
    assert "data events    median" in out
    code, out, _ = run(capsys, "simulate", package, "--turns", "20", "--kernel", "pure", "--json", "--faults", "F3,F1")
    figures = json.loads(out)
    assert code == 0
    assert figures["violation"] is None
    assert figures["faults_asked"] == ["F1", "F3"]
    assert figures["turns"] >= 20


def test_the_command_shows_a_violation(
    package: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BROKEN", "1")
    drawn = tmp_path / "out" / "find.html"
    code, _, err = run(capsys, "simulate", package, "--turns", "20", "--kernel", "pure", "--picture", str(drawn))
    assert code == 1
    assert "violation of" in err
    assert f"again: rspp simulate {package} --turns 1 --seed 1 --faults all --kernel pure" in err
    assert drawn.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--faults", "F12"], 2, "there is no F12"),
        (["--turns", "0"], 2, "--turns"),
        (["--jobs", "0"], 2, "--jobs"),
        (["--kernel", "compiled"], 1, "no compiled kernel"),
    ],
)
def test_the_command_says_what_is_wrong(
    package: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    ended, _, err = run(capsys, "simulate", package, *arguments)
    assert ended == code
    assert told in err


def test_an_input_is_shown_on_one_line() -> None:
    from rspp_runtime.simulation.show import show_input

    assert show_input(Inbound(2, 7, 0, 4, 1, payload=b"x"), PLANS["assistant"]) == (
        "CHUNK voice.audio invocation=4 epoch=1 1B"
    )


def figures_of(out: str) -> dict[str, Any]:
    """Without what a clock says."""
    figures: dict[str, Any] = json.loads(out)
    return {key: value for key, value in figures.items() if key not in ("seconds", "turns_per_second")}


def test_several_processes_give_the_figures_of_one(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for jobs in ("1", "2"):
        code, out, _ = run(capsys, "simulate", package, "--turns", "40", "--kernel", "pure", "--json", "--jobs", jobs)
        assert code == 0
        told.append(figures_of(out))
    assert told[0] == told[1]
    assert told[0]["next_seed"] == 1 + told[0]["cases"]


def test_several_processes_find_the_first_case(
    package: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "1")
    seeds = []
    for jobs in ("1", "2"):
        code, out, _ = run(capsys, "simulate", package, "--turns", "40", "--kernel", "pure", "--json", "--jobs", jobs)
        assert code == 1
        seeds.append((json.loads(out)["violation"]["seed"], json.loads(out)["violation"]["invariant"]))
    assert seeds[0] == seeds[1]


def test_a_run_goes_on_where_another_stopped(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The cases of two runs, the second from where the first ended, are those of one."""

    def figures(turns: int, seed: int) -> dict[str, Any]:
        arguments = ("--turns", str(turns), "--seed", str(seed), "--kernel", "pure", "--json")
        return figures_of(run(capsys, "simulate", package, *arguments)[1])

    first = figures(20, 1)
    second = figures(20, first["next_seed"])
    whole = figures(first["turns"] + second["turns"], 1)
    assert whole["turns"] == first["turns"] + second["turns"]
    assert whole["actions"] == first["actions"] + second["actions"]
    assert whole["next_seed"] == second["next_seed"]
