"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "e78a54133aa8491a8f5472143be643159235513d49b3439587934d51aafe844e"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
