"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "776ae36a0e06152a107c1db55484c514a93c807d7393b0e359fe4e753dc5ad8c"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
