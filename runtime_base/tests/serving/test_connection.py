"""A connection's life as a machine: in one state at a time, patient for as long as it says, and telling once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rspp_runtime.serving.connection import Connection, Event, Patience, State

MS = 1_000_000
PATIENCE = Patience(
    reconnect_ns=2_000 * MS, resume_ns=30_000 * MS, silence_ns=5_000 * MS, stall_ns=500 * MS, idle_ns=60_000 * MS
)
STEPS = {  # what may follow a state
    State.WAITING: {State.CONNECTED, State.ENDED},
    State.CONNECTED: {State.RECONNECTING, State.ENDED},
    State.RECONNECTING: {State.CONNECTED, State.DISCONNECTED, State.ENDED},
    State.DISCONNECTED: {State.CONNECTED, State.ENDED},
    State.ENDED: set(),
}


def polled(connection: Connection, now_ns: int) -> list[Event]:
    found = []
    while (event := connection.poll(now_ns)) is not None:
        found.append(event)
        assert len(found) <= 4, found
    return found


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.one = Connection(PATIENCE, 0)
        self.was = State.WAITING
        self.since_ns = 0  # nobody was there
        self.told = False  # the session knows of a party
        self.silences = self.stalls = 0
        self.audio = False
        self.waits = False

    def moved(self) -> None:
        assert self.one.state is self.was or self.one.state in STEPS[self.was], (self.was, self.one.state)
        self.was = self.one.state

    @rule(ms=st.one_of(st.integers(0, 300), st.integers(0, 40_000)))
    def wait(self, ms: int) -> None:
        self.now_ns += ms * MS
        before = self.was
        events = polled(self.one, self.now_ns)
        told = Counter(events)
        assert max(told.values(), default=0) <= 1, events
        if Event.DISCONNECTED in told:
            assert before is State.RECONNECTING
            self.was = State.DISCONNECTED
            self.told = False
        if Event.ENDED in told:
            assert self.was in (State.DISCONNECTED, State.WAITING)
        if Event.SILENCE in told:
            assert self.audio
            self.audio = False  # once, until audio comes again
        if Event.STALL in told:
            assert self.waits
            self.waits = False
        self.moved()
        away_ns = self.now_ns - self.since_ns
        if before is State.RECONNECTING:
            assert (self.one.state is State.RECONNECTING) == (away_ns < PATIENCE.reconnect_ns)
        if before in (State.RECONNECTING, State.DISCONNECTED):
            assert (self.one.state is State.ENDED) == (away_ns >= PATIENCE.reconnect_ns + PATIENCE.resume_ns)
        if before is State.WAITING:
            assert (self.one.state is State.ENDED) == (away_ns >= PATIENCE.resume_ns)

    @rule()
    def come(self) -> None:
        anew = self.one.attached(self.now_ns)
        if self.was is not State.ENDED:
            assert anew is not self.told  # the session is told exactly when it does not know
            self.told = True
            self.audio = self.waits = False
            assert self.one.state is State.CONNECTED
        else:
            assert not anew
        self.moved()

    @rule()
    def go(self) -> None:
        if self.was is State.CONNECTED:
            self.since_ns = self.now_ns
        self.one.detached(self.now_ns)
        self.moved()

    @rule()
    @precondition(lambda self: self.was is State.CONNECTED)
    def speak(self) -> None:
        self.one.heard(self.now_ns)
        self.audio = True

    @rule(waits=st.booleans())
    @precondition(lambda self: self.was is State.CONNECTED)
    def write(self, waits: bool) -> None:
        self.one.writing(waits, self.now_ns)
        self.waits = waits

    @rule()
    @precondition(lambda self: self.was not in (State.ENDED, State.WAITING))
    def hang_up(self) -> None:
        self.one.hung_up()
        self.moved()

    @invariant()
    def only_who_is_there_can_be_idle(self) -> None:
        if self.one.idle(self.now_ns):
            assert self.one.state is State.CONNECTED
            assert self.one.quiet_ns(self.now_ns) >= PATIENCE.idle_ns


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestLife = Life.TestCase


@pytest.mark.feature("F-091", "waiting", "cleaned")
def test_who_stays_away_is_waited_for_and_no_longer() -> None:
    one = Connection(PATIENCE, 0)
    assert one.attached(0)
    one.detached(1_000 * MS)
    assert polled(one, 2_999 * MS) == []
    assert one.state is State.RECONNECTING
    assert polled(one, 3_000 * MS) == [Event.DISCONNECTED]
    assert polled(one, 32_999 * MS) == []
    assert polled(one, 33_000 * MS) == [Event.ENDED]
    assert one.state is State.ENDED


def test_time_that_was_not_looked_at_is_not_lost() -> None:
    one = Connection(PATIENCE, 0)
    one.attached(0)
    one.detached(0)
    assert polled(one, 40_000 * MS) == [Event.DISCONNECTED, Event.ENDED]


def test_silence_is_told_once_and_again_after_a_word() -> None:
    one = Connection(PATIENCE, 0)
    one.attached(0)
    assert polled(one, 60_000 * MS) == []  # nobody has spoken yet: that is no silence
    one.heard(60_000 * MS)
    assert polled(one, 65_000 * MS) == [Event.SILENCE]
    assert polled(one, 70_000 * MS) == []
    one.heard(71_000 * MS)
    assert polled(one, 76_000 * MS) == [Event.SILENCE]


def test_a_stall_is_what_lasts() -> None:
    one = Connection(PATIENCE, 0)
    one.attached(0)
    one.writing(True, 0)
    one.writing(True, 400 * MS)
    assert polled(one, 499 * MS) == []
    one.writing(False, 499 * MS)
    one.writing(True, 600 * MS)
    assert polled(one, 1_099 * MS) == []
    assert polled(one, 1_100 * MS) == [Event.STALL]
    assert polled(one, 1_200 * MS) == []
