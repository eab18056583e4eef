"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "3ab9d428d14b1431038d8dccc693b4fb9f06736f8a32f7ce18ce2ca841efdb98"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
