"""What whoever looks on is told of a session: everything, in order, bounded, and no texts where they are masked."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi.codes import In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.serving.feed import BATCH_EVENTS_MAX, MASK, RING_MAX, WARM_NS, Feed
from rspp_runtime.session.audience import Audience

looking = module_of("serving_looking", Path(__file__).with_name("looking.py"))


def named(events: list[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    return [event for event in events if all(event.get(key) == value for key, value in fields.items())]


def test_a_turn_is_told_from_the_first_sound_to_its_end() -> None:
    _, messages = looking.held(reveals=True)
    assert messages[0]["type"] == "feed"
    assert messages[0]["texts"] == "shown"
    assert messages[-1]["type"] == "over"
    events = looking.events_of(messages)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    signals = [event["signal"] for event in named(events, kind="decision", turn=1)]
    for one in ("turn_open", "playback_started", "barge_in", "cancel", "playback_cancelled", "abort", "close"):
        assert one in signals
    assert signals.index("turn_open") < signals.index("playback_started") < signals.index("cancel")
    assert signals.index("abort") < signals.index("close")
    assert "".join(event["text"] for event in named(events, kind="out", node="llm", port="delta"))[: len(
        looking.ANSWER)] == looking.ANSWER  # fmt: skip
    opened = named(events, signal="turn_open")[0]
    assert len(opened["record"]["plan_hash"]) == 64
    assert opened["record"]["emitted_by"] == "RK-03"
    assert named(events, kind="event", port="speech_start")[0]["media_us"] >= 0
    assert named(events, kind="flush", turn=1)
    assert named(events, kind="ended", node="llm")[0]["outcome"] in ("success", "cancelled")


def test_audio_is_counted_and_put_together_never_shown() -> None:
    _, messages = looking.held(reveals=True)
    events = looking.events_of(messages)
    heard = named(events, kind="out", node="ingress", port="audio")
    assert sum(event["items"] for event in heard) == 3 + 15 + 25 + 10 + _silence(events)
    assert len(heard) < sum(event["items"] for event in heard)
    assert all("text" not in event and event["last"] >= event["t"] for event in heard)
    sent = named(events, kind="send", port="audio")
    assert all(event["until_us"] > event["play_us"] for event in sent)
    assert sent[0]["words"] <= sent[-1]["words"]


def _silence(events: list[dict[str, Any]]) -> int:
    """Frames that `quiet` hands in until nothing goes on any more."""
    return sum(event["items"] for event in named(events, kind="out", node="ingress", port="audio")) - 53


def test_outside_of_development_texts_are_masked_and_nothing_is_kept_before_anybody_comes() -> None:
    _, messages = looking.held(reveals=False)
    assert messages[0]["texts"] == "masked"
    told = json.dumps(messages)
    assert "three" not in told
    assert "seven" not in told
    texts = [event for event in looking.events_of(messages) if "text" in event]
    assert texts
    assert all(event["text"] == MASK and event["bytes"] > 0 for event in texts)


@pytest.mark.parametrize(("reveals", "tells"), [(True, True), (False, False)])
def test_who_comes_late_is_told_the_beginning_only_in_development(reveals: bool, tells: bool) -> None:
    taken: list[dict[str, Any]] = []

    async def late(feed: Feed) -> None:
        await asyncio.sleep(0.9)
        async for text in feed.watch():
            taken.append(json.loads(text))

    looking.held(reveals=reveals, watching=late)
    events = looking.events_of(taken)
    assert (events[0]["t"] < 900_000) is tells
    assert bool(named(events, signal="connected")) is tells


def test_nobody_came_in_time_nothing_is_kept() -> None:
    plan = looking.SCRIPTED.plan()
    feed = Feed(plan, looking.header(plan), _Clock(), reveals=True)
    frame = Inbound(In.MEDIA, node=0, port=0, payload=bytes(640))
    feed.on_input(frame, 1, 0)
    assert feed._ring
    feed.on_input(frame, WARM_NS + 1, 0)
    assert not feed._ring
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for now_ns in range(WARM_NS + 2, WARM_NS + 5_000):
        feed.on_input(frame, now_ns, 0)
    grown = sum(one.size_diff for one in tracemalloc.take_snapshot().compare_to(before, "filename")
                if "feed" in one.traceback[0].filename)  # fmt: skip
    tracemalloc.stop()
    assert grown < 1_000


def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many() -> None:
    plan = looking.SCRIPTED.plan()

    async def slow() -> None:
        feed = Feed(plan, looking.header(plan), _Clock(), reveals=True)
        watching = feed.watch()
        assert json.loads(await anext(watching))["type"] == "feed"
        for number in range(RING_MAX + 100):
            feed.on_input(Inbound(In.CHUNK, node=2, port=1, payload=b"%d" % number), number, 0)
        feed.end()
        rest = [json.loads(text) async for text in watching]
        assert rest[0]["dropped"] == 100
        assert rest[0]["events"][0]["n"] == 101
        assert all(len(one["events"]) <= BATCH_EVENTS_MAX for one in rest if one["type"] == "events")
        assert looking.events_of(rest)[-1]["n"] == RING_MAX + 100
        assert feed.watchers == 0
        assert len(feed._ring) == 0

    asyncio.run(slow())


def test_a_watcher_that_does_not_read_is_told_less_and_holds_nobody_up() -> None:
    async def stuck() -> None:
        plan = looking.SCRIPTED.plan()
        feed = Feed(plan, looking.header(plan), _Clock(), reveals=True)
        full = True
        watching = feed.watch(lambda: full)
        await anext(watching)
        feed.on_input(Inbound(In.CHUNK, node=2, port=1, payload=b"one"), 1, 0)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0.12)
        assert not waiting.done()
        full = False
        assert looking.events_of([json.loads(await waiting)])[0]["text"] == "one"
        await watching.aclose()

    asyncio.run(stuck())


def test_the_driver_tells_a_feed_only_what_it_asks_for() -> None:
    plan = looking.SCRIPTED.plan()
    audience = Audience([Feed(plan, looking.header(plan), _Clock(), reveals=True)])
    assert not audience.quiet_steps
    assert not audience.every_call
    assert {kind for kind in In if audience.of_input(Inbound(kind))} == {In.MEDIA, In.CHUNK, In.CONTROL}


def test_depths_come_back_to_nothing_and_never_exceed_an_edge() -> None:
    _, messages = looking.held(reveals=True)
    plan = looking.SCRIPTED.plan()
    depths = [message["depths"] for message in messages if message["type"] == "events"]
    for now in depths:
        assert all(0 <= waiting <= edge.items_max for waiting, edge in zip(now, plan.edges, strict=True))
    assert depths[-1] == [0] * len(plan.edges)
    assert any(any(now) for now in depths)


class _Clock:
    def now_ns(self) -> int:
        return 5_000_000
