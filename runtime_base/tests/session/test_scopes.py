"""What a Python node remembers: each thing for as long as it declares, within its bytes, whole or not at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgpack
import pytest

from rspp_runtime.abi.messages import Emission
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import KERNEL, SESSION, TURN, Node, Port, State
from rspp_runtime.nodes import Emit, Item, state
from rspp_runtime.nodes.state import StateError
from rspp_runtime.nodes.testing import run
from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.handlers import Calls, wrap
from rspp_runtime.session.scopes import Scopes, guarded, hold


@dataclass
class Guest:
    name: str = ""
    visits: int = 0
    wishes: list[str] = field(default_factory=list)
    last: float | None = None


class Reception:
    pieces = state.turn(int)
    heard = state.session(list[str])
    guest = state.durable(Guest)

    def __call__(self, item: Item, emit: Emit) -> None:
        self.pieces += 1
        self.heard.append(item.text)
        if item.text.startswith("I am "):
            self.guest.name = item.text[5:]
        if item.text == "again":
            self.guest.visits += 1
        if item.text == "fail":
            self.guest.visits += 100
            self.heard.clear()
            raise ValueError("asked for")
        emit(f"{self.pieces} {len(self.heard)} {self.guest.name} {self.guest.visits}")


class Bench:
    """A node with what it remembers, called as the kernel calls it."""

    def __init__(self, kind: type, room: State, *, scope: str = TURN, seed: str = "0/s") -> None:
        self.node = Node(
            id=3, name="reception", kind="python", execution=KERNEL, scope=scope, line=1, state=room, handler=0,
            inputs=(Port("said", "text", 4096),), outputs=(Port("out", "text", 4096),), emissions_max=4,
        )  # fmt: skip
        self.user = guarded(kind)()
        scopes = hold(self.node, self.user)
        assert scopes is not None
        self.scopes: Scopes = scopes
        self.scopes.seed = seed
        self.seen = Calls(every=True)
        self._handler = wrap(self.node, self.user, MonotonicClock(), self.seen, scopes)
        self._seq = 0

    def say(self, text: str, turn: int = 1) -> Sequence[Emission] | None:
        self._seq += 1
        return self._handler(KernelItem(0, turn, self._seq, 0, 1, 0, 1, text.encode()))

    def said(self, text: str, turn: int = 1) -> str:
        answer = self.say(text, turn)
        assert answer is not None, self.seen.rows[-1].reason
        return answer[0].payload.decode()


ROOM = State(100, 1000, 1000)


@pytest.mark.feature("F-014", "reset")
def test_each_scope_has_its_end() -> None:
    bench = Bench(Reception, ROOM)
    assert bench.said("I am Ada") == "1 1 Ada 0"
    assert bench.said("again") == "2 2 Ada 1"
    assert bench.said("again", turn=2) == "1 3 Ada 2"  # the turn's part began anew


@pytest.mark.feature("F-155", "lost", "durable")
def test_a_new_holder_has_the_durable_part_and_nothing_else() -> None:
    first = Bench(Reception, ROOM)
    first.say("I am Ada")
    first.say("again")
    kept = [call.durable for call in first.seen.rows if call.durable is not None]
    assert kept[-1] == first.scopes.durable
    assert msgpack.unpackb(kept[-1]) == {"guest": {"name": "Ada", "visits": 1, "wishes": [], "last": None}}
    second = Bench(Reception, ROOM)
    second.scopes.restore(kept[-1])
    assert second.said("again", turn=1) == "1 1 Ada 2"


def test_only_changes_are_recorded() -> None:
    bench = Bench(Reception, ROOM)
    for text in ("I am Ada", "hm", "hm", "again", "hm"):
        bench.say(text)
    assert [call.durable is not None for call in bench.seen.rows] == [True, False, False, True, False]


@pytest.mark.feature("F-038", "no_leak")
def test_a_call_that_fails_has_remembered_nothing() -> None:
    bench = Bench(Reception, ROOM)
    bench.say("I am Ada")
    assert bench.say("fail") is None
    assert bench.seen.rows[-1].durable is None
    assert bench.said("again") == "2 2 Ada 1"  # neither the 100 visits, nor the call's own piece


def test_too_much_fails_the_call_and_says_what_to_write() -> None:
    bench = Bench(Reception, State(100, 1000, 60))
    assert bench.say("I am " + "A" * 40) is None
    reason = bench.seen.rows[-1].reason
    assert "in `durable`" in reason
    assert "has room for 60" in reason
    assert "state = { durable = … }" in reason
    assert bench.said("again") == "1 1  1"
    exact = len(bench.scopes.durable)
    assert Bench(Reception, State(100, 1000, exact)).said("again") == "1 1  1"
    assert Bench(Reception, State(100, 1000, exact - 1)).say("I am A") is None


class Sloppy:
    pieces = state.turn(int)

    def __init__(self) -> None:
        self.names = ["Ada"]

    def __call__(self, item: Item, emit: Emit) -> None:
        if item.text == "type":
            self.pieces = "many"  # type: ignore[assignment]
        elif item.text == "huge":
            self.pieces = 2**64
        elif item.text == "leak":
            self.seen = True
        elif item.text == "rebind":
            self.names = []
        emit(self.names[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type", "reception.pieces is str, and was declared as int"),
        ("huge", "does not fit into 64 bits"),
        ("leak", "reception.seen would be remembered in the next turn"),
        ("rebind", "reception.names would be remembered in the next turn"),
    ],
)
def test_nothing_outlives_its_scope_unnoticed(text: str, message: str) -> None:
    bench = Bench(Sloppy, State(turn_bytes=100))
    assert bench.say(text) is None
    assert message in bench.seen.rows[-1].reason
    assert "src/rspp_runtime" not in bench.seen.rows[-1].reason  # but where the user's code stands
    assert bench.said("go on") == "Ada"


def test_a_node_of_the_session_may_keep_what_it_likes() -> None:
    class Session(Sloppy):
        pieces = state.session(int)

    bench = Bench(Session, State(session_bytes=100), scope=SESSION)
    assert bench.said("leak") == "Ada"


def test_it_is_there_during_a_call_only() -> None:
    bench = Bench(Reception, ROOM)
    with pytest.raises(StateError, match="is there during a call"):
        _ = bench.user.guest
    with pytest.raises(StateError, match="during a call"):
        bench.user.pieces = 4


class Wrong:
    when = state.durable(complex)

    def __call__(self, item: Item, emit: Emit) -> None: ...


@dataclass
class Needs:
    name: str


class Unborn:
    who = state.session(Needs)

    def __call__(self, item: Item, emit: Emit) -> None: ...


@pytest.mark.parametrize(
    ("kind", "room", "scope", "message"),
    [
        (Wrong, ROOM, TURN, "reception.when is of type complex, which cannot be kept"),
        (Unborn, ROOM, TURN, "reception.who cannot begin: TypeError"),
        (Reception, State(100, 1000, 0), TURN, "reception.guest has no room: write `state = { durable = 4kB }`"),
        (
            Reception,
            State(0, 1000, 1000),
            SESSION,
            "reception.pieces is of a turn, and the node belongs to the session",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_before_the_session(kind: type, room: State, scope: str, message: str) -> None:
    with pytest.raises(StateError, match=message.replace("{", r"\{").replace("(", r"\(")):
        Bench(kind, room, scope=scope)


def test_what_another_version_kept_is_refused_by_name() -> None:
    bench = Bench(Reception, ROOM)
    with pytest.raises(StateError, match="was kept with colour, which Guest does not have"):
        bench.scopes.restore(msgpack.packb({"guest": {"colour": "red"}}))
    with pytest.raises(StateError, match="it is not what was kept"):
        bench.scopes.restore(b"\xc1")
    bench.scopes.restore(msgpack.packb({"guest": {"name": "Ada"}}))  # a field that came later begins anew
    assert bench.said("again") == "1 1 Ada 1"


class Lucky:
    dice = state.chance()

    def __call__(self, item: Item, emit: Emit) -> None:
        emit(str(self.dice.randrange(10**9)))


def test_chance_can_be_had_again() -> None:
    first, again = Bench(Lucky, State()), Bench(Lucky, State())
    numbers = [first.said("x") for _ in range(4)]
    assert numbers == [again.said("x") for _ in range(4)]
    assert len(set(numbers)) == 4
    assert numbers[0] == str(random.Random("0/s/reception/1").randrange(10**9))
    assert Bench(Lucky, State(), seed="1/s").said("x") != numbers[0]


def test_a_node_can_be_tried_without_a_pipeline() -> None:
    said = run(Reception, ["I am Ada", "again", "again"], turns=[1, 1, 2])
    assert [emitted.payload for emitted in said] == ["1 1 Ada 0", "2 2 Ada 1", "1 3 Ada 2"]
    alone = Reception()
    alone.guest.visits = 7
    assert (alone.guest.visits, alone.pieces) == (7, 0)
