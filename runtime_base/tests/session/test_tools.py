"""Tools: what a function does, or a model asks for, hurts only the call (docs/tools.md)."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi import Edge, Node, Plan, Pool, Port, Signal
from rspp_runtime.abi.plan import Tool
from rspp_runtime.providers.contract import Invocation, ProviderError
from rspp_runtime.session import virtual
from rspp_runtime.tools import Answer
from rspp_runtime.tools.journal import UNKNOWN, Journal
from rspp_runtime.tools.runner import Runner, factory

scripted: Any = module_of("rspp_scripted", Path(__file__).with_name("scripted.py"))
MS, Party, LLM = scripted.MS, scripted.Party, scripted.LLM
FIND, PARAMS = 7, (("number", "number"), ("loud", "flag"))

USER_CODE = """
import asyncio, threading
from contextlib import suppress

from rspp_runtime.tools import NotDone

GATE = threading.Event()
calls = []

async def find(number, loud=False):
    calls.append((number, loud))
    await asyncio.sleep(0.05)
    return {"number": number, "state": "on its way"}

def refund(number, loud=False, idempotency_key=""):
    calls.append(idempotency_key)
    return {"paid": number}

def raises(number, loud=False):
    calls.append(number)
    raise ValueError("no such order")

def leaves(number, loud=False):
    raise SystemExit(3)

def returns(number, loud=False):
    return object()

def endless(number, loud=False):
    return float("inf")

def large(number, loud=False):
    return "x" * 10000

def blocks(number, loud=False):
    calls.append(number)
    GATE.wait(20)
    return "far too late"

async def stays(number, loud=False):
    try:
        while not GATE.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
    finally:
        calls.append("closed")

async def sleeps(number, loud=False):
    try:
        await asyncio.sleep(3600)
    finally:
        calls.append("woken")

def not_done(number, loud=False):
    calls.append(number)
    raise NotDone("the shop is closed")

