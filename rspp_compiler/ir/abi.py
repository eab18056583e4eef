"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "391f87b65a7abb0335025bd6222e1e13d8ca04cfb4c95978879d7d982c758caa"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
