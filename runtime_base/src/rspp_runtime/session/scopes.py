"""What the Python nodes of a session remember, each for as long as it declares (`nodes/state.py`; CONTRACTS §8, F-155).

    turn      begins anew in every turn
    session   lives with this process' hold on the session: a new holder begins anew
    durable   outlives the process: each change is in the log, behind the call that made it, and a new holder has it

Everything is kept in its packed form, which the plan bounds in bytes, and checked when a call ends. So a call is whole
or has not been: one that fails, or remembers too much, leaves everything as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random
from typing import Any

from rspp_runtime.abi.messages import Item
from rspp_runtime.abi.plan import TURN, Node
from rspp_runtime.abi.plan import State as Room
from rspp_runtime.nodes import packing
from rspp_runtime.nodes.packing import PackingError
from rspp_runtime.nodes.state import CHANCE, DURABLE, HELD_BY, Field, StateError, fields_of

SCOPES = ("turn", "session", "durable")
_EMPTY = packing.pack({})

Snapshot = tuple[int, dict[str, bytes]]
"""All that a node remembers, packed, by scope; and the turn to which the first part belongs."""


def is_stateful(kind: type) -> bool:
    """Whether the class declares what it remembers."""
    return bool(fields_of(kind))


class Scopes:
    """What one node remembers (`nodes.state.Keeper`). `seed` names the session, for chance."""

    def __init__(self, node: Node, fields: Sequence[Field]) -> None:
        """Raises `StateError` for what cannot be kept, or has no room in the plan."""
        room = node.state or Room()
        self._bytes_max = {"turn": room.turn_bytes, "session": room.session_bytes, "durable": room.durable_bytes}
        self.node = node
        self.seed = ""
        self._fields = {scope: [field for field in fields if field.scope == scope] for scope in SCOPES}
        self._values: dict[str, Any] = {}  # by name, of every scope
        self._packed = dict.fromkeys(SCOPES, _EMPTY)
        self._turn = 0
        self._caller = 0  # the thread in which a call runs; 0 outside of calls
        self._chance: Random | None = None
        for field in fields:
            self._check(field)
        for scope in SCOPES:
            self._begin(scope)
            self._packed[scope] = self._pack(scope)

    # ---- what the node sees

    def read(self, field: Field) -> Any:
        self._must_be_called(field.name)
        return self._chance if field.scope == CHANCE else self._values[field.name]

    def write(self, field: Field, value: Any) -> None:
        self._must_be_called(field.name)
        if field.scope == CHANCE:
            raise StateError(f"{self._where(field.name)} gives numbers, and takes none")
        self._values[field.name] = value

    def may_set(self, name: str) -> None:
        """Something else of `self` is set. Raises `StateError` where that would outlive a turn in silence."""
        if self.node.scope == TURN and self._caller == threading.get_ident():
            raise StateError(
                f"{self._where(name)} would be remembered in the next turn: say for how long, "
                f"`{name} = state.turn(…)`, `state.session(…)` or `state.durable(…)` in the class"
            )

    # ---- calls

    def enter(self, item: Item) -> None:
        """A call begins."""
        if item.turn != self._turn:
            self._turn = item.turn
            self._begin("turn")
            self._packed["turn"] = self._pack("turn")
        self._chance = Random(f"{self.seed}/{self.node.name}/{item.seq}")
        self._caller = threading.get_ident()

    def leave(self, *, failed: bool) -> bytes | None:
        """It has ended. Returns the durable part if it is another one now.

        Raises `StateError` if what is to be remembered is too much, or not what was declared: nothing is, then.
        """
        self._caller = 0
        if failed:
            self._go_back()
            return None
        try:
            packed = {scope: self._pack(scope) for scope in SCOPES}
        except PackingError as error:
            self._go_back()
            raise StateError(str(error)) from None
        for scope in SCOPES:
            if len(packed[scope]) > self._bytes_max[scope] and self._fields[scope]:
                self._go_back()
                raise StateError(
                    f"{self.node.name} remembers {len(packed[scope]):,} bytes in `{scope}`, and the pipeline has room "
                    f"for {self._bytes_max[scope]:,}: forget some, or give it `state = {{ {scope} = … }}`"
                )
        changed = packed[DURABLE] != self._packed[DURABLE]
        self._packed = packed
        return packed[DURABLE] if changed else None

    @property
    def durable(self) -> bytes:
        """The packed form of what is durable."""
        return self._packed[DURABLE]

    @property
    def snapshot(self) -> Snapshot:
        """After a call: what is remembered now."""
        return self._turn, dict(self._packed)

    def adopt(self, snapshot: Snapshot) -> bytes | None:
        """Remembers what another caller of the same node did. Returns the durable part if it is another one now."""
        self._turn, packed = snapshot
        changed = packed[DURABLE] != self._packed[DURABLE]
        self._packed = dict(packed)
        self._go_back()
        return packed[DURABLE] if changed else None

    def restore(self, durable: bytes) -> None:
        """A new holder of the session begins with it. Raises `StateError` if it is not what the class declares."""
        try:
            self._unpack(DURABLE, durable)
            self._packed[DURABLE] = self._pack(DURABLE)
        except PackingError as error:
            raise StateError(str(error)) from None

    def restore_what_fits(self, durable: bytes) -> list[str]:
        """A holder of another version begins with what its class declares, too, of the same name and kind; the rest
        begins anew. Returns the names of what was kept and is not taken."""
        try:
            kept = packing.unpack(durable)
        except PackingError:
            return [self._where(DURABLE)]
        fields = {field.name: field for field in self._fields[DURABLE]}
        left = []
        for name, one in kept.items():
            try:
                self._values[name] = packing.value(fields[name].kind, one, self._where(name))
            except (KeyError, PackingError):
                left.append(self._where(name))
        try:
            packed = self._pack(DURABLE)
        except PackingError:
            packed = b""
        if not packed or len(packed) > self._bytes_max[DURABLE]:
            self._begin(DURABLE)
            packed, left = self._pack(DURABLE), [self._where(name) for name in kept]
        self._packed[DURABLE] = packed
        return left

    # ----

    def _where(self, name: str) -> str:
        return f"{self.node.name}.{name}"

    def _check(self, field: Field) -> None:
        if field.scope == CHANCE:
            return
        where = self._where(field.name)
        try:
            packing.check(field.kind, where)
            field.begin()
        except PackingError as error:
            raise StateError(str(error)) from None
        except Exception as error:
            raise StateError(
                f"{where} cannot begin: {type(error).__name__}: {error}; give every field a default"
            ) from None
        if not self._bytes_max[field.scope]:
            no_turn = field.scope == "turn" and self.node.scope != TURN
            raise StateError(
                f"{where} is of a turn, and the node belongs to the session: take `state.session`"
                if no_turn
                else f"{where} has no room: write `state = {{ {field.scope} = 4kB }}` in the node's braces"
            )

    def _must_be_called(self, name: str) -> None:
        if self._caller != threading.get_ident():
            raise StateError(f"{self._where(name)} is there during a call of the node, and nowhere else")

    def _begin(self, scope: str) -> None:
        self._values |= {field.name: field.begin() for field in self._fields[scope]}

    def _pack(self, scope: str) -> bytes:
        fields = self._fields[scope]
        if not fields:
            return _EMPTY
        values = self._values
        return packing.pack(
            {field.name: packing.plain(field.kind, values[field.name], self._where(field.name)) for field in fields}
        )

    def _unpack(self, scope: str, packed: bytes) -> None:
        kept = packing.unpack(packed)
        fields = {field.name: field for field in self._fields[scope]}
        if gone := sorted(kept.keys() - fields.keys()):
            raise PackingError(f"{self.node.name} was kept with {', '.join(gone)}, which its class does not declare")
        for name, one in kept.items():
            self._values[name] = packing.value(fields[name].kind, one, self._where(name))

    def _go_back(self) -> None:
        for scope in SCOPES:
            if self._fields[scope]:
                self._unpack(scope, self._packed[scope])


def guarded(kind: type) -> type:
    """The class, whose instances cannot remember in a call what they do not declare."""

    set_of: Any = kind.__setattr__

    def set_attribute(self: object, name: str, value: object) -> None:
        keeper = vars(self).get(HELD_BY)
        if keeper is not None and not isinstance(getattr(kind, name, None), Field):
            keeper.may_set(name)
        set_of(self, name, value)

    made = type(kind)(kind.__name__, (kind,), {"__setattr__": set_attribute, "__module__": kind.__module__})
    made.__qualname__ = kind.__qualname__
    return made


def hold(node: Node, user: object) -> Scopes | None:
    """Takes over what `user` remembers; None if it declares nothing. Raises `StateError`."""
    fields = fields_of(type(user))
    if not fields:
        return None
    scopes = Scopes(node, fields)
    vars(user)[HELD_BY] = scopes
    return scopes