def takes_less(number):
    return 1
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "shop_code.py").write_text(USER_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import shop_code  # type: ignore[import-not-found]

    yield shop_code
    shop_code.GATE.set()
    del sys.modules["shop_code"]


def plan(tool: Tool, timeout_ms: int = 400, calls_max: int = 3) -> Plan:
    """The scripted pipeline, whose model has one tool, and no hurry."""
    made = scripted.plan(turn_ns=60_000 * MS, turn_warning_ns=50_000 * MS)
    nodes, edges = list(made.nodes), len(made.edges)
    nodes[LLM] = replace(
        nodes[LLM],
        inputs=(*nodes[LLM].inputs, Port("answer", "call", 4096)),
        outputs=(*nodes[LLM].outputs, Port("find", "call", 2048)),
        edges_in=(*nodes[LLM].edges_in, edges + 1),
        calls_max=calls_max,
        first_output_ns=30_000 * MS,
        chunk_ns=30_000 * MS,
    )
    nodes.append(
        Node(
            id=FIND, name="find", kind="tool", execution="effect", scope="turn", line=9,
            inputs=(Port("call", "call", 2048),), outputs=(Port("result", "text", 4096),), edges_in=(edges,),
            window=1, first_output_ns=timeout_ms * MS, tool=tool,
        )
    )  # fmt: skip
    way = {"line": 9, "scope": "turn", "items_max": calls_max}
    ways = (
        Edge(id=edges, name="llm.find -> find", source=LLM, source_port=2, target=FIND, target_port=0, pool=2,
             bytes_max=calls_max * 2048, **way),
        Edge(id=edges + 1, name="find -> llm.answer", source=FIND, source_port=0, target=LLM, target_port=1, pool=3,
             bytes_max=calls_max * 4096, **way),
    )  # fmt: skip
    return replace(
        made, nodes=tuple(nodes), edges=(*made.edges, *ways),
        pools=(*made.pools, Pool("call", 2048, 99), Pool("answer", 4096, 99)),
        turn_nodes=made.turn_nodes | 1 << FIND, turn_edges=made.turn_edges | 3 << edges,
        provider_bindings=(*made.provider_bindings, ("find", "tool")),
    )  # fmt: skip


def runner(name: str, **options: Any) -> Runner:
    return factory({"reference": f"shop_code:{name}", "name": "find", "params": PARAMS, **options}, {})


class Asks:
    """A model that makes these calls, one after the other, in each of its turns; keeps what it was answered."""

    def __init__(self, *calls: dict[str, Any], name: str = "find") -> None:
        self.calls, self.name = calls, name
        self.answers: list[Answer] = []
        self.messages: list[tuple[str, str]] = []

    async def __call__(self, call: Invocation) -> None:
        self.messages = [tuple(message) for message in call.messages]
        async for _ in call.inputs():
            pass
        for arguments in self.calls:
            self.answers.append(await call.call_tool(self.name, arguments))
        await call.emit("delta", b"It is done.")


async def question(ears: Any, party: Any) -> None:
    await scripted.talk(ears, 20)
    await scripted.hush(ears, 10)
    await scripted.quiet(ears)


def talk(
    tool: Runner, asks: Asks, *, script: Callable[[Any, Any], Awaitable[None]] = question, journal: Any = None,
    **of_the_plan: Any,
) -> Any:  # fmt: skip
    """One session in virtual time."""

    async def main() -> Any:
        await tool.prepare()
        row = Tool("finds", PARAMS, once=tool._once, soft=tool._soft)
        the_plan = plan(row, **of_the_plan)
        try:
            _, watch, _ = await scripted.converse(
                Party(script), the_plan=the_plan, journal=journal, llm=asks, find=tool.invoke
            )
        finally:
            await tool.close()
        return watch

    return virtual.run(main(), virtual=True)


def ends(watch: Any) -> list[str]:
    return [Signal(one.code).name for one in watch.signals(Signal.COMMIT, Signal.ABORT)]


@pytest.mark.parametrize("name", ["find", "refund"])
def test_a_function_is_called_and_its_result_comes_back(name: str, shop: Any) -> None:
    """A coroutine runs as a task, a plain function in a thread."""
    asks = Asks({"number": 7})
    watch = talk(runner(name), asks)
    assert asks.answers[0].value in ({"number": 7, "state": "on its way"}, {"paid": 7})
    assert (asks.answers[0].error, ends(watch), len(shop.calls)) == ("", ["COMMIT"], 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "find needs the argument 'number' (number)"),
        ({"number": "seven"}, "'number' is a number, not a text"),
        ({"number": True}, "'number' is a number, not a flag"),
        ({"number": 1, "lout": True}, "find has no argument 'lout' (did you mean 'loud'?)"),
        ({"number": 1, "loud": None}, "'loud' is a flag, not nothing"),
    ],
)
def test_wrong_arguments_never_reach_it(arguments: dict[str, Any], words: str, shop: Any) -> None:
    """The model is told what is wrong, and is called right the next time."""
    asks = Asks(arguments, {"number": 1})
    watch = talk(runner("find"), asks)
    assert words in asks.answers[0].error
    assert asks.answers[1].value == {"number": 1, "state": "on its way"}
    assert (shop.calls, ends(watch)) == ([(1, False)], ["COMMIT"])
    assert [end.reason for end in watch.ends if end.node == FIND] == ["", ""]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "ValueError: no such order"),
        ("leaves", "SystemExit: 3"),
        ("returns", "it returned what JSON cannot say"),
        ("endless", "it returned what JSON cannot say"),
        ("large", "bytes: at most 4096"),
    ],
)
def test_what_it_does_wrong_is_an_answer_and_an_event(name: str, words: str) -> None:
    """The turn goes on: the model says what it makes of it."""
    asks = Asks({"number": 7})
    watch = talk(runner(name), asks)
    assert words in asks.answers[0].error
    assert ends(watch) == ["COMMIT"]
    assert [one.node for one in watch.signals(Signal.PROVIDER_ERROR)] == [FIND]
    assert "Traceback" not in asks.answers[0].error


def test_one_that_blocks_is_left_behind(shop: Any) -> None:
    """Its thread is not waited for: neither by the model, nor by the session's end."""
    asks = Asks({"number": 1}, {"number": 2})
    watch = talk(runner("blocks"), asks)
    assert [answer.error for answer in asks.answers] == ["find took too long: it may have happened"] * 2
    assert (ends(watch), shop.calls) == (["COMMIT"], [1, 2])


@pytest.mark.feature("F-046", "cancelled")
def test_a_task_is_cancelled_at_once(shop: Any) -> None:
    asks = Asks({"number": 1})
    watch = talk(runner("sleeps"), asks)
    assert asks.answers[0].error == "find took too long: it may have happened"
    assert shop.calls == ["woken"]
    assert ends(watch) == ["COMMIT"]
    assert not [one for one in watch.outputs if one.op == 3 and one.node == FIND]  # nobody had to be forced


def test_a_task_that_catches_its_cancel_is_closed_after_the_grace(shop: Any) -> None:
    asks = Asks({"number": 1})
    watch = talk(runner("stays"), asks)
    assert asks.answers[0].error == "find took too long: it may have happened"
    assert shop.calls == ["closed"]
    assert ends(watch) == ["COMMIT"]


def test_a_turn_has_so_many_calls_and_no_more(shop: Any) -> None:
    asks = Asks(*({"number": n} for n in range(5)))
    watch = talk(runner("find"), asks, calls_max=3)
    assert [bool(answer.error) for answer in asks.answers] == [False, False, False, True, True]
    assert "no more calls in this turn" in asks.answers[3].error
    assert (len(shop.calls), ends(watch)) == (3, ["COMMIT"])


