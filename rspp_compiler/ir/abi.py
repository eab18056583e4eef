"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "b9d0b684a3070fb5765177432fb5bce325c75b87f164d93350fcb8dbf3ee9e0f"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
