"""Two lists of named things, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Compared(NamedTuple, Generic[T]):
    """What went, what came, and what is in both, as (old, new); each in the order of its version."""

    removed: list[T]
    added: list[T]
    kept: list[tuple[T, T]]


def compare(old: Iterable[T], new: Iterable[T], key: Callable[[T], str]) -> Compared[T]:
    before, after = ({key(item): item for item in items} for items in (old, new))
    return Compared(
        [item for name, item in before.items() if name not in after],
        [item for name, item in after.items() if name not in before],
        [(item, after[name]) for name, item in before.items() if name in after],
    )