def test_there_is_no_other_tool() -> None:
    asks = Asks({"number": 1}, name="fund")
    assert ends(talk(runner("find"), asks)) == ["COMMIT"]
    assert asks.answers[0].error == "there is no tool 'fund'; there are: find"


def test_a_model_that_goes_on_calling_what_there_is_not_fails() -> None:
    asks = Asks(*({"number": 1},) * 9, name="fund")
    watch = talk(runner("find"), asks, calls_max=3)
    assert len(asks.answers) == 3
    assert ends(watch) == ["ABORT"]


def test_the_next_turn_sees_call_and_answer() -> None:
    async def twice(ears: Any, party: Any) -> None:
        await question(ears, party)
        await question(ears, party)

    asks = Asks({"number": 7})
    talk(runner("find"), asks, script=twice)
    said = [text for role, text in asks.messages if role == "tool"]
    assert said == ['{"arguments":{"number":7},"result":{"number":7,"state":"on its way"},"tool":"find"}']


def test_a_replay_needs_what_was_answered_and_no_function() -> None:
    """The answer is an input like any other: it stands in the record of inputs."""
    watch = talk(runner("find"), Asks({"number": 7}))
    taken = [event for _, event, result in watch.inputs if event.op == 2 and event.node == FIND and result == 0]
    assert [b"on its way" in event.payload for event in taken] == [True]


# ---- once


async def twice(ears: Any, party: Any) -> None:
    await question(ears, party)
    await question(ears, party)


def test_once_is_once(shop: Any, tmp_path: Path) -> None:
    """The second call is answered from the journal; other arguments are another call."""
    journal = Journal("s", tmp_path / "call.tools")
    asks = Asks({"number": 7}, {"loud": False, "number": 8})
    talk(runner("refund", once=True), asks, script=twice, journal=journal)
    assert [answer.value for answer in asks.answers] == [{"paid": 7}, {"paid": 8}] * 2
    assert len(shop.calls) == len(set(shop.calls)) == 2  # the keys that it was given


@pytest.mark.parametrize("name", ["raises", "large"])
def test_what_failed_does_not_run_again(name: str, shop: Any) -> None:
    asks = Asks({"number": 7}, {"number": 7})
    talk(runner(name, once=True), asks)
    first, second = (answer.error for answer in asks.answers)
    assert first == second
    assert first
    assert len(shop.calls) <= 1


def test_what_was_not_done_may_be_tried_again(shop: Any) -> None:
    asks = Asks({"number": 7}, {"number": 7})
    talk(runner("not_done", once=True), asks)
    assert shop.calls == [7, 7]
    assert "the shop is closed" in asks.answers[1].error


@pytest.mark.parametrize("soft", [True, False])
def test_a_cancelled_call_does_not_run_again(soft: bool, shop: Any) -> None:
    """The user interrupts while money is paid back, and asks again."""

    async def interrupted(ears: Any, party: Any) -> None:
        await scripted.talk(ears, 20)
        await scripted.hush(ears, 12)
        await scripted.talk(ears, 10)
        shop.GATE.set()
        await scripted.hush(ears, 20)
        await scripted.quiet(ears)

    asks = Asks({"number": 7})
    watch = talk(runner("blocks", once=True, soft=soft), asks, script=interrupted, timeout_ms=5000)
    assert (ends(watch), shop.calls) == (["ABORT", "COMMIT"], [7])
    assert len(asks.answers) == 1
    assert asks.answers[0] in (Answer("far too late"), Answer(error=UNKNOWN))


def test_a_journal_that_cannot_be_written_runs_nothing(shop: Any, tmp_path: Path) -> None:
    journal = Journal("s", tmp_path / "call.tools")
    journal.close()
    asks = Asks({"number": 7})
    watch = talk(runner("refund", once=True), asks, journal=journal)
    assert "its journal cannot be written, so it was not called" in asks.answers[0].error
    assert (shop.calls, ends(watch)) == ([], ["COMMIT"])


# ---- before the first call


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reference": "shop_code:fnd"}, "tool find: shop_code:fnd cannot be loaded: shop_code has no fnd"),
        ({"reference": "shop_code:takes_less"}, "shop_code:takes_less has no argument 'loud'"),
        ({"reference": "shop_code:find", "params": ()}, "shop_code:find needs the argument 'number'"),
    ],
)
def test_what_cannot_be_called_is_said_at_once(options: dict[str, Any], words: str) -> None:
    tool = factory({"name": "find", "params": PARAMS} | options, {})
    with pytest.raises(ProviderError) as caught:
        virtual.run(tool.prepare(), virtual=True)
    assert words in caught.value.reason
