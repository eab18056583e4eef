"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "4be8b6e7c44d69dda895c9da99452cac858aacfd2e59257ec79f17dcd587cc57"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
