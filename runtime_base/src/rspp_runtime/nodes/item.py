"""An item as a Python node sees it, and what it emits with."""

from __future__ import annotations

from typing import Protocol

from rspp_runtime.abi.codes import Flag, label_of
from rspp_runtime.abi.messages import Item as KernelItem


class ItemGoneError(RuntimeError):
    """A node looked at an item after its call had returned: keep the values, not the item."""


class Item:
    """One item. It lives as long as the call it is given to; later access raises `ItemGoneError`."""

    __slots__ = ("_item", "_port")

    def __init__(self, item: KernelItem, port: str) -> None:
        self._item: KernelItem | None = item
        self._port = port

    @property
    def port(self) -> str:
        """Name of the input port."""
        self._live()
        return self._port

    @property
    def text(self) -> str:
        """The payload of a text port."""
        return self._live().payload.decode("utf-8", "replace")

    @property
    def audio(self) -> bytes:
        """The payload of an audio port: PCM s16le mono, at most 20 ms."""
        return self._live().payload

    @property
    def payload(self) -> bytes:
        return self._live().payload

    @property
    def turn(self) -> int:
        """Serial of the turn it belongs to; 0 outside turns."""
        return self._live().turn

    @property
    def media_ns(self) -> int:
        """Media time of the first sample, ns since the session began."""
        return self._live().media_ns

    @property
    def final(self) -> bool:
        """Whether a text will not be revised."""
        return bool(self._live().flags & Flag.FINAL)

    @property
    def label(self) -> int:
        """What the last `label` on its way gave it; 0 for none."""
        return label_of(self._live().flags)

    @property
    def words(self) -> int:
        """Words of a text."""
        return self._live().b

    @property
    def sentence_end(self) -> int:
        """Bytes up to the end of the last sentence that ends in the text; 0 if none does. (Of an output whose hand-off
        is by clause or word: of the last clause or word.)
        """
        return self._live().a

    def _live(self) -> KernelItem:
        if self._item is None:
            raise ItemGoneError("this item is gone: it lives only as long as the call it is given to")
        return self._item

    def close(self) -> None:
        """The call has returned."""
        self._item = None


class Emit(Protocol):
    """Emits one item. `port` may be left out if the node has one output. `final` as in `Item.final`.

    Raises `TypeError`, `ValueError` for what the port does not take; at most `emissions_max` items a call.
    """

    def __call__(self, payload: str | bytes, port: str | None = None, *, final: bool = False) -> None: ...


class Stage(Protocol):
    """What a node that is a coroutine is given: `async def node(stage)`, once a session.

    It is resumed with each item, and runs until it asks for the next one; it may await nothing else.
    """

    async def item(self) -> Item:
        """The next item. The one before is gone."""
        ...

    @property
    def emit(self) -> Emit: ...
