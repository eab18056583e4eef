"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "53e7f9bd6ca7c716d18b20d9f04bb234639e98aed40602d2d8461d78de104205"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
