"""ML: what an edge takes is delivered once, in order, or named in a notice: which items, of which edge, why (CONTRACTS
§1 to §3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conversation import CAPTIONS, EARS, INGRESS, LLM, PARTIAL, SPEECH, STT, TEXT, Conversation, requests
from kernels import plan_of
from plans import PLANS
from recorded import header, is_signal, play
from schedule import handlers

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal
from rspp_runtime.abi.plan import Plan

SEEDS = 60
INGRESS_TO_EARS, EARS_TO_STT, TO_CAPTIONS = 8, 7, 6


def notices(talk: Conversation, edge: int) -> list[tuple[int, int, Cause]]:
    """(first, last, why) of what was removed from an edge."""
    return [
        (output.x, output.y, Cause(output.cause))
        for output in talk.outputs
        if is_signal(output, Signal.DROP_NOTICE) and output.node == edge
    ]


def fed(talk: Conversation, node: int) -> list[int]:
    """Runtime sequences of what a node was fed."""
    return [output.seq for output in requests(talk.outputs, Op.FEED) if output.node == node]


def hears(talk: Conversation, frames: int) -> list[Result]:
    """So many frames of speech for a recogniser that takes none of them."""
    talk.frame()
    talk.step()
    talk.credit(EARS)
    return [talk.chunk(EARS, SPEECH, bytes([index]) * 640) for index in range(frames)]


def test_by_depth_the_oldest_give_way_and_the_notice_names_them(talk: Conversation) -> None:
    """Six items fit, and the recogniser holds four: of twelve at once, the first six are removed, one notice each."""
    assert set(hears(talk, 12)) == {Result.ACCEPTED}
    talk.step()
    dropped = notices(talk, EARS_TO_STT)
    assert [(first == last, cause) for first, last, cause in dropped] == [(True, Cause.QUEUE_PRESSURE)] * 6
    assert dropped == sorted(dropped)
    assert not {at for at, _, _ in dropped} & set(fed(talk, STT))
    assert len(fed(talk, STT)) == 4  # its window; two wait
    assert talk.session.stats()[f"edge.{EARS_TO_STT}.dropped"] == 6


def test_by_time_in_queue_what_is_too_old_is_one_notice(talk: Conversation) -> None:
    """The recogniser holds four; two wait longer than 200 ms, and make room for the next one by their age."""
    hears(talk, 6)
    talk.step()
    taken = fed(talk, STT)
    talk.step(talk.now + 201)
    assert talk.chunk(EARS, SPEECH, bytes(640)) == Result.ACCEPTED
    talk.step()
    ((first, last, cause),) = notices(talk, EARS_TO_STT)
    assert cause == Cause.QUEUE_AGE
    assert max(taken) < first < last
    assert talk.session.stats()[f"edge.{EARS_TO_STT}.dropped"] == 2


def test_latest_only_names_what_was_replaced(talk: Conversation) -> None:
    """Three partial texts before anything moves: the last one is shown, the others are superseded."""
    talk.hear()
    for text in (b"a", b"ab", b"abc"):
        assert talk.chunk(STT, PARTIAL, text, a=0, b=1) == Result.ACCEPTED
    talk.step()
    shown = [output for output in requests(talk.outputs, Op.TAP) if output.node == CAPTIONS]
    assert [output.payload for output in shown] == [b"abc"]
    dropped = notices(talk, TO_CAPTIONS)
    assert {cause for _, _, cause in dropped} == {Cause.SUPERSEDED}
    assert len(dropped) == 2
    assert all(last < shown[0].seq for _, last, _ in dropped)


def test_a_cancel_names_what_it_flushed(talk: Conversation) -> None:
    """Edges of the turn are emptied with a notice; those of the session keep what they hold."""
    talk.ask()
    for text in (b"One. ", b"Two. ", b"Three. ", b"Four. "):
        talk.chunk(LLM, 0, text, a=len(text), b=1)
        talk.step()
    before = talk.session.stats()["flushed_items"]
    outputs = talk.control(Control.CANCEL_TURN)
    flushed = [output for output in outputs if is_signal(output, Signal.DROP_NOTICE)]
    assert flushed
    assert {output.cause for output in flushed} == {Cause.CANCEL_FLUSH}
    scopes = {plan_of("stub_assistant").edges[output.node].scope for output in flushed}
    assert scopes == {"turn"}
    assert talk.session.stats()["flushed_items"] > before


def test_a_merged_utterance_carries_all_its_parts(talk: Conversation) -> None:
    """Texts that were typed before the turn was opened are one prompt, one space between them; words add up."""
    for text in (b"what is", b"the answer"):
        assert talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=text, b=2) == Result.ACCEPTED
    outputs = talk.step()
    (prompt,) = [output for output in requests(outputs, Op.FEED) if output.node == LLM]
    assert prompt.payload == b"what is the answer"


def test_control_is_refused_before_it_is_accepted_and_never_dropped(talk: Conversation) -> None:
    """§1: with the inbox full the answer is FULL; all that was accepted is done."""
    answers = [talk.offer(In.CONTROL, port=Control.CANCEL_NODE, a=EARS) for _ in range(400)]
    accepted = answers.count(Result.ACCEPTED)
    assert set(answers) == {Result.ACCEPTED, Result.FULL}
    assert answers == [Result.ACCEPTED] * accepted + [Result.FULL] * (400 - accepted)
    cancels = [output for _ in range(50) for output in talk.step() if is_signal(output, Signal.CANCEL)]
    assert len(cancels) == accepted


def test_backlog_of_data_never_delays_control(talk: Conversation) -> None:
    """Strictly before: a cancel that comes after a hundred frames leaves in front of whatever of them moves."""
    for _ in range(100):
        talk.frame()
    talk.offer(In.CONTROL, port=Control.CANCEL_SESSION)
    ops = [output.op for output in talk.step()]
    assert Op.DECISION in ops
    assert all(op < 20 for op in ops[: max(at for at, op in enumerate(ops) if op < 20)])


# ---- under any schedule


def plain_edges(plan: Plan) -> dict[int, int]:
    """Effect node -> the edge that feeds it, where it is the only one and does not put its items together."""
    found = {node.id: node.edges_in[0] for node in plan.nodes if node.execution == "effect" and len(node.edges_in) == 1}
    return {node: edge for node, edge in found.items() if plan.edges[edge].handoff is None}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_nothing_is_both_delivered_and_dropped_under_random_schedules(
    name: str, kernel: Callable[[str], Any], kernel_name: str, tmp_path: Path
) -> None:
    """Per edge: what an invocation is fed rises strictly (order, at most once; another attempt is given it again), no
    notice names an item that was fed, and no two notices of what had waited overlap. What was thinned out or put
    together on arrival may lie between two items that wait.
    """
    plan = plan_of(name)
    edges = plain_edges(plan)
    assert edges
    delivered_in_all = dropped_in_all = 0
    for seed in range(SEEDS):
        session = kernel(name)(plan, "call", 1, handlers(seed))
        recorded = play(plan, session, seed, tmp_path / f"{seed}.log", header(plan, "call", kernel_name))
        delivered: dict[int, list[tuple[int, int]]] = defaultdict(list)
        dropped: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for output in recorded.outputs:
            if output.op == Op.FEED and output.node in edges:
                delivered[edges[output.node]].append((output.invocation, output.seq))
            elif is_signal(output, Signal.DROP_NOTICE):
                assert 0 < output.x <= output.y < output.seq, seed
                if output.cause not in (Cause.COALESCED, Cause.SAMPLED):
                    dropped[output.node].append((output.x, output.y))
        for edge in edges.values():
            assert delivered[edge] == sorted(set(delivered[edge])), (seed, edge)
            taken = {at for _, at in delivered[edge]}
            ranges = sorted(dropped[edge])
            assert all(a[1] < b[0] for a, b in pairwise(ranges)), (seed, edge)
            assert not [at for at in taken for first, last in ranges if first <= at <= last], (seed, edge)
            delivered_in_all += len(taken)
            dropped_in_all += len(ranges)
    least_delivered, least_dropped = (300, 2) if name == "stub_typist" else (500, 50)  # who types says little
    assert delivered_in_all > least_delivered
    assert dropped_in_all > least_dropped
