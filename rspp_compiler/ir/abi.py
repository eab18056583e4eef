"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "f5bf91bc714e1a5346a65f7678fec9b51c1441ff96da6aae331663b35bb7c6b1"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
