"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "737643020b3a99d19269f7cc650a571259caef3c4500bf4bef75829c77616921"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
