"""Sync domains (docs/kernel.md, Sync domains, Going on together), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import Conversation, requests
from kernels import plan_of
from plan_studio import (
    ECHO,
    EGRESS,
    HEARD,
    INGRESS,
    LLM,
    METER,
    SHAPES,
    SHOWN,
    SPEAKER,
    STT,
    TO_BLINK,
    VOICE,
    WATCH,
)

from rspp_runtime.abi import Cause, Control, Emission, In, Item, Op, Result, Signal
from rspp_runtime.abi.codes import Flag

UTTERANCE, PARTIAL, FINAL, SPEECH_START, SPEECH_END = range(5)
FRAME_MS = 20


class Studio(Conversation):
    """A face that speaks. Lips are shaped of every frame but those whose first byte is in `silent`."""

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.silent: set[int] = set()
        self.is_broken = False
        self.heard: list[Item] = []
        super().__init__(factory(plan_of("stub_studio"), "studio", 1, [self.lips, self.blink]))
        self.control(Control.CONNECTED)

    def lips(self, item: Item) -> list[Emission] | None:
        if self.is_broken:
            return None
        return [] if item.payload[0] in self.silent else [Emission(0, item.payload)]

    def blink(self, item: Item) -> list[Emission]:
        self.heard.append(item)
        return []

    def speaks(self) -> Studio:
        """A turn whose voice has a text."""
        self.frame()
        self.step()
        self.credit(STT)
        self.chunk(STT, SPEECH_END)
        self.step()
        assert self.chunk(STT, FINAL, b"and now?", flags=1, b=2) == Result.ACCEPTED
        self.done(STT)
        self.chunk(LLM, 0, b"So it is.", a=9, b=3)
        self.step()
        return self

    def frame(self) -> Result:
        return self.offer(In.MEDIA, node=INGRESS, port=0, payload=bytes(320))

    def says(self, number: int) -> Result:
        """The voice's frame of that number."""
        return self.chunk(VOICE, 0, bytes([number]) * 320, media_ns=number * FRAME_MS * 1_000_000)

    def partial(self, text: bytes) -> Result:
        return self.chunk(STT, PARTIAL, text, b=1)


@pytest.fixture
def studio(kernel: Callable[[str], Any]) -> Studio:
    return Studio(kernel("stub_studio"))


def notices(outputs: list[Any], edge: int) -> list[tuple[Cause, int, int]]:
    return [
        (Cause(output.cause), output.x, output.y)
        for output in outputs
        if output.op == Op.DECISION and output.code == Signal.DROP_NOTICE and output.node == edge
    ]


def played(outputs: list[Any]) -> list[int]:
    return [output.payload[0] for output in requests(outputs, Op.SEND) if output.node == EGRESS and output.port == 0]


def shaped(outputs: list[Any]) -> list[int]:
    return [
        o.payload[0] for o in requests(outputs, Op.TAP) if o.node == WATCH and len(o.payload) == 320 and any(o.payload)
    ]


@pytest.mark.feature("F-146", "atomic")
def test_sound_and_lips_go_on_together(studio: Studio) -> None:
    studio.speaks()
    for number in (1, 2, 3):
        assert studio.says(number) == Result.ACCEPTED
    outputs = studio.step()
    assert played(outputs) == shaped(outputs) == [1, 2, 3]
    order = [(o.op, o.payload[0]) for o in outputs if o.op in (Op.SEND, Op.TAP) and any(o.payload)]
    assert len(order) == 6


@pytest.mark.feature("F-146", "atomic")
def test_what_has_lost_its_lips_is_not_heard(studio: Studio) -> None:
    """Nothing comes of the second frame: it waits, until the third shows that nothing will."""
    studio.speaks()
    studio.silent = {2}
    studio.says(1)
    studio.says(2)
    outputs = studio.step()
    assert played(outputs) == shaped(outputs) == [1]
    waits = studio.session.stats()["edge.0.dropped"]
    studio.says(3)
    outputs = studio.step()
    assert played(outputs) == shaped(outputs) == [3]
    ((cause, first, last),) = notices(outputs, SPEAKER)
    assert (cause, first == last, waits) == (Cause.SYNC_LOSS, True, 0)
    assert notices(studio.outputs, SHAPES) == []


def test_what_waits_for_nothing_is_given_up_when_its_makers_are_done(studio: Studio) -> None:
    studio.speaks()
    studio.silent = {2}
    studio.says(1)
    studio.says(2)
    studio.step()
    studio.done(LLM)
    studio.step()
    studio.done(VOICE)
    outputs = studio.step(studio.now + 100)
    assert [cause for cause, _, _ in notices(studio.outputs, SPEAKER)] == [Cause.SYNC_LOSS]
    assert requests(outputs, Op.APPEND) or requests(studio.outputs, Op.APPEND)


