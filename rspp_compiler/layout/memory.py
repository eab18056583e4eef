"""The memory of a session, to the byte: `memory_bytes(plan)`, and `memory_table(plan)` row by row.

The arithmetic is in `ir.memory`, because the kernel's constants (`emit`) come from the same figures.
"""

from __future__ import annotations

from rspp_compiler.ir.memory import Block, memory_bytes, memory_table

__all__ = ["Block", "memory_bytes", "memory_table"]
