"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "0a6fbcd112877344d32d51167842d0b8ef1d9143e5fd0c6f60b42657e80e2f74"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
