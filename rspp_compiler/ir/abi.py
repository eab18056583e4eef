"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "8d298e97a3516046b1d191559cff7536380c5ac5b9980f38594b995b10e39ff1"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
