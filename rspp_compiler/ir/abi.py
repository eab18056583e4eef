"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "f806d4c8d34b100fc7e23ef07f7f87c738944c41a6047201a1629c413204011a"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
