"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "8c5130107d219e83e84dfe46f4394d0b4a2cc8f09e558aa9a20026f0dd2ce5da"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
