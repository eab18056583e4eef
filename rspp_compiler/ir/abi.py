"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "9d644598fa875b17d29821c5a15c32eb1558f662ed7b8bb100a791b10fd6234c"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
