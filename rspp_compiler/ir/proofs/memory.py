"""What sessions take of memory, to the byte, and what nobody has said."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.ir.origin import Origin


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """A part of one session's memory: `number` things of `each_bytes`.

    `what` is a row of the kernel's block (`ring: llm.delta -> voice.text`), what further members of a party take, or
    what a node declares as its `limit.memory` or `state`. `origin` is None for what follows from the plan.
    """

    what: str
    number: int
    each_bytes: int
    origin: Origin | None = None

    @property
    def total_bytes(self) -> int:
        return self.number * self.each_bytes


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one session, and of `sessions` at once. `policy` is the one that takes most ("" for none).

    `block_bytes` is the block that the compiled kernel allocates, `sizeof(Memory)`: it is asserted when a package is
    imported. `untold` are custom nodes that work inside the process or in one of their own, and declare no memory.
    """

    policy: str
    sessions: int
    block_bytes: int
    parts: tuple[MemoryPart, ...]
    untold: tuple[str, ...]

    @property
    def session_bytes(self) -> int:
        """Bytes of one session: the block, further members, and what nodes declare."""
        return sum(part.total_bytes for part in self.parts)

    @property
    def total_bytes(self) -> int:
        """Bytes of all sessions."""
        return self.sessions * self.session_bytes
