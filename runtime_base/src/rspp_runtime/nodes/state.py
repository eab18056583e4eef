"""What a Python node remembers, and for how long; and chance that can be replayed (docs/nodes.md).

    from rspp_runtime.nodes import state

    @dataclass
    class Guest:
        name: str = ""
        visits: int = 0

    class Reception:
        asked = state.turn(int)        # 0 again in each turn
        names = state.session(list[str])  # as long as this process has the session
        guest = state.durable(Guest)   # in whichever process goes on with the session
        dice = state.chance()          # the same numbers for the same session, node and item

Of a pipeline's node, what is declared so is there during a call. A call that fails has remembered nothing.
"""

from __future__ import annotations

from random import Random
from typing import Any, Protocol, TypeVar, cast

from rspp_runtime.nodes import packing

T = TypeVar("T")
TURN, SESSION, DURABLE, CHANCE = "turn", "session", "durable", "chance"
HELD_BY = "_rspp_held_by"  # in the instance: who keeps what it remembers


class StateError(RuntimeError):
    """A node remembers what it did not declare, too much of it, or at the wrong moment; or the kind cannot be kept."""


class Keeper(Protocol):
    """Keeps what one node remembers."""

    def read(self, field: Field) -> Any: ...

    def write(self, field: Field, value: Any) -> None: ...


class Field:
    """One thing that a class of nodes remembers. Without a pipeline, in a test of one's own, a plain attribute."""

    def __init__(self, scope: str, kind: Any) -> None:
        self.scope, self.kind, self.name = scope, kind, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def begin(self) -> Any:
        """What is there before anything was remembered."""
        return Random(0) if self.scope == CHANCE else packing.default(self.kind)

    def __get__(self, node: object | None, owner: type) -> Any:
        if node is None:
            return self
        keeper: Keeper | None = vars(node).get(HELD_BY)
        return keeper.read(self) if keeper is not None else vars(node).setdefault(self.name, self.begin())

    def __set__(self, node: object, value: Any) -> None:
        keeper: Keeper | None = vars(node).get(HELD_BY)
        if keeper is not None:
            keeper.write(self, value)
        else:
            vars(node)[self.name] = value


def turn(kind: type[T]) -> T:
    """Remembered until the turn is over: each turn begins with `kind()`."""
    return cast("T", Field(TURN, kind))


def session(kind: type[T]) -> T:
    """Remembered while this process has the session: another one that goes on with it begins with `kind()`."""
    return cast("T", Field(SESSION, kind))


def durable(kind: type[T]) -> T:
    """Remembered as long as the session lasts, in the log: whichever process goes on with it has it again."""
    return cast("T", Field(DURABLE, kind))


def chance() -> Random:
    """Chance that can be had again: in each call a generator seeded by the session's seed, its id, node and item."""
    return cast("Random", Field(CHANCE, Random))


def fields_of(kind: type) -> list[Field]:
    """What a class remembers, in the order in which it says so, its bases' first."""
    found: dict[str, Field] = {}
    for base in reversed(kind.__mro__):
        found |= {name: one for name, one in vars(base).items() if isinstance(one, Field)}
    return list(found.values())
