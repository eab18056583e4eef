"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "8b2aefe6e263ce9ccafd30cacd423568373aa745e34b8e958ef5d0aa00ee2d4f"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
