"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "8a6542d26d21f21ca9dce9033491a5844294097173d89c8c4d18c08ff4ee0c0e"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
