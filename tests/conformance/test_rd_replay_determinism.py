"""RD: the same inputs give the same decisions: twice, on either kernel, and from the log alone (CONTRACTS §8)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kernels import compiled, plan_of, pure
from recorded import Recorded, header, is_signal, play
from test_corpus_agreement import for_runtime

from good_corpus import compiled as corpus
from pipelines import value
from rspp_runtime.abi import Op, Signal
from rspp_runtime.abi.plan import Plan
from rspp_runtime.cli.app import run_app
from rspp_runtime.evidence.entries import Input, Log, Out
from rspp_runtime.evidence.plans import plans
from rspp_runtime.evidence.replay import Divergence, Report, replay
from rspp_runtime.reference import Session as Pure

NAME = "stub_assistant"
SEEDS = 15
KERNELS = {"compiled": compiled, "pure": pure}


def record(plan: Plan, kernel_name: str, seed: int, log: Path, level: str = "L0") -> Recorded:
    session = KERNELS[kernel_name](NAME)(plan, "call", 1, [])
    return play(plan, session, seed, log, header(plan, "call", kernel_name, level), in_steps=True)


def again(log: Log, kernel_name: str, plan: Plan) -> Report:
    return replay(
        log, plan, lambda session, epoch, handlers: KERNELS[kernel_name](NAME)(plan, session, epoch, handlers)
    )


@pytest.mark.feature("F-140", "same")
@pytest.mark.parametrize("level", ["L0", "L2"])
@pytest.mark.parametrize("other", KERNELS)
def test_what_one_kernel_recorded_the_other_decides_again(
    kernel_name: str, other: str, level: str, tmp_path: Path
) -> None:
    plan = plan_of(NAME)
    decisions = 0
    for seed in range(SEEDS):
        report = again(record(plan, kernel_name, seed, tmp_path / f"{seed}.log", level).log(), other, plan)
        assert report.identical, (seed, report.differences[:1])
        assert report.level == level
        decisions += report.decisions
    assert decisions > 500


def test_the_same_inputs_give_the_same_log_record_for_record(kernel_name: str, tmp_path: Path) -> None:
    """The files differ in the identity of the log, which the checksums of its records carry on."""
    plan = plan_of(NAME)
    for seed in range(SEEDS):
        one, two = (record(plan, kernel_name, seed, tmp_path / name).log() for name in ("one.log", "two.log"))
        assert (one.header, one.entries) == (two.header, two.entries), seed


def eventful(plan: Plan, kernel_name: str, folder: Path) -> Log:
    """The first schedule whose log has a turn that opened and was aborted."""
    for seed in range(100):
        log = record(plan, kernel_name, seed, folder / f"{seed}.log").log()
        met = {row.code for row in log.entries if isinstance(row, Out) and row.op == Op.DECISION}
        if {Signal.TURN_OPEN, Signal.ABORT, Signal.STALE_EPOCH_REJECT} <= met:
            return log
    raise AssertionError("no schedule has all of them")


def with_changed(log: Log, signal: Signal, **fields: Any) -> Log:
    """The same log, with the first decision of that signal changed."""
    at = next(at for at, row in enumerate(log.entries) if isinstance(row, Out) and is_signal(row, signal))  # type: ignore[arg-type]
    rows = list(log.entries)
    rows[at] = rows[at]._replace(**fields)  # type: ignore[union-attr]
    return replace(log, entries=type(log.entries)(rows))


@pytest.mark.feature("NF-009", "tolerance")
@pytest.mark.parametrize(
    ("signal", "fields", "kind"),
    [
        (Signal.TURN_OPEN, {"payload": bytes(32)}, Divergence.PLAN),
        (Signal.ABORT, {"code": Signal.COMMIT}, Divergence.OUTCOME),
        (Signal.ABORT, {"t_ns": 1}, Divergence.TIMING),
        (Signal.STALE_EPOCH_REJECT, {"x": 99}, Divergence.AUTHORITY),
    ],
)
def test_a_changed_decision_is_reported_by_its_class(
    signal: Signal, fields: dict[str, Any], kind: Divergence, kernel_name: str, tmp_path: Path
) -> None:
    plan = plan_of(NAME)
    log = with_changed(eventful(plan, kernel_name, tmp_path), signal, **fields)
    report = again(log, kernel_name, plan)
    assert not report.identical
    assert report.differences[0].kind == kind
    assert (report.differences[0].diff_ms > 0) == (kind == Divergence.TIMING)


def test_a_changed_header_attribute_of_an_input_is_reported(kernel_name: str, tmp_path: Path) -> None:
    """An input that came under another epoch would have been refused."""
    plan = plan_of(NAME)
    log = eventful(plan, kernel_name, tmp_path)
    rows = list(log.entries)
    at = next(at for at, row in enumerate(rows) if isinstance(row, Input) and row.result == 0 and row.op == 1)
    rows[at] = rows[at]._replace(epoch=77)  # type: ignore[union-attr]
    assert not again(replace(log, entries=type(log.entries)(rows)), kernel_name, plan).identical


@pytest.mark.feature("F-150", "fields", "inputs")
def test_what_makes_it_exact_goes_with_each_turn(tmp_path: Path) -> None:
    """A pipeline with a merge: the plan of a turn says by which rule, what orders, and what came from outside."""
    frozen = value(corpus("second_opinion"), "freeze")
    plan = for_runtime(frozen.layout.plan)
    session = Pure(plan, "call", 1, [None] * sum(node.handler >= 0 for node in plan.nodes))
    head = replace(header(plan, "call", "pure"), seed=7)
    exported = list(plans(play(plan, session, 3, tmp_path / "x.log", head, in_steps=True).log(), frozen.resolved_plan))
    assert exported
    for one in exported:
        made = one["determinism"]
        assert (made["seed"], made["merge_rule_version"]) == (7, "v1.0")
        assert made["merge_rule_id"].startswith("merge.")
        assert "runtime_sequence" in made["ordering_markers"]
        assert {given["source"] for given in made["nondeterministic_inputs"]}


def test_the_plan_hash_is_the_same_in_another_process(kernel: Callable[[str], Any]) -> None:
    """Hashing seeds, orders of sets and addresses differ between processes: none of them enters."""
    here = str(Path(__file__).parents[1] / "behaviour")
    code = (
        f"import sys; sys.path.insert(0, {here!r})\n"
        "from conversation import Conversation\nfrom kernels import plan_of, pure\n"
        "talk = Conversation(pure('stub_assistant')(plan_of('stub_assistant'), 'call', 3, []))\n"
        "talk.epoch = 3\ntalk.connect(greet=True)\n"
        "print([o.payload.hex() for o in talk.outputs if len(o.payload) == 32][0])"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("0", "1")
    }
    from conversation import Conversation

    talk = Conversation(kernel(NAME)(plan_of(NAME), "call", 3, []))
    talk.epoch = 3
    talk.connect(greet=True)
    (opened,) = [output for output in talk.outputs if is_signal(output, Signal.TURN_OPEN)]
    assert hashes == {bytes(opened.payload).hex()}


@pytest.mark.parametrize("other", ["compiled", "pure"])
def test_a_whole_conversation_replays_by_the_command(
    stage: Any, package: Path, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With drivers, providers and evidence, at L2: bit for bit, on either kernel."""
    seen = stage.play(stage.interrupts(), llm=stage.scripted.answer(stage.scripted.LONG))
    with pytest.raises(SystemExit) as left:
        run_app(["replay", str(seen.log), "--package", str(package), "--kernel", other])
    out = capsys.readouterr().out
    assert left.value.code == 0
    assert "proved: L2: every decision, and every output bit for bit" in out
