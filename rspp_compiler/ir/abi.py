"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "19aab1d7e80cd663ec4db507c1e39e8f1aef8844a7325023515c9c5702af4793"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