def test_without_lips_the_sound_goes_alone(studio: Studio) -> None:
    """The mode that follows an error of the lips leaves their edge out: the others are no longer held up."""
    studio.speaks()
    studio.silent = {1}
    studio.says(1)
    assert played(studio.step()) == []
    studio.is_broken = True
    studio.says(2)
    outputs = studio.step()
    assert (played(outputs), shaped(outputs)) == ([1, 2], [])


@pytest.mark.feature("F-146", "atomic")
def test_a_group_on_one_edge_goes_together(studio: Studio) -> None:
    """Four fit: with the fifth the oldest must go, and with it the other of its media time."""
    studio.frame()
    studio.step()
    for media, text in ((1, b"a"), (1, b"b"), (2, b"c"), (2, b"d"), (3, b"e")):
        assert studio.chunk(STT, FINAL, text, media_ns=media, b=1) == Result.ACCEPTED
    outputs = studio.step()
    assert [o.payload for o in requests(outputs, Op.TAP) if 0 < len(o.payload) < 10] == [b"c", b"d", b"e"]
    ((cause, first, last),) = notices(outputs, ECHO)
    assert (cause, last - first) == (Cause.QUEUE_PRESSURE, 1)
    assert studio.session.stats()[f"edge.{ECHO}.dropped"] == 2


def test_the_rest_of_a_group_that_was_lost_is_kept_out(studio: Studio) -> None:
    """Six of one media time, and four fit: none of them goes on."""
    studio.frame()
    studio.step()
    for text in (b"a", b"b", b"c", b"d", b"e", b"f"):
        studio.chunk(STT, FINAL, text, media_ns=7, b=1)
    studio.chunk(STT, FINAL, b"g", media_ns=8, b=1)
    outputs = studio.step()
    assert [o.payload for o in requests(outputs, Op.TAP) if 0 < len(o.payload) < 10] == [b"g"]
    causes = [cause for cause, _, _ in notices(outputs, ECHO)]
    assert causes == [Cause.QUEUE_PRESSURE, Cause.SYNC_LOSS, Cause.SYNC_LOSS]


@pytest.mark.feature("F-146", "atomic")
def test_what_one_copy_loses_the_other_loses_too(studio: Studio) -> None:
    """Eighty of a hundred are shown, and whoever listens gets no others; of what waits only four fit, on both."""
    studio.frame()
    studio.step()
    for number in range(9):
        assert studio.partial(b"%d" % number) == Result.ACCEPTED
    outputs = studio.step()
    shown = [o.payload for o in requests(outputs, Op.TAP) if 0 < len(o.payload) < 10]
    assert shown == [item.payload for item in studio.heard]
    assert shown
    lost = [n for n in (*notices(outputs, SHOWN), *notices(outputs, TO_BLINK)) if n[0] == Cause.SYNC_LOSS]
    assert lost


@pytest.mark.feature("F-146", "discontinuity")
def test_a_gap_is_told_and_marked_on_all_of_its_domain(studio: Studio) -> None:
    """The meter leaves out two of five; the next frame that the recogniser gets says that something is missing."""
    studio.frame()
    outputs = studio.step()
    told = [o for o in outputs if o.op == Op.DECISION]
    assert [(o.code, o.cause, o.node) for o in told if o.code in (Signal.DROP_NOTICE, Signal.DISCONTINUITY)] == [
        (Signal.DROP_NOTICE, Cause.SAMPLED, METER),
        (Signal.DISCONTINUITY, Cause.SAMPLED, METER),
    ]
    (fed,) = [o for o in requests(outputs, Op.FEED) if o.node == STT]
    assert fed.y & Flag.DISCONTINUITY
    studio.credit(STT)
    studio.frame()
    outputs = studio.step()
    (fed,) = [o for o in requests(outputs, Op.FEED) if o.node == STT]
    (tapped,) = requests(outputs, Op.TAP)
    assert (fed.y & Flag.DISCONTINUITY, tapped.y & Flag.DISCONTINUITY) == (0, Flag.DISCONTINUITY)
    numbers = [o.x for o in studio.outputs if o.op == Op.DECISION and o.code == Signal.DISCONTINUITY]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.feature("F-146", "discontinuity")
def test_frames_that_are_lost_on_the_way_to_the_recogniser_are_marked(studio: Studio) -> None:
    for _ in range(9):
        studio.frame()
    outputs = studio.step()
    assert [cause for cause, _, _ in notices(outputs, HEARD)] == [Cause.QUEUE_PRESSURE] * 3
    marked = [bool(o.y & Flag.DISCONTINUITY) for o in requests(outputs, Op.FEED) if o.node == STT]
    assert marked == [True, False, False]
