"""Labels (docs/kernel.md, Labels), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import requests
from kernels import plan_of
from plan_sorter import (
    AIR,
    DRAFT,
    HEARD,
    INGRESS,
    LABELS,
    LLM,
    LOUD,
    NEAR,
    ONCE_MORE,
    REPLY,
    SPEAKER,
    STT,
    TO_NEAR,
    TO_STT,
    VOICE,
    WATCH,
)
from yard import FINAL, PARTIAL, SPEECH_END, Yard

from rspp_runtime.abi import Control, In, Op, Output, Result
from rspp_runtime.abi.codes import Flag, label_of


class Sorter(Yard):
    """One session of the sorter."""

    def asked(self) -> Sorter:
        """A turn is open and the model has its question."""
        self.chunk(STT, SPEECH_END)
        self.step()
        self.chunk(STT, FINAL, b"and what now?", flags=int(Flag.FINAL), b=3)
        self.done(STT)
        self.credit(LLM)
        return self

    def says(self, text: bytes, a: int = 0) -> Result:
        return self.chunk(LLM, 0, text, a=a, b=len(text.split()))


@pytest.fixture
def sorter(kernel: Callable[[str], Any]) -> Sorter:
    session = Sorter(kernel("stub_sorter")(plan_of("stub_sorter"), "sorter", 1, []))
    session.control(Control.CONNECTED)
    for _ in range(2):  # of the first ones, one is not kept
        session.frame()
        session.step()
    session.credit(STT)
    return session


def labels(outputs: list[Output], *ops: Op) -> list[tuple[int, bytes]]:
    """Label and payload of what is fed or shown."""
    return [(label_of(output.y), output.payload) for output in requests(outputs, *ops)]


def test_an_item_goes_on_under_its_own_number_with_a_label(sorter: Sorter) -> None:
    taken = sorter.session.stats()["runtime_sequence"] + 1
    assert sorter.offer(In.MEDIA, node=INGRESS, port=0, payload=b"12" * 160, media_ns=77) == Result.ACCEPTED
    (fed,) = requests(sorter.step(), Op.FEED)
    assert (fed.node, fed.seq, fed.x, fed.payload, label_of(fed.y)) == (STT, taken, 77, b"12" * 160, LABELS[NEAR])
    assert sorter.session.stats()["runtime_sequence"] == taken


def test_a_copy_that_others_have_keeps_no_label(sorter: Sorter) -> None:
    """The recogniser's partial goes to a tap as it is, and through a label to another."""
    sorter.chunk(STT, PARTIAL, b"one", flags=int(Flag.FINAL), b=1)
    assert labels(sorter.step(), Op.TAP) == [(0, b"one")]
    shown = sorter.step(sorter.now + 25)  # gathered for 20 ms
    assert labels(shown, Op.TAP) == [(1, b"one")]
    (tap,) = requests(shown, Op.TAP)
    assert tap.node == WATCH
    assert tap.y & Flag.FINAL


def test_flows_behind_a_merge_choose_by_the_way_an_item_came(sorter: Sorter) -> None:
    sorter.chunk(STT, FINAL, b"whole", flags=int(Flag.FINAL), b=1)
    sorter.chunk(STT, PARTIAL, b"part", b=1)
    sorter.step()
    taps = [o for o in sorter.outputs if o.op == Op.TAP and label_of(o.y) == 2]
    assert [o.payload for o in taps] == [b"whole"]
    assert labels(sorter.step(sorter.now + 25), Op.TAP) == [(1, b"part")]


def test_the_last_label_on_the_way_counts_and_a_hand_off_has_none(sorter: Sorter) -> None:
    sorter.asked()
    assert sorter.says(b"Right so.", a=9) == Result.ACCEPTED
    outputs = sorter.step()
    (draft,) = requests(outputs, Op.TAP)
    assert (label_of(draft.y), draft.payload) == (0, b"Right so.")  # beside the labels
    assert [o.payload for o in requests(outputs, Op.SEND)] == [b"Right so."]
    fed = requests(outputs, Op.FEED)  # beside the labels, and behind the hand-off
    assert [(o.node, o.payload, label_of(o.y)) for o in fed] == [(VOICE, b"Right so.", 0)] * 2


def test_a_label_waits_while_an_edge_behind_it_is_full(sorter: Sorter) -> None:
    """Three frames fit before egress; the fourth stays before the label, and nothing is lost."""
    sorter.asked()
    sorter.says(b"Right so.", a=9)
    sorter.step()
    for _ in range(16):
        if sorter.chunk(VOICE, 0, bytes(320), b=1) != Result.ACCEPTED:
            break
        sorter.step()
    counted = sorter.session.stats()
    assert counted[f"edge.{SPEAKER}.high"] == 3
    assert counted[f"edge.{AIR}.high"] > 1
    assert (counted[f"edge.{SPEAKER}.dropped"], counted[f"edge.{AIR}.dropped"]) == (0, 0)


def test_what_follows_a_gap_is_marked_on_what_goes_on(sorter: Sorter) -> None:
    """Of five frames one is not kept; the next one has both the label and the flag."""
    for _ in range(5):
        sorter.frame()
        sorter.step()
        sorter.credit(STT)
    flags = [o.y for o in sorter.outputs if o.op == Op.FEED and o.node == STT]
    assert {label_of(one) for one in flags} == {LABELS[NEAR]}
    assert any(one & Flag.DISCONTINUITY for one in flags)
    assert not all(one & Flag.DISCONTINUITY for one in flags)


def test_items_of_a_label_fall_with_their_turn(sorter: Sorter) -> None:
    sorter.asked()
    sorter.says(b"never", a=0)
    sorter.control(Control.CANCEL_TURN)
    assert requests(sorter.step(), Op.SEND, Op.FEED) == []
    assert {DRAFT, REPLY, LOUD} <= LABELS.keys()


def test_an_edge_that_an_item_passed_over_without_a_stop_has_held_it(sorter: Sorter) -> None:
    """What is counted does not tell whether it stopped there."""
    counted = sorter.asked().session.stats()
    assert [counted[f"edge.{edge}.high"] for edge in (HEARD, TO_NEAR, TO_STT, ONCE_MORE)] == [1, 1, 1, 1]


def test_items_queue_between_labels_while_what_is_behind_them_is_full(sorter: Sorter) -> None:
    """The recogniser takes three frames; four wait before it, and the next ones before the label."""
    for _ in range(16):
        sorter.frame()
        sorter.advance()
    counted = sorter.session.stats()
    assert counted[f"edge.{TO_STT}.high"] == 4
    assert counted[f"edge.{TO_NEAR}.high"] == 4
    assert counted[f"edge.{HEARD}.high"] > 1
    assert counted[f"edge.{HEARD}.dropped"] > 0
