"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "e84bc15a12d08667f7bc5d1242f7d8f63dc39522a40917517cdfcca34854aac5"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
