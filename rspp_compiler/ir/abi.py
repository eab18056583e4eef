"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "50abd30282f5ca5edc9b61ea9c4b7f2afc4952838331b99ba63a88887278096f"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
