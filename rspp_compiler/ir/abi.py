"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "7414de675174ade5bc43ea39ac3915b64f2f414c750f49ef997c77e63fc0366f"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
